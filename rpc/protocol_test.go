package rpc

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/internal/signing"
	"github.com/vedettehq/vedette/rpc/wire"
)

func readProtocol(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestProtocolNamesEverything: every method, notification, code and subprotocol
// of the wire is in PROTOCOL.md.
func TestProtocolNamesEverything(t *testing.T) {
	text := readProtocol(t)
	seen := 0
	named := func(n ast.Node) bool {
		if row, ok := n.(*ast.KeyValueExpr); ok {
			if key, ok := row.Key.(*ast.Ident); !ok || key.Name != "Name" {
				return true
			}
			seen++
			if name := strings.Trim(row.Value.(*ast.BasicLit).Value, `"`); !strings.Contains(text, name) {
				t.Errorf("the method %q of the wire is not in PROTOCOL.md", name)
			}
			return true
		}
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		value := ""
		switch v := spec.Values[0].(type) {
		case *ast.BasicLit:
			value = strings.Trim(v.Value, `"`)
		case *ast.UnaryExpr:
			if lit, ok := v.X.(*ast.BasicLit); ok {
				value = v.Op.String() + lit.Value
			}
		}
		if value == "" {
			return true // a number of its kind, which the text names where it holds
		}
		seen++
		if !strings.Contains(text, value) {
			t.Errorf("%s = %q of the wire is not in PROTOCOL.md", spec.Names[0].Name, value)
		}
		return true
	}
	for _, name := range []string{
		"wire/wire.go", "wire/push.go", "wire/tokens.go", "wire/join.go", "wire/boards.go", "wire/alerts.go", "wire/methods.go",
	} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, named)
	}
	if seen < 60 {
		t.Errorf("only %d constants were found", seen)
	}
}

// TestWireAgrees holds this package to the names of the wire, which it may not
// import.
func TestWireAgrees(t *testing.T) {
	if SubprotocolCBOR != wire.SubprotocolCBOR || SubprotocolJSON != wire.SubprotocolJSON || DefaultPath != wire.Path {
		t.Error("the subprotocols or the path differ")
	}
	if closeUnauthenticated != wire.CloseUnauthenticated || closeForbidden != wire.CloseForbidden || closeVersion != wire.CloseVersion {
		t.Error("the close codes differ")
	}
}

