package library

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shirou/gopsutil/v3/load"
	"github.com/vedettehq/vedette/inspectors"
	average1 "github.com/vedettehq/vedette/inspectors/library/scripts/average1"
	"github.com/vedettehq/vedette/inspectors/library/scripts/cpu"
	"github.com/vedettehq/vedette/inspectors/library/scripts/disk"
	"github.com/vedettehq/vedette/inspectors/library/scripts/diskio"
	scriptload "github.com/vedettehq/vedette/inspectors/library/scripts/load"
	"github.com/vedettehq/vedette/inspectors/library/scripts/memory"
	"github.com/vedettehq/vedette/inspectors/library/scripts/network"
	"github.com/vedettehq/vedette/inspectors/library/scripts/percentfree"
	"github.com/vedettehq/vedette/inspectors/library/scripts/processes"
	"github.com/vedettehq/vedette/inspectors/library/scripts/swap"
	"github.com/vedettehq/vedette/inspectors/library/scripts/tcp"
	"github.com/vedettehq/vedette/inspectors/library/scripts/temperature"
	"github.com/vedettehq/vedette/inspectors/library/scripts/uptime"
	"github.com/vedettehq/vedette/inspectors/script"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// natives are the same files, compiled.
func natives() map[string]inspectors.Inspector {
	value := func(f func() (float64, error)) inspectors.Inspector {
		return inspectors.Value(func(context.Context) (float64, error) { return f() })
	}
	return map[string]inspectors.Inspector{
		"load/average-1":      value(average1.Inspect),
		"memory/percent-free": value(percentfree.Inspect),
		"cpu":                 inspectors.Func(cpu.Inspect),
		"disk":                inspectors.Func(disk.Inspect),
		"disk-io":             inspectors.Func(diskio.Inspect),
		"load":                inspectors.Func(scriptload.Inspect),
		"memory":              inspectors.Func(memory.Inspect),
		"network":             inspectors.Func(network.Inspect),
		"processes":           inspectors.Func(processes.Inspect),
		"swap":                inspectors.Func(swap.Inspect),
		"tcp":                 inspectors.Func(tcp.Inspect),
		"temperature":         inspectors.Func(temperature.Inspect),
		"uptime":              inspectors.Func(uptime.Inspect),
	}
}

