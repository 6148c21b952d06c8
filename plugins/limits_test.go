//go:build linux

package plugins_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/plugins"
)

func TestLimitsAreInForce(t *testing.T) {
	t.Setenv("VEDETTE_TOKEN", "secret")
	f := newFixture(t, plugins.PoolOptions{})
	f.mustLoad(script("good", goodScript))
	proc := fmt.Sprintf("/proc/%d", f.pid("shared"))
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(proc, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	if got := strings.TrimSpace(read("comm")); got != "vedette-scripts" {
		t.Errorf("the process is called %q", got)
	}
	if got := strings.TrimSpace(read("oom_score_adj")); got != "500" {
		t.Errorf("oom_score_adj is %s", got)
	}
	limits := strings.Join(strings.Fields(read("limits")), " ")
	if !strings.Contains(limits, "Max core file size 0 0") {
		t.Errorf("core dumps are not off: %s", limits)
	}
	if want := fmt.Sprintf("Max data size %d %d", 256<<20, 256<<20); !raceEnabled && !strings.Contains(limits, want) {
		t.Errorf("no %q in %s", want, limits)
	}
	threads, err := filepath.Glob(proc + "/task/*")
	if err != nil || len(threads) == 0 {
		t.Fatal(err)
	}
	for _, thread := range threads {
		stat, err := os.ReadFile(thread + "/stat")
		if err != nil {
			continue // a thread may end at any time
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		if nice := strings.Fields(rest)[16]; nice != "10" {
			t.Errorf("%s has nice %s", thread, nice)
		}
		status, err := os.ReadFile(thread + "/status")
		if err == nil && !strings.Contains(string(status), "NoNewPrivs:\t1\n") {
			t.Errorf("%s may gain privileges", thread)
		}
	}
	environ := read("environ")
	for _, want := range []string{"GOMAXPROCS=1\x00", "GOMEMLIMIT=100663296\x00", "PATH="} {
		if !strings.Contains(environ, want) {
			t.Errorf("the environment lacks %q", want)
		}
	}
	if strings.Contains(environ, "secret") {
		t.Error("the script host sees a secret of the agent")
	}
	if f.log.line("a limit is not in force") {
		t.Error("the log speaks of a limit that is not in force")
	}
}

func TestLimitThatCannotBeSet(t *testing.T) {
	f := newFixture(t, plugins.PoolOptions{Limits: plugins.Limits{OOMScoreAdj: 2000, DataBytes: -1}})
	f.mustLoad(script("good", goodScript))
	f.wantLog("level=WARN", "a limit is not in force", "cannot offer itself first when memory runs out")
	f.wantGood(f.run(testTimeout, "good"), "good")
}