// TestProtocolExamples reads every example message of PROTOCOL.md as strictly
// as a peer does.
func TestProtocolExamples(t *testing.T) {
	type types struct{ params, result any }
	known := map[string]types{
		wire.MasterLogin.Name:        {wire.LoginParams{}, wire.LoginResult{}},
		wire.MasterInfo.Name:         {wire.Empty{}, wire.InfoResult{}},
		wire.MasterHello.Name:        {wire.HelloParams{}, wire.HelloResult{}},
		wire.MasterReport.Name:       {wire.ReportParams{}, wire.ReportResult{}},
		wire.MasterStatus.Name:       {wire.StatusParams{}, wire.Empty{}},
		wire.MasterReportMetric.Name: {wire.ReportMetricParams{}, wire.Empty{}},
		wire.MasterSubscribe.Name:    {wire.SubscribeParams{}, wire.SubscribeResult{}},
		wire.MasterUnsubscribe.Name:  {wire.UnsubscribeParams{}, wire.Empty{}},
		wire.HostsList.Name:          {wire.Empty{}, wire.HostsResult{}},
		wire.HostsGet.Name:           {wire.HostParams{}, wire.Host{}},
		wire.InspectorsRelease.Name:  {wire.ReleaseParams{}, wire.Empty{}},
		wire.HistoryRange.Name:       {wire.HistoryRangeParams{}, wire.HistoryRangeResult{}},
		wire.CatalogCheck.Name:       {wire.CheckParams{}, wire.CheckResult{}},
		wire.CatalogPush.Name:        {wire.PushParams{}, wire.PushResult{}},
		wire.CatalogRollback.Name:    {wire.RollbackParams{}, wire.PushResult{}},
		wire.CatalogDelete.Name:      {wire.DeleteParams{}, wire.PushResult{}},
		wire.CatalogList.Name:        {wire.Empty{}, wire.CatalogResult{}},
		wire.CatalogGet.Name:         {wire.CatalogParams{}, wire.CatalogEntry{}},
		wire.CatalogRevision.Name:    {wire.RevisionParams{}, wire.Revision{}},
		wire.MasterReceipt.Name:      {wire.ReceiptParams{}, wire.Empty{}},
		wire.MasterAlerts.Name:       {wire.OwnAlertsParams{}, wire.OwnAlertsResult{}},
		wire.CatalogReceipts.Name:    {wire.CatalogParams{}, wire.ReceiptsResult{}},
		wire.ProposalsList.Name:      {wire.Empty{}, wire.ProposalsResult{}},
		wire.ProposalsGet.Name:       {wire.ProposalParams{}, wire.Proposal{}},
		wire.ProposalsApprove.Name:   {wire.ProposalParams{}, wire.ApproveResult{}},
		wire.ProposalsRefuse.Name:    {wire.ProposalParams{}, wire.Proposal{}},
		wire.RolloutsList.Name:       {wire.RolloutsParams{}, wire.RolloutsResult{}},
		wire.RolloutsGet.Name:        {wire.RolloutParams{}, wire.Rollout{}},
		wire.RolloutsPause.Name:      {wire.RolloutParams{}, wire.Rollout{}},
		wire.RolloutsResume.Name:     {wire.RolloutParams{}, wire.Rollout{}},
		wire.RolloutsAbort.Name:      {wire.RolloutParams{}, wire.Rollout{}},
		wire.HostsLabel.Name:         {wire.LabelParams{}, wire.Host{}},
		wire.KeysList.Name:           {wire.Empty{}, wire.KeyLines{}},
		wire.KeysAdd.Name:            {wire.KeyAddParams{}, wire.KeyLine{}},
		wire.AgentKeys.Name:          {wire.KeyLines{}, wire.KeysResult{}},
		wire.AuditList.Name:          {wire.AuditParams{}, wire.AuditResult{}},
		wire.AuditVerify.Name:        {wire.AuditVerifyParams{}, wire.AuditVerifyResult{}},
		wire.TokensCreate.Name:       {wire.TokenParams{}, wire.TokenCreated{}},
		wire.TokensList.Name:         {wire.Empty{}, wire.TokensResult{}},
		wire.TokensRevoke.Name:       {wire.TokenRevokeParams{}, wire.Empty{}},
		wire.UsersList.Name:          {wire.Empty{}, wire.UsersResult{}},
		wire.UsersAdd.Name:           {wire.UserParams{}, wire.UserMade{}},
		wire.UsersRole.Name:          {wire.UserRoleParams{}, wire.UserInfo{}},
		wire.UsersRemove.Name:        {wire.UserNameParams{}, wire.Empty{}},
		wire.UsersLink.Name:          {wire.UserNameParams{}, wire.UserMade{}},
		wire.UsersPasswd.Name:        {wire.UserPasswordParams{}, wire.Empty{}},
		wire.UsersLogout.Name:        {wire.UserNameParams{}, wire.UserLogoutResult{}},
		wire.BoardsList.Name:         {wire.Empty{}, wire.BoardsResult{}},
		wire.BoardsGet.Name:          {wire.BoardParams{}, wire.Board{}},
		wire.BoardsPut.Name:          {wire.BoardPutParams{}, wire.Board{}},
		wire.BoardsDelete.Name:       {wire.BoardDeleteParams{}, wire.Empty{}},
		wire.AlertsList.Name:         {wire.AlertsParams{}, wire.AlertsResult{}},
		wire.AlertsExplain.Name:      {wire.AlertParams{}, wire.AlertExplanation{}},
		wire.AlertsTest.Name:         {wire.AlertTestParams{}, wire.AlertTestResult{}},
		wire.AlertsAck.Name:          {wire.AlertAckParams{}, wire.SilencesResult{}},
		wire.AlertsThresholds.Name:   {wire.Empty{}, wire.AlertThresholdsResult{}},
		wire.AlertsThreshold.Name:    {wire.AlertThresholdParams{}, wire.AlertThreshold{}},
		wire.SilencesList.Name:       {wire.SilencesParams{}, wire.SilencesResult{}},
		wire.SilencesAdd.Name:        {wire.SilenceParams{}, wire.Silence{}},
		wire.MaintenancesList.Name:   {wire.Empty{}, wire.MaintenancesResult{}},
		wire.MaintenancesAdd.Name:    {wire.MaintenanceParams{}, wire.Maintenance{}},
		wire.MaintenancesEnd.Name:    {wire.MaintenanceEndParams{}, wire.Maintenance{}},
		wire.MasterMaintenance.Name:  {wire.SelfMaintenanceParams{}, wire.SelfMaintenanceResult{}},
		wire.SilencesEnd.Name:        {wire.SilenceEndParams{}, wire.Empty{}},
		wire.TokensJoin.Name:         {wire.JoinTokenParams{}, wire.JoinTokenCreated{}},
		wire.HostsMembers.Name:       {wire.Empty{}, wire.MembersResult{}},
		wire.HostsApprove.Name:       {wire.MemberParams{}, wire.Member{}},
		wire.HostsRevoke.Name:        {wire.MemberParams{}, wire.Member{}},
		wire.AuthorityShow.Name:      {wire.Empty{}, wire.AuthorityResult{}},
		wire.AuthorityRotate.Name:    {wire.Empty{}, wire.AuthorityResult{}},
		wire.AgentAssign.Name:        {wire.Assignment{}, wire.AssignResult{}},
		wire.AgentAssigned.Name:      {wire.Empty{}, wire.AssignResult{}},
		wire.TrialsStart.Name:        {wire.TrialStartParams{}, wire.TrialStartResult{}},
		wire.TrialsStop.Name:         {wire.TrialStopParams{}, wire.Empty{}},
		wire.AgentTry.Name:           {wire.AgentTryParams{}, wire.Empty{}},
		wire.MasterTrial.Name:        {wire.TrialReport{}, wire.Empty{}},
		wire.BoostsStart.Name:        {wire.BoostParams{}, wire.Empty{}},
		wire.BoostsStop.Name:         {wire.BoostParams{}, wire.Empty{}},
		wire.AgentBoost.Name:         {wire.AgentBoostParams{}, wire.Empty{}},
		wire.LogsGet.Name:            {wire.LogsParams{}, wire.LogsResult{}},
		wire.AgentLogs.Name:          {wire.AgentLogsParams{}, wire.LogsResult{}},
		wire.MasterLive.Name:         {wire.LiveParams{}, nil},
		wire.NotifyTrial.Name:        {wire.TrialEvent{}, nil},
		wire.NotifyEvent.Name:        {wire.Event{}, nil},
		wire.NotifySamples.Name:      {wire.Samples{}, nil},
		wire.NotifyLost.Name:         {wire.Lost{}, nil},
		wire.NotifyHeartbeat.Name:    {wire.Heartbeat{}, nil},
		methodCancel:                 {struct{ ID any }{}, nil},
	}
	c := jsonCodec{}
	var cache shapes
	read := func(line string, raw []byte, into any) {
		t.Helper()
		v := reflect.New(reflect.TypeOf(into))
		if err := decodeParams(c, raw, v, cache.of(v.Type())); err != nil {
			t.Errorf("%s\n%v", line, err)
		}
	}
	asked := map[string]string{} // method by id
	shown := map[string]bool{}
	for line := range strings.Lines(readProtocol(t)) {
		data := []byte(strings.TrimLeft(line, "→← "))
		if !strings.HasPrefix(line, "→ {") && !strings.HasPrefix(line, "← {") {
			continue
		}
		if err := c.check(data); err != nil {
			t.Errorf("%s\n%v", line, err)
			continue
		}
		e, fault := c.split(data)
		if fault != nil {
			t.Errorf("%s\n%v", line, fault)
			continue
		}
		switch {
		case e.hasMethod:
			asked[string(e.id)] = e.method
			shown[e.method] = true
			types, ok := known[e.method]
			if !ok {
				t.Errorf("%s\nthere is no such method", line)
			} else if e.method != methodCancel {
				read(line, e.params, types.params)
			}
		case e.err != nil:
			if err := json.Unmarshal(e.err, new(Error)); err != nil {
				t.Errorf("%s\n%v", line, err)
			}
		default:
			read(line, e.result, known[asked[string(e.id)]].result)
		}
	}
	for method := range known {
		if !shown[method] {
			t.Errorf("%s has no example", method)
		}
	}
}

