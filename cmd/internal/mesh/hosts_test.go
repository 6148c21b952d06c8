package mesh

import (
	"bytes"
	"testing"
	"time"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/rpc/wire"
)

func TestPrintHosts(t *testing.T) {
	now := time.UnixMilli(1767225600000)
	at := func(d time.Duration) int64 { return now.Add(-d).UnixMilli() }
	var out bytes.Buffer
	l := cli.List[wire.Host]{Columns: hostColumns, After: new(hostsList).notes}
	err := l.Write(&out, []wire.Host{
		{
			Host: "web-1", State: wire.HostUp, LastSeenMS: at(time.Second), SkewMS: -20, Version: "v1.2.3",
			Agent: &wire.AgentStatus{SamplesDropped: 37, Spool: "memory: cannot open the spool: no space"},
			Inspectors: []wire.InspectorStatus{
				{Name: "cpu", State: wire.StateOK},
				{Name: "disk", State: wire.StateFailing, Error: "line one\nline \x1b[2Jtwo", SinceMS: at(3 * time.Minute), Runs: 10, Failures: 3},
				{Name: "gpu", State: wire.StateQuarantined, Error: "crashed twice", SinceMS: at(5 * time.Hour), Runs: 2, Failures: 2},
			},
		},
		{Host: "web-22", State: wire.HostGone, LastSeenMS: at(72 * time.Hour), SkewMS: 90_000, Version: "v1.2.3"},
		{Host: "ten-lines", State: wire.HostUp, LastSeenMS: at(30 * time.Second), Simple: true},
		{Host: "skewed", State: wire.HostUp, SkewMS: 90_400, Agent: &wire.AgentStatus{Spool: "disk"}},
	}, now)
	if err != nil {
		t.Fatal(err)
	}
	want := `HOST       STATE  SEEN       SKEW  VERSION  INSPECTORS
web-1      up     now      -0.02s  v1.2.3   1 ok, 1 failing, 1 quarantined
web-22     gone   3d ago        -  v1.2.3   -
ten-lines  up     30s ago       -  -        -
skewed     up     never    +1m30s  -        -

web-1: 37 samples were dropped in all; charts have gaps there
web-1: keeps what cannot be sent in memory, not on its disk
    cannot open the spool: no space

web-1: disk has been failing for 3m, 3 of 10 runs failed
    line one
    line ?[2Jtwo
web-1: gpu has been quarantined for 5h, 2 of 2 runs failed
    crashed twice
`
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
}

func TestParseLabels(t *testing.T) {
	got, err := parseLabels([]string{"role=db", "zone-", "a-b=c=d"})
	if err != nil || labelsText(got) != "a-b=c=d,role=db,zone=" {
		t.Errorf("got %v, %v", got, err)
	}
	for _, words := range [][]string{{"role"}, {"role="}, {"=x"}, {"-"}, {"a=b", "a-"}} {
		if got, err := parseLabels(words); err == nil {
			t.Errorf("%q: got %v", words, got)
		}
	}
}
