package mesh

import (
	"bytes"
	"testing"
	"time"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/rpc/wire"
)

// statuses returns the state of one inspector.
func statuses(runs uint64, cpu float64) []wire.InspectorStatus {
	return []wire.InspectorStatus{{Name: "disk", State: wire.StateOK, IntervalMS: 1000, Runs: runs, CPUSeconds: cpu}}
}

func TestPrintHost(t *testing.T) {
	now := time.UnixMilli(1767225600000)
	ago := func(d time.Duration) int64 { return now.Add(-d).UnixMilli() }
	since := ago(2 * time.Hour)
	inspectors := statuses(3, 0.003)
	inspectors[0].SinceMS, inspectors[0].Assigned = since, "1234567890"
	inspectors[0].State, inspectors[0].Error = wire.StateFailing, "no \x1bdisk"
	d := hostDetail{
		Host: wire.Host{
			Host: "web-1", State: wire.HostUp, SinceMS: since, LastSeenMS: now.UnixMilli(), SkewMS: 20, OS: "linux", Arch: "amd64", Version: "v1",
			Remote: "10.0.0.1:5", Labels: map[string]string{"role": "db"}, Series: 1, Samples: 12, AcceptsPushed: true, NotKept: "the disk is full",
			Policy: &wire.Policy{Net: true, Exec: []string{"/usr/bin/uptime"}},
			Agent: &wire.AgentStatus{Spool: "disk", Isolation: &wire.Isolation{
				Layers: []string{"seccomp"}, Missing: []wire.MissingLayer{{Layer: "user", Reason: "not root"}},
			}},

			Inspectors: inspectors,
		},
		Receipts: []wire.Receipt{{Inspector: "gpu", Revision: "abcdef0123", State: wire.ReceiptRefused, Reason: "no\nplugins", AtMS: ago(time.Minute)}},
		Alerts:   []hostAlert{{"DiskFull", "firing", ago(time.Hour), "the disk is nearly full"}},
	}
	var out bytes.Buffer
	if err := d.print(&out, now, false); err != nil {
		t.Fatal(err)
	}
	want := `host        web-1 has been up since ` + cli.Moment(since) + ` (2h ago), seen now, its clock 0.02s ahead
system      linux/amd64, vedette v1, from 10.0.0.1:5
labels      role=db
samples     1 series, 12 samples since the master's start
code        takes what the master sends
policy      pushed code may need: net; exec /usr/bin/uptime
isolation   seccomp
            not user: not root
delivery    0 reports not sent yet; what cannot be sent is kept on its disk
not stored  the disk is full
alert       DiskFull has been firing for 60m: the disk is nearly full

INSPECTOR  STATE    SINCE   PUSHED    EVERY  RUNS  FAILED  CPU/RUN  MISSED  CRASHES  BUDGET
disk       failing  2h ago  12345678     1s     3       0      1ms       0        0       0

PUSHED  STATE    REVISION  RUNNING  SINCE    REASON
gpu     refused  abcdef01  -        60s ago  no; plugins

web-1: disk is failing
    no ?disk
`
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
}