// TestProtocolHashes: the hashes of the example of agent.assign are those that
// its text says.
func TestProtocolHashes(t *testing.T) {
	for line := range strings.Lines(readProtocol(t)) {
		var message struct {
			Method string
			Params wire.Assignment
		}
		data, ours := strings.CutPrefix(line, "← ")
		if !ours || json.Unmarshal([]byte(data), &message) != nil || message.Method != wire.AgentAssign.Name {
			continue
		}
		if got := wire.AssignmentHash(message.Params.Inspectors); got != message.Params.Hash {
			t.Errorf("the hash is %s", got)
		}
		if one := message.Params.Inspectors[0]; wire.RevisionOf(one.Code) != one.Revision {
			t.Errorf("the revision is %s", wire.RevisionOf(one.Code))
		}
		return
	}
	t.Error("there is no example of agent.assign")
}

// TestProtocolKeys: the statement of the example of keys.add is signed as the text says.
func TestProtocolKeys(t *testing.T) {
	for line := range strings.Lines(readProtocol(t)) {
		var message struct {
			Method string
			Params wire.KeyAddParams
		}
		data, theirs := strings.CutPrefix(line, "→ ")
		if !theirs || json.Unmarshal([]byte(data), &message) != nil || message.Method != wire.KeysAdd.Name {
			continue
		}
		read, err := wire.KeyLine{Statements: []wire.KeyStatement{message.Params.Statement}}.Read()
		if err != nil || len(read.IDs()) != 2 {
			t.Errorf("the line is %v: %v", read, err)
		}
		return
	}
	t.Error("there is no example of keys.add")
}

// TestProtocolSignature: the example of catalog.push is signed as the text says,
// by the key that it gives.
func TestProtocolSignature(t *testing.T) {
	text := readProtocol(t)
	key, err := signing.ParsePublic(regexp.MustCompile(`ed25519:[A-Za-z0-9+/=]{44}`).FindString(text))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text, "`"+strings.TrimSpace(signing.Context)+"`") || len(signing.Context)+64 != 80 {
		t.Errorf("the text does not say that %q is signed", signing.Context)
	}
	for line := range strings.Lines(text) {
		var message struct {
			Method string
			Params wire.PushParams
		}
		data, ours := strings.CutPrefix(line, "→ ")
		if !ours || json.Unmarshal([]byte(data), &message) != nil || len(message.Params.Signatures) == 0 {
			continue
		}
		code, signed := message.Params.Code, message.Params.Signatures[0]
		code.File = code.Name + ".go"
		if signed.Key != key.ID() || !key.Verify(wire.RevisionOf(code), signed.Signature) {
			t.Errorf("%+v is no signature of %s by %s", signed, wire.RevisionOf(code), key.ID())
		}
		return
	}
	t.Error("no example of catalog.push is signed")
}
