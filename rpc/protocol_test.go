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
			return true // a number of its own kind, which the text gives where it holds
		}
		seen++
		if !strings.Contains(text, value) {
			t.Errorf("%s = %q of the wire is not in PROTOCOL.md", spec.Names[0].Name, value)
		}
		return true
	}
	for _, name := range []string{"wire/wire.go", "wire/push.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, named)
	}
	if seen < 30 {
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
		wire.MethodLogin:           {wire.LoginParams{}, wire.LoginResult{}},
		wire.MethodInfo:            {wire.Empty{}, wire.InfoResult{}},
		wire.MethodHello:           {wire.HelloParams{}, wire.HelloResult{}},
		wire.MethodReport:          {wire.ReportParams{}, wire.ReportResult{}},
		wire.MethodStatus:          {wire.StatusParams{}, wire.Empty{}},
		wire.MethodReportMetric:    {wire.ReportMetricParams{}, wire.Empty{}},
		wire.MethodSubscribe:       {wire.SubscribeParams{}, wire.SubscribeResult{}},
		wire.MethodUnsubscribe:     {wire.UnsubscribeParams{}, wire.Empty{}},
		wire.MethodHosts:           {wire.Empty{}, wire.HostsResult{}},
		wire.MethodHost:            {wire.HostParams{}, wire.Host{}},
		wire.MethodRelease:         {wire.ReleaseParams{}, wire.Empty{}},
		wire.MethodHistoryRange:    {wire.HistoryRangeParams{}, wire.HistoryRangeResult{}},
		wire.MethodCatalogCheck:    {wire.CheckParams{}, wire.CheckResult{}},
		wire.MethodCatalogPush:     {wire.PushParams{}, wire.PushResult{}},
		wire.MethodCatalogRollback: {wire.RollbackParams{}, wire.PushResult{}},
		wire.MethodCatalogDelete:   {wire.DeleteParams{}, wire.PushResult{}},
		wire.MethodCatalogList:     {wire.Empty{}, wire.CatalogResult{}},
		wire.MethodCatalogGet:      {wire.CatalogParams{}, wire.CatalogEntry{}},
		wire.MethodCatalogRevision: {wire.RevisionParams{}, wire.Revision{}},
		wire.MethodReceipt:         {wire.ReceiptParams{}, wire.Empty{}},
		wire.MethodReceipts:        {wire.CatalogParams{}, wire.ReceiptsResult{}},
		wire.MethodRollouts:        {wire.RolloutsParams{}, wire.RolloutsResult{}},
		wire.MethodRollout:         {wire.RolloutParams{}, wire.Rollout{}},
		wire.MethodRolloutPause:    {wire.RolloutParams{}, wire.Rollout{}},
		wire.MethodRolloutResume:   {wire.RolloutParams{}, wire.Rollout{}},
		wire.MethodRolloutAbort:    {wire.RolloutParams{}, wire.Rollout{}},
		wire.MethodHostLabel:       {wire.LabelParams{}, wire.Host{}},
		wire.MethodAudit:           {wire.AuditParams{}, wire.AuditResult{}},
		wire.MethodAgentAssign:     {wire.Assignment{}, wire.AssignResult{}},
		wire.MethodAgentAssigned:   {wire.Empty{}, wire.AssignResult{}},
		wire.MethodTrialStart:      {wire.TrialStartParams{}, wire.TrialStartResult{}},
		wire.MethodTrialStop:       {wire.TrialStopParams{}, wire.Empty{}},
		wire.MethodAgentTry:        {wire.AgentTryParams{}, wire.Empty{}},
		wire.MethodTrial:           {wire.TrialReport{}, wire.Empty{}},
		wire.MethodBoostStart:      {wire.BoostParams{}, wire.Empty{}},
		wire.MethodBoostStop:       {wire.BoostParams{}, wire.Empty{}},
		wire.MethodAgentBoost:      {wire.AgentBoostParams{}, wire.Empty{}},
		wire.MethodLive:            {wire.LiveParams{}, nil},
		wire.NotifyTrial:           {wire.TrialEvent{}, nil},
		wire.NotifyEvent:           {wire.Event{}, nil},
		wire.NotifySamples:         {wire.Samples{}, nil},
		wire.NotifyLost:            {wire.Lost{}, nil},
		wire.NotifyHeartbeat:       {wire.Heartbeat{}, nil},
		methodCancel:               {struct{ ID any }{}, nil},
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
		if !ours || json.Unmarshal([]byte(data), &message) != nil || message.Method != wire.MethodAgentAssign {
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