func interpreted(t *testing.T, name string) inspectors.Inspector {
	t.Helper()
	d, ok := Get(name)
	if !ok {
		t.Fatalf("there is no built-in inspector %q", name)
	}
	p, err := script.Load(d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// inspect runs an inspector once and returns its values by series. A gauge and a counter of
// the same name have different keys.
func inspect(t *testing.T, i inspectors.Inspector, name string) map[string]float64 {
	t.Helper()
	r := inspectors.NewReport(name, time.Now())
	if err := errors.Join(i.Inspect(context.Background(), r), r.Err()); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	values := make(map[string]float64)
	for _, s := range r.Samples() {
		if isTotal := strings.HasSuffix(s.Key, "_total"); isTotal != (s.Kind == inspectors.Counter) {
			t.Errorf("%s is a %s", s.Key, s.Kind)
		}
		values[s.Key+s.Labels.String()] = s.Value
	}
	return values
}

func keys(values map[string]float64) string {
	var list []string
	for k := range values {
		list = append(list, k)
	}
	sort.Strings(list)
	return strings.Join(list, "\n")
}

func TestDefinitions(t *testing.T) {
	want := "cpu disk disk-io load load/average-1 memory memory/percent-free network processes swap tcp temperature uptime"
	if got := strings.Join(Names(), " "); got != want {
		t.Errorf("the library is\n%s\nwant\n%s", got, want)
	}
	interval := map[string]time.Duration{
		"disk": 5 * time.Second, "tcp": 5 * time.Second, "processes": 5 * time.Second,
		"temperature": 10 * time.Second, "uptime": 10 * time.Second,
	}
	for _, d := range Definitions() {
		if err := d.Validate(); err != nil {
			t.Errorf("%s: %v", d.Name, err)
		}
		want, ok := interval[d.Name]
		if !ok {
			want = time.Second
		}
		if d.Interval != want || d.Timeout != want*8/10 {
			t.Errorf("%s has the interval %v and the timeout %v, want %v and 80 %% of it", d.Name, d.Interval, d.Timeout, want)
		}
		if err := script.CheckScript(*d.Script); err != nil {
			t.Error(err)
		}
	}
	if _, ok := Get("nothing"); ok {
		t.Error("Get has found nothing")
	}
}

// TestNativeAgrees runs each inspector interpreted and compiled, twice, and compares the
// series that they yield, and the values of those that do not change between two runs.
func TestNativeAgrees(t *testing.T) {
	still := map[string]bool{"memory/total_bytes": true, "swap/total_bytes": true}
	for name, native := range natives() {
		t.Run(name, func(t *testing.T) {
			i := interpreted(t, name)
			for run := range 2 {
				got, want := inspect(t, i, name), inspect(t, native, name)
				if name == "cpu" && run > 0 {
					// Until the CPU clock has advanced there are no percentages.
					dropPercents(got)
					dropPercents(want)
				}
				if keys(got) != keys(want) {
					t.Fatalf("run %d: the interpreter yields\n%s\nthe compiler\n%s", run, keys(got), keys(want))
				}
				for key := range got {
					if still[key] && got[key] != want[key] {
						t.Errorf("%s is %v interpreted, %v compiled", key, got[key], want[key])
					}
				}
			}
		})
	}
	if len(natives()) != len(Names()) {
		t.Errorf("%d of %d inspectors are compared", len(natives()), len(Names()))
	}
}

func dropPercents(values map[string]float64) {
	for k := range values {
		if strings.HasSuffix(k, "_percent") {
			delete(values, k)
		}
	}
}

// TestNoSeriesTwice checks that no two built-in inspectors yield the same series.
func TestNoSeriesTwice(t *testing.T) {
	owner := make(map[string]string)
	for _, name := range Names() {
		for key := range inspect(t, interpreted(t, name), name) {
			if owner[key] != "" {
				t.Errorf("%s comes from %s and from %s", key, owner[key], name)
			}
			owner[key] = name
		}
	}
}

// TestDocumentedNames checks that the library yields the series that the documentation of
// PromQL names.
func TestDocumentedNames(t *testing.T) {
	notLetter := regexp.MustCompile("[^a-zA-Z0-9]")
	yielded, charts := make(map[string]bool), make(map[string]bool)
	for _, name := range Names() {
		chart, _ := inspectors.SplitKey(name)
		charts[notLetter.ReplaceAllString(chart, "_")] = true
		for _, series := range strings.Split(keys(inspect(t, interpreted(t, name), name)), "\n") {
			key, _, _ := strings.Cut(series, "{")
			yielded[notLetter.ReplaceAllString(key, "_")] = true
		}
	}
	found := 0
	for _, word := range regexp.MustCompile("[a-z0-9_]+").FindAllString(read(t, "../../docs/grafana.md"), -1) {
		if chart, _, ok := strings.Cut(word, "_"); ok && charts[chart] {
			if found++; !yielded[word] {
				t.Errorf("docs/grafana.md names %s, which no built-in inspector yields", word)
			}
		}
	}
	if found < 3 {
		t.Errorf("only %d names are found", found)
	}
}

// between runs an inspector between two readings of the same thing by other means, and
// checks that its value lies between them, within the tolerance.
func between(t *testing.T, what string, got, before, after, tolerance float64) {
	t.Helper()
	low, high := math.Min(before, after)-tolerance, math.Max(before, after)+tolerance
	if got < low || got > high {
		t.Errorf("%s is %v, want between %v and %v", what, got, low, high)
	}
}

// meminfo reads a line of /proc/meminfo, in bytes.
func meminfo(t *testing.T, name string) float64 {
	t.Helper()
	for _, line := range strings.Split(read(t, "/proc/meminfo"), "\n") {
		var kib float64
		if n, _ := fmt.Sscanf(line, name+": %g kB", &kib); n == 1 {
			return kib * 1024
		}
	}
	t.Fatalf("/proc/meminfo has no %s", name)
	return 0
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestMemoryAgainstProc(t *testing.T) {
	const tolerance = 256 << 20 // others use this machine
	before := map[string]float64{}
	lines := map[string]string{"free_bytes": "MemFree", "available_bytes": "MemAvailable", "buffers_bytes": "Buffers"}
	for key, line := range lines {
		before[key] = meminfo(t, line)
	}
	got := inspect(t, interpreted(t, "memory"), "memory")
	for key, line := range lines {
		between(t, key, got["memory/"+key], before[key], meminfo(t, line), tolerance)
	}
	total := meminfo(t, "MemTotal")
	if got["memory/total_bytes"] != total {
		t.Errorf("total is %v, want %v", got["memory/total_bytes"], total)
	}
	if sum := got["memory/used_bytes"] + got["memory/available_bytes"]; sum != total {
		t.Errorf("used and available make %v, not the total %v", sum, total)
	}
	between(t, "used_percent", got["memory/used_percent"], got["memory/used_bytes"]/total*100, got["memory/used_bytes"]/total*100, 1e-9)

	percent := inspect(t, interpreted(t, "memory/percent-free"), "memory/percent-free")["memory/percent-free"]
	between(t, "percent-free", percent, before["free_bytes"]/total*100, meminfo(t, "MemFree")/total*100, tolerance/total*100)
	if text := strconv.FormatFloat(percent, 'f', -1, 64); len(text) > strings.Index(text+".", ".")+4 {
		t.Errorf("percent-free %s has more than three decimals", text)
	}
}

func TestLoadAgainstProc(t *testing.T) {
	before, err := load.Avg()
	if err != nil {
		t.Fatal(err)
	}
	one := inspect(t, interpreted(t, "load/average-1"), "load/average-1")
	rest := inspect(t, interpreted(t, "load"), "load")
	after, err := load.Avg()
	if err != nil {
		t.Fatal(err)
	}
	between(t, "average-1", one["load/average-1"], before.Load1, after.Load1, 0)
	between(t, "average-5", rest["load/average-5"], before.Load5, after.Load5, 0)
	between(t, "average-15", rest["load/average-15"], before.Load15, after.Load15, 0)
}

func TestNetworkAgainstProc(t *testing.T) {
	counters := func() map[string][]float64 {
		byName := make(map[string][]float64)
		for _, line := range strings.Split(read(t, "/proc/net/dev"), "\n") {
			name, rest, ok := strings.Cut(line, ":")
			if !ok {
				continue
			}
			var list []float64
			for _, f := range strings.Fields(rest) {
				v, err := strconv.ParseFloat(f, 64)
				if err != nil {
					t.Fatal(err)
				}
				list = append(list, v)
			}
			byName[strings.TrimSpace(name)] = list
		}
		return byName
	}
	before := counters()
	got := inspect(t, interpreted(t, "network"), "network")
	after := counters()
	columns := map[string]int{
		"receive_bytes_total": 0, "receive_packets_total": 1, "receive_errors_total": 2, "receive_drops_total": 3,
		"transmit_bytes_total": 8, "transmit_packets_total": 9, "transmit_errors_total": 10, "transmit_drops_total": 11,
	}
	for name, list := range before {
		if list[1]+list[9] == 0 {
			continue
		}
		for key, column := range columns {
			series := fmt.Sprintf("network/%s{interface=%q}", key, name)
			v, ok := got[series]
			if !ok {
				t.Errorf("there is no %s", series)
			}
			between(t, series, v, list[column], after[name][column], 0)
		}
	}
}

func TestDiskIOAgainstProc(t *testing.T) {
	got := inspect(t, interpreted(t, "disk-io"), "disk-io")
	for _, line := range strings.Split(read(t, "/proc/diskstats"), "\n") {
		f := strings.Fields(line)
		if len(f) < 14 {
			continue
		}
		_, err := os.Stat("/sys/class/block/" + f[2] + "/partition")
		used := f[3] != "0" || f[7] != "0"
		series := fmt.Sprintf("disk-io/read_bytes_total{device=%q}", f[2])
		v, ok := got[series]
		if want := used && err != nil && !strings.HasPrefix(f[2], "loop") && !strings.HasPrefix(f[2], "ram"); ok != want {
			t.Errorf("%s: in the report %v, want %v", series, ok, want)
		}
		sectors, err := strconv.ParseFloat(f[5], 64)
		if err != nil {
			t.Fatal(err)
		}
		if ok && (v > sectors*512 || v < 0) {
			t.Errorf("%s is %v, but only %v bytes were read by now", series, v, sectors*512)
		}
	}
}

func TestCPUAgainstProc(t *testing.T) {
	i := interpreted(t, "cpu")
	first := inspect(t, i, "cpu")
	if _, ok := first["cpu/used_percent"]; ok {
		t.Error("the first run has a percentage, of what?")
	}
	// Use the CPU until its clock, of 10 ms, has advanced.
	var second map[string]float64
	for ok := false; !ok; _, ok = second["cpu/used_percent"] {
		second = inspect(t, i, "cpu")
	}
	used, parts := second["cpu/used_percent"], second["cpu/user_percent"]+second["cpu/system_percent"]+second["cpu/steal_percent"]
	if used < 0 || used > 100 || math.Abs(used-parts) > 1e-6 {
		t.Errorf("used_percent is %v, its parts %v", used, parts)
	}
	for _, mode := range []string{"user", "system", "iowait", "steal", "idle"} {
		series := fmt.Sprintf("cpu/seconds_total{mode=%q}", mode)
		if mode != "iowait" && second[series] < first[series] {
			t.Errorf("%s went from %v to %v", series, first[series], second[series])
		}
	}
}

func TestDisk(t *testing.T) {
	got := inspect(t, interpreted(t, "disk"), "disk")
	if v, ok := got[`disk/used_percent{mount="/"}`]; !ok || v <= 0 || v > 100 {
		t.Errorf("the root is %v %% full (%v)", v, ok)
	}
	for series := range got {
		for _, pseudo := range []string{`"/proc`, `"/sys`, `"/dev`} {
			if strings.Contains(series, pseudo) {
				t.Errorf("%s is a pseudo file system", series)
			}
		}
	}
}

func TestUptimeAgainstProc(t *testing.T) {
	seconds := func() float64 {
		var s float64
		if _, err := fmt.Sscan(read(t, "/proc/uptime"), &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	before := seconds()
	got := inspect(t, interpreted(t, "uptime"), "uptime")
	between(t, "uptime", got["uptime/seconds"], before, seconds(), 0)
}

func TestProcesses(t *testing.T) {
	// A process is in the state of its first thread, which sleeps in this one
	// while another thread runs.
	busy := exec.CommandContext(t.Context(), "sh", "-c", "while :; do :; done")
	if err := busy.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = busy.Process.Kill(); _ = busy.Wait() }()
	got := inspect(t, interpreted(t, "processes"), "processes")
	if got[`processes/count{state="running"}`] < 1 {
		t.Errorf("no process runs, not even the one that does nothing else: %v", got)
	}
	sum := 0.0
	for series, v := range got {
		if strings.HasPrefix(series, "processes/count") {
			sum += v
		}
	}
	between(t, "the sum of the states", sum, got["processes/total"], got["processes/total"], 50) // others come and go
}

// fakeRoot makes a /proc of an imagined host.
func fakeRoot(t *testing.T, files map[string]string) {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("HOST_PROC", filepath.Join(root, "proc"))
	t.Setenv("HOST_SYS", filepath.Join(root, "sys"))
}

func TestFakeHost(t *testing.T) {
	fakeRoot(t, map[string]string{
		"proc/loadavg": "1.25 2.5 3.75 4/321 9999\n",
		"proc/uptime":  "12345.67 5000.00\n",
		"proc/diskstats": "   7       0 loop0 5 0 40 1 0 0 0 0 0 1 1\n" +
			"   8      16 sdb 5 0 40 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n" +
			" 259       0 nvme0n1 100 1 2000 30 200 2 4000 50 0 6000 80 0 0 0 0\n" +
			" 259       1 nvme0n1p1 90 1 1000 30 200 2 4000 50 0 6000 80 0 0 0 0\n" +
			"   8       0 sda 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
		"sys/class/block/nvme0n1p1/partition": "1\n",
		"proc/net/sockstat":                   "sockets: used 200\nTCP: inuse 12 orphan 3 tw 40 alloc 15 mem 1\nUDP: inuse 5 mem 1\n",
		"proc/net/sockstat6":                  "TCP6: inuse 6\nUDP6: inuse 3\n",
		"proc/net/snmp": "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs " +
			"OutRsts InCsumErrors\n" +
			"Tcp: 1 200 120000 -1 10 20 1 2 7 1000 900 8 0 5 0\n",
		"proc/stat":                          "cpu  100 20 30 400 50 6 7 8 0 0\nctxt 1\nprocesses 5000\nprocs_running 2\nprocs_blocked 1\n",
		"proc/10/stat":                       "10 (a) b) R) S 1 10 10 0 -1",
		"proc/20/stat":                       "20 (z) Z 1 20 20 0 -1",
		"proc/30/stat":                       "30 (gone",
		"proc/self/x":                        "",
		"proc/filesystem":                    "",
		"sys/class/hwmon/hwmon0/name":        "coretemp\n",
		"sys/class/hwmon/hwmon0/temp1_input": "45500\n",
		"sys/class/hwmon/hwmon0/temp2_input": "46500\n",
		"sys/class/hwmon/hwmon1/name":        "nvme\n",
		"sys/class/hwmon/hwmon1/temp1_input": "nonsense\n",
		"sys/class/hwmon/hwmon2/name":        "loose\n",
		"sys/class/hwmon/hwmon2/temp1_input": "-273150\n",
	})
	for name, want := range map[string]map[string]float64{
		"load/average-1": {"load/average-1": 1.25},
		"load":           {"load/average-5": 2.5, "load/average-15": 3.75},
		"uptime":         {"uptime/seconds": 12345.67},
		"disk-io": {
			`disk-io/read_bytes_total{device="nvme0n1"}`: 2000 * 512, `disk-io/write_bytes_total{device="nvme0n1"}`: 4000 * 512,
			`disk-io/read_bytes_total{device="sdb"}`: 40 * 512, `disk-io/write_bytes_total{device="sdb"}`: 0,
			`disk-io/reads_total{device="sdb"}`: 5, `disk-io/writes_total{device="sdb"}`: 0, `disk-io/io_seconds_total{device="sdb"}`: 0,
			`disk-io/reads_total{device="nvme0n1"}`: 100, `disk-io/writes_total{device="nvme0n1"}`: 200, `disk-io/io_seconds_total{device="nvme0n1"}`: 6,
		},
		"tcp": {
			"tcp/segments_received_total": 1000, "tcp/segments_sent_total": 900, "tcp/segments_sent_again_total": 8, "tcp/orphaned_sockets": 3,
			`tcp/sockets{state="established"}`: 7, `tcp/sockets{state="time_wait"}`: 40, `tcp/sockets{state="other"}`: 11,
		},
		"processes": {
			"processes/started_total": 5000, "processes/total": 3, "processes/threads": 321,
			`processes/count{state="running"}`: 0, `processes/count{state="sleeping"}`: 1, `processes/count{state="waiting"}`: 0,
			`processes/count{state="zombie"}`: 1, `processes/count{state="stopped"}`: 0, `processes/count{state="traced"}`: 0, `processes/count{state="idle"}`: 0,
		},
		"temperature": {`temperature/celsius{sensor="coretemp"}`: 45.5, `temperature/celsius{sensor="coretemp_2"}`: 46.5},
	} {
		t.Run(name, func(t *testing.T) {
			got := inspect(t, interpreted(t, name), name)
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("got\n%v\nwant\n%v", got, want)
			}
		})
	}
}

// TestCountersThatStepBack makes every counter that a built-in inspector reads from an
// imagined host step back a little, go on, and restart, in random order.
func TestCountersThatStepBack(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	counters := make([]float64, 40)
	for i := range counters {
		counters[i] = float64(100_000 + random.IntN(1_000_000))
	}
	host := func() map[string]string {
		n := func(i int) string { return strconv.FormatFloat(math.Floor(counters[i]), 'f', 0, 64) }
		line := func(from, count int) string {
			var list []string
			for i := range count {
				list = append(list, n(from+i))
			}
			return strings.Join(list, " ")
		}
		return map[string]string{
			"proc/stat":      "cpu  " + line(0, 8) + " 0 0\nctxt 1\nprocesses " + n(8) + "\nprocs_running 2\nprocs_blocked 1\n",
			"proc/loadavg":   "1 1 1 1/10 1\n",
			"proc/diskstats": "   8 0 sda " + line(9, 11) + "\n",
			"proc/net/dev": "Inter-| Receive | Transmit\n face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier " +
				"compressed\n" +
				"  eth0: " + line(20, 4) + " 0 0 0 0 " + line(24, 4) + " 0 0 0 0\n",
			"proc/net/sockstat": "TCP: inuse 12 orphan 3 tw 40 alloc 15 mem 1\n",
			"proc/net/snmp": "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs " +
				"OutRsts InCsumErrors\n" +
				"Tcp: 1 200 120000 -1 10 20 1 2 7 " + line(28, 3) + " 0 5 0\n",
			"proc/vmstat":  "pswpin " + n(31) + "\npswpout " + n(32) + "\n",
			"proc/meminfo": "MemTotal: 1000 kB\nMemFree: 500 kB\nMemAvailable: 700 kB\nSwapTotal: 100 kB\nSwapFree: 50 kB\n",
		}
	}
	fakeRoot(t, host())
	inspected := make(map[string]inspectors.Inspector)
	for _, name := range []string{"cpu", "disk-io", "network", "processes", "swap", "tcp"} {
		inspected[name] = interpreted(t, name)
	}
	last, seen := make(map[string]float64), 0
	for run := range 40 {
		for i := range counters {
			if random.IntN(3) == 0 {
				counters[i] -= float64(random.IntN(1000))
			} else {
				counters[i] += float64(random.IntN(1000))
			}
		}
		for name, text := range host() {
			if err := os.WriteFile(filepath.Join(os.Getenv("HOST_PROC"), "..", name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		for name, i := range inspected {
			for series, v := range inspect(t, i, name) {
				if !strings.Contains(series, "_total") {
					continue
				}
				if seen++; v < last[series] {
					t.Errorf("seed %d, run %d: %s steps back from %v to %v", seed, run, series, last[series], v)
				}
				last[series] = v
			}
		}
	}
	if len(last) < 5+5+8+1+2+3 {
		t.Errorf("%d counters are seen: %v", len(last), last)
	}
}

// TestBrokenHost checks that missing and nonsensical files give errors that name the fault,
// not values.
func TestBrokenHost(t *testing.T) {
	fakeRoot(t, map[string]string{
		"proc/loadavg": "nonsense\n", "proc/uptime": "\n", "proc/diskstats": "1 2\n", "proc/stat": "", "proc/net/sockstat": "TCP:\n",
		"proc/meminfo": "",
	})
	for _, name := range []string{"load", "uptime", "disk-io", "tcp", "network", "cpu", "processes", "memory", "memory/percent-free", "disk"} {
		r := inspectors.NewReport(name, time.Now())
		if err := interpreted(t, name).Inspect(context.Background(), r); err == nil && len(r.Samples()) > 0 {
			t.Errorf("%s reports %v of nothing", name, r.Samples())
		} else if err == nil {
			t.Errorf("%s has no error", name)
		}
	}
}

// TestNoSensors checks that a host without sensors is no error.
func TestNoSensors(t *testing.T) {
	fakeRoot(t, nil)
	if got := inspect(t, interpreted(t, "temperature"), "temperature"); len(got) > 0 {
		t.Errorf("got %v", got)
	}
}
