package plugins_test

import (
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/adapt"
	"github.com/vedettehq/vedette/plugins"
)

// checking is the inspector of a Nagios check.
func checking(t *testing.T, name, commandLine string) inspectors.Definition {
	t.Helper()
	source, err := adapt.Check(commandLine)
	if err != nil {
		t.Fatal(err)
	}
	return script(name, source)
}

// sampled returns the value of a series, which is written as key{label="value"}.
func sampled(t *testing.T, o plugins.Outcome, series string) float64 {
	t.Helper()
	for _, s := range o.Samples {
		if s.Key+s.Labels.String() == series {
			return s.Value
		}
	}
	t.Errorf("%s has no %s: %v, %v", o.Name, series, o.Samples, o.Err)
	return -1
}

func TestNagiosChecks(t *testing.T) {
	t.Parallel()
	p := newPrograms(t)
	paths := map[string]string{
		"warns":    p.write("warns", `echo "WARNING: $1|'the disk'=5GB;4;6;0;10"; echo "long text | n=7c"; exit 1`),
		"dies":     p.write("dies", "kill -9 $$"),
		"silent":   p.write("silent", "echo gone >&2; exit 2"),
		"endless":  p.write("endless", "while :; do echo too much; done"),
		"hangs":    p.write("hangs", "exec sleep 100000"),
		"unlisted": p.write("unlisted", "exit 0"),
	}
	f := allowing(t, paths["warns"], paths["dies"], paths["silent"], paths["endless"], paths["hangs"], "/nowhere/check")
	for name, path := range paths {
		if name != "unlisted" {
			f.mustLoad(checking(t, name, path+" '$HOME is plain'"))
		}
	}
	f.mustLoad(checking(t, "missing", "/nowhere/check"))
	got := f.run(testTimeout, "warns", "dies", "silent", "endless", "missing")
	for name, status := range map[string]float64{"warns": 1, "dies": 3, "silent": 2, "endless": 3, "missing": 3} {
		if value := sampled(t, got[name], name+"/status"); value != status {
			t.Errorf("%s: the status is %v, want %v", name, value, status)
		}
	}
	for series, want := range map[string]float64{
		`warns/bytes{label="the disk"}`:                       5 << 30,
		`warns/bytes_warning{bound="above",label="the disk"}`: 4 << 30,
		`warns/bytes_max{label="the disk"}`:                   10 << 30,
		`warns/count_total{label="n"}`:                        7,
	} {
		if value := sampled(t, got["warns"], series); value != want {
			t.Errorf("%s is %v, want %v", series, value, want)
		}
	}
	f.wantGood(got, "warns", "dies", "silent") // a check that warns is no failed run
	f.wantError(got["endless"], "it wrote more than 1048576 bytes")
	f.wantError(got["missing"], `cannot run "/nowhere/check"`)
	f.wantLog("status 1: WARNING: $HOME is plain")
	f.wantLog("status 2", "ended with exit status 2: gone")

	o := f.run(5*time.Second, "hangs")["hangs"]
	f.wantError(o, "did not end in time")
	if value := sampled(t, o, "hangs/status"); value != 3 {
		t.Errorf("a check that hangs has the status %v", value)
	}
	if err := f.Load(context.Background(), checking(t, "unlisted", paths["unlisted"])); err == nil || !strings.Contains(err.Error(), "agent.policy.exec") {
		t.Errorf("a program that the policy does not name: %v", err)
	}
}

// What a check says is kept while it goes on, and its series ends with it; whatever bytes
// a check writes, they make a label.
func TestNagiosCheckSays(t *testing.T) {
	t.Parallel()
	p := newPrograms(t)
	said := filepath.Join(p.dir, "said")
	path := p.write("says", "cat "+said+"; read status < "+said+".status; exit $status")
	f := allowing(t, path)
	f.mustLoad(checking(t, "says", path))
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	text := func() []byte {
		b := make([]byte, 1+random.IntN(2000))
		for i := range b {
			b[i] = byte(random.IntN(256))
			if random.IntN(3) == 0 {
				b[i] = []byte(`<\\x\xa0|'`)[random.IntN(7)]
			}
		}
		return b
	}
	run := func(status string, line []byte) (texts []string) {
		t.Helper()
		for name, content := range map[string][]byte{said: line, said + ".status": []byte(status + "\n")} {
			if err := os.WriteFile(name, content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got := f.run(testTimeout, "says")
		f.wantGood(got, "says")
		for _, s := range got["says"].Samples {
			if s.Key == "says/said_seconds" {
				texts = append(texts, s.Labels.String())
			}
		}
		return texts
	}
	if got := run("0", []byte("all is well\n")); len(got) > 0 {
		t.Errorf("a check that is OK has said %v", got)
	}
	first := run("2", []byte("5 % <left>\n"))
	if want := `{text="5 % (left)"}`; len(first) != 1 || first[0] != want {
		t.Errorf("got %v, want %s", first, want)
	}
	if again := run("2", []byte("4 % left\n")); len(again) != 1 || again[0] != first[0] {
		t.Errorf("in the same state it said %v, and then %v", first, again)
	}
	for i := range 40 {
		if got := run(strconv.Itoa(1+i%2), text()); len(got) != 1 {
			t.Errorf("seed %d: run %d has the texts %q", seed, i, got)
		}
	}
	if got := run("0", text()); len(got) > 0 {
		t.Errorf("a check that is OK again has said %v", got)
	}
}

// Debian's own checks say the same here as when they are run by hand.
func TestNagiosChecksOfDebian(t *testing.T) {
	t.Parallel()
	const folder = "/usr/lib/nagios/plugins/"
	if _, err := os.Stat(folder + "check_dummy"); err != nil {
		t.Skip("monitoring-plugins-basic is not installed")
	}
	lines := map[string]string{
		"dummy":  "check_dummy 2 'a b'",
		"load":   "check_load -w 0,0,0 -c 100000,100000,100000",
		"disk":   "check_disk -w 1% -c 0% -p /",
		"procs":  "check_procs -w 1:100000 -c 1:200000",
		"closed": "check_tcp -H 127.0.0.1 -p 1 -t 5",
		"usage":  "check_disk --nonsense",
	}
	var programs []string
	for _, line := range lines {
		program, _, _ := strings.Cut(line, " ")
		programs = append(programs, folder+program)
	}
	f := allowing(t, programs...)
	var names []string
	for name, line := range lines {
		f.mustLoad(checking(t, "nagios/"+name, folder+line))
		names = append(names, "nagios/"+name)
	}
	got := f.run(testTimeout, names...)
	for name, line := range lines {
		byHand := exec.Command("/bin/sh", "-c", folder+line)
		output, _ := byHand.Output()
		want := inspectors.ParseNagios(byHand.ProcessState.ExitCode(), output)
		o := got["nagios/"+name]
		if value := sampled(t, o, "nagios/"+name+"/status"); int(value) != want.State || len(want.Faults) > 0 {
			t.Errorf("%s: the status is %v, by hand it is %d (%s) %q", line, value, want.State, want.Text, want.Faults)
		}
		for _, v := range want.Values {
			found := 0
			for _, s := range o.Samples {
				if s.Labels.Get("label") == v.Label {
					found++
				}
			}
			if found == 0 {
				t.Errorf("%s: nothing is reported of %s", line, strconv.Quote(v.Label))
			}
		}
	}
	if n := len(got["nagios/disk"].Samples); n < 4 {
		t.Errorf("check_disk reports %d samples: %v", n, got["nagios/disk"])
	}
}
