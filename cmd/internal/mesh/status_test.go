package mesh

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/rpc/wire"
)

// However many hosts there are and whatever their states, the status takes ten lines,
// counts each host and inspector once, and names or counts every trouble.
func TestStatusOfAnyMesh(t *testing.T) {
	states := []string{wire.StateOK, wire.StateFailing, wire.StateQuarantined}
	for range 500 {
		now := time.UnixMilli(1767225600000)
		var hosts []wire.Host
		var receipts []wire.HostReceipt
		refused := make(map[string]bool)
		up, troubles, inspectors, unwell := 0, 0, 0, 0
		for i := range rand.IntN(8) {
			h := wire.Host{Host: fmt.Sprintf("web-%d", i), State: wire.HostUp, LastSeenMS: now.UnixMilli()}
			wrong := false
			if rand.IntN(4) == 0 {
				h.State, wrong = wire.HostGone, true
				troubles++
			} else {
				up++
			}
			for j := range rand.IntN(3) {
				s := wire.InspectorStatus{Name: fmt.Sprint("i", j), State: states[rand.IntN(3)], Error: "two\nlines\x1b[2J"}
				inspectors++
				isRefused := s.State != wire.StateQuarantined && rand.IntN(4) == 0
				if isRefused {
					receipts = append(receipts, wire.HostReceipt{Host: h.Host, Receipt: wire.Receipt{Inspector: s.Name, Reason: "no\nway"}})
					refused[s.Name] = true
				}
				if isRefused && rand.IntN(2) == 0 {
					continue // a host that accepts no code does not have it
				}
				if s.State == wire.StateOK && isRefused {
					inspectors++ // the previous code still runs
				}
				wrong = wrong || s.State != wire.StateOK
				if s.State != wire.StateOK && !isRefused {
					troubles++
				}
				h.Inspectors = append(h.Inspectors, s)
			}
			if wrong {
				unwell++
			}
			if got := troubled(h); got != wrong {
				t.Fatalf("%+v: troubled is %v", h, got)
			}
			hosts = append(hosts, h)
		}
		info, shownMost := wire.InfoResult{NowMS: now.UnixMilli()}, troublesShown
		if rand.IntN(2) == 0 {
			shownMost--
			info.Audit = []wire.AuditReceiver{{Kind: "syslog", Waiting: 3, Missed: 1, Error: "two\nlines\x1b[2J", SinceMS: now.UnixMilli()}, {Kind: "webhook"}}
		}
		m := newMeshStatus("http://m", info, hosts, nil, receipts)
		var out strings.Builder
		if err := m.print(&out); err != nil {
			t.Fatal(err)
		}
		text := out.String()
		counted := 0
		for _, n := range m.Inspectors {
			counted += n
		}
		if want := "\naudit       syslog takes nothing since now, 3 entries waiting: two; 1 entry too old before they could be sent; webhook has all entries\n"; info.Audit != nil &&
			!strings.Contains(text, want) {
			t.Errorf("got\n%s\nwant %s", text, want)
		}
		troubles += len(refused)
		shown := strings.Count(text, "\ntrouble ") + strings.Count(text, "\nrefused ")
		if troubles > shownMost+1 {
			if want := fmt.Sprintf("and %d more: vedette hosts --failing", troubles-shownMost); !strings.Contains(text, want) {
				t.Errorf("got\n%s\nwant %s", text, want)
			}
			shown = troubles
		}
		if strings.Count(text, "\n") > 10 || shown != troubles || counted != inspectors || strings.Contains(text, "\x1b") ||
			!strings.Contains(text, fmt.Sprintf("\nhosts       %d of %d up\n", up, len(hosts))) {
			t.Errorf("%d troubles, %d inspectors, %d hosts unwell:\n%s", troubles, inspectors, unwell, text)
		}
	}
}
