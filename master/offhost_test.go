package master

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// What somebody does on a master is elsewhere soon, over restarts too; operators are told
// how that is, and nobody else.
func TestAuditLeavesTheHost(t *testing.T) {
	var got patience.Watched
	arrived := make(map[uint64]wire.AuditEntry)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		for decoder := json.NewDecoder(r.Body); ; {
			var entry wire.AuditEntry
			if decoder.Decode(&entry) != nil {
				return
			}
			got.Change(func() { arrived[entry.Seq] = entry })
		}
	}))
	defer receiver.Close()
	cfg := config.Master{
		Data: t.TempDir(), Tokens: []config.Token{token("ops", "admin", ""), token("wall", "viewer", "")}, Audit: config.Audit{Webhook: receiver.URL + "/secret"},
	}
	for _, run := range []string{"first", "second"} {
		t.Run(run, func(t *testing.T) {
			m := start(t, cfg)
			ops := dial(t, m, nil, rpc.DialOptions{Header: bearer("ops")})
			call[wire.TokenCreated](t, ops, wire.TokensCreate.Name, wire.TokenParams{Name: run, Role: "viewer"})
			want := call[wire.AuditResult](t, ops, wire.AuditList.Name, wire.AuditParams{}).Entries
			got.Await(t, "the entries at the receiver", func() bool {
				for _, entry := range want {
					if arrived[entry.Seq] != entry {
						return false
					}
				}
				return true
			})
			patience.Until(t, "the master to know it", func() bool {
				told := call[wire.InfoResult](t, ops, wire.MasterInfo.Name, wire.Empty{}).Audit
				return len(told) == 1 && told[0].Kind == "webhook" && told[0].Taken >= want[0].Seq && told[0].Waiting == 0 && told[0].Error == ""
			})
			viewer := dial(t, m, nil, rpc.DialOptions{Header: bearer("wall")})
			if told := call[wire.InfoResult](t, viewer, wire.MasterInfo.Name, wire.Empty{}).Audit; told != nil {
				t.Errorf("a viewer is told %+v", told)
			}
			newest := want[0]
			verified := call[wire.AuditVerifyResult](t, ops, wire.AuditVerify.Name, wire.AuditVerifyParams{Seq: newest.Seq, Sum: newest.Sum})
			if !verified.Noted || verified.Fault != nil {
				t.Errorf("the newest entry is not the one of just now: %+v", verified)
			}
			if err := refused(t, ops, wire.AuditVerify.Name, wire.AuditVerifyParams{Seq: 1, Sum: "x"}); err.Code != rpc.CodeInvalidParams ||
				!strings.Contains(err.Message, "16") {
				t.Errorf("a checksum that is none: %v", err)
			}
		})
	}
}
