package main

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/freeport"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/plugins"
)

// TestMain is the plugin where an agent starts it as one.
func TestMain(m *testing.M) {
	if os.Getenv("VEDETTE_PLUGIN") != "" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

const (
	community = "correct-horse-community"
	authPass  = "correct-horse-auth"
	privPass  = "correct-horse-priv"
	private   = ".1.3.6.1.4.1.8072.9999.9" // what the test has the device answer
)

// agent is an snmpd that the test starts.
type agent struct {
	dir, path, address string
	running            *exec.Cmd
}

// answers has the device answer for the objects under private: the type and the value of
// each, by what follows private.
func (a *agent) answers(t *testing.T, objects map[string]string) {
	t.Helper()
	var text strings.Builder
	for oid, value := range objects {
		fmt.Fprintf(&text, "%s.%s %s\n", private, oid, value)
	}
	if err := errors.Join(os.WriteFile(a.dir+"/new", []byte(text.String()), 0o644), os.Rename(a.dir+"/new", a.dir+"/objects")); err != nil {
		t.Fatal(err)
	}
}

// script answers what snmpd asks, "get" or "getnext" and then an OID, a line each.
const script = `#!/bin/sh
while read -r how; do
  if [ "$how" = PING ]; then echo PONG; continue; fi
  read -r oid || exit 0
  awk -v how="$how" -v asked="$oid" '
  function after(a, b,   x, y, n, m, i) { # whether a comes after b
    n = split(a, x, "."); m = split(b, y, ".")
    for (i = 2; i <= n && i <= m; i++) if (x[i] + 0 != y[i] + 0) return x[i] + 0 > y[i] + 0
    return n > m
  }
  how == "get" && $1 == asked { best = $0; oid = $1 }
  how == "getnext" && after($1, asked) && (best == "" || after(oid, $1)) { best = $0; oid = $1 }
  END {
    if (best == "") { print "NONE"; exit }
    rest = substr(best, index(best, " ") + 1); m = index(rest, " ")
    print oid; print substr(rest, 1, m - 1); print substr(rest, m + 1)
  }' DIR/objects
done
`

func (a *agent) start(t *testing.T) {
	t.Helper()
	a.running = exec.Command(a.path, "-f", "-Lf", a.dir+"/log", "-C", "-c", a.dir+"/snmpd.conf")
	a.running.Env = append(os.Environ(), "SNMP_PERSISTENT_DIR="+a.dir+"/state", "SNMPCONFPATH="+a.dir, "MIBS=")
	a.running.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := a.running.Start(); err != nil {
		t.Fatal(err)
	}
	patience.Until(t, "snmpd to answer", func() bool {
		d := &Device{Address: a.address, Version: "2c", CommunityFile: "x"}
		d.check("", func(place, format string, _ ...any) { t.Fatal(place, format) })
		conn, err := d.connect(t.Context(), secrets{community: community})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, err = conn.Get([]string{sysUpTime})
		return err == nil
	})
}

func (a *agent) stop() {
	_ = a.running.Process.Kill()
	_ = a.running.Wait()
}

// snmpd starts one, or skips the test. VEDETTE_TEST_SNMPD, where it is set, is the program.
func snmpd(t *testing.T) *agent {
	t.Helper()
	path := os.Getenv("VEDETTE_TEST_SNMPD")
	if path == "" {
		for _, place := range []string{"snmpd", "/usr/sbin/snmpd"} {
			if found, err := exec.LookPath(place); err == nil {
				path = found
			}
		}
	}
	if path == "" {
		t.Skip("snmpd is not installed: the Debian package snmpd has it")
	}
	a := &agent{dir: t.TempDir(), path: path, address: freeport.UDP(t)}
	conf := fmt.Sprintf(`agentAddress udp:%s
rocommunity %s 127.0.0.1
createUser vedette SHA-256 %q AES %q
rouser vedette priv
sysName test-device
sysDescr a device of a test
pass_persist %s %s/objects.sh
`, a.address, community, authPass, privPass, private, a.dir)
	err := errors.Join(
		os.WriteFile(a.dir+"/snmpd.conf", []byte(conf), 0o600),
		os.WriteFile(a.dir+"/objects.sh", []byte(strings.ReplaceAll(script, "DIR", a.dir)), 0o755),
		os.Mkdir(a.dir+"/state", 0o700),
		os.WriteFile(a.dir+"/community", []byte(community+"\n"), 0o600),
		os.WriteFile(a.dir+"/auth", []byte(authPass+"\n"), 0o600),
		os.WriteFile(a.dir+"/priv", []byte(privPass+"\n"), 0o600),
		os.WriteFile(a.dir+"/wrong", []byte("wrong-horse-battery\n"), 0o600),
	)
	if err != nil {
		t.Fatal(err)
	}
	a.answers(t, nil)
	a.start(t)
	t.Cleanup(a.stop)
	return a
}

// v2 and v3 are the configurations with which the device is asked.
func (a *agent) v2() string {
	return fmt.Sprintf("address: '%s', version: 2c, community_file: community, timeout: 60s", a.address)
}

func (a *agent) v3() string {
	return fmt.Sprintf("address: '%s', version: 3, user: vedette, auth_file: auth, privacy_file: priv, timeout: 60s", a.address)
}

// configured is a source of a configuration with devices.
func configured(t *testing.T, dir string, devices ...string) *source {
	t.Helper()
	text := "devices:\n"
	for _, d := range devices {
		text += "  " + d + "\n"
	}
	return write(t, dir, text)
}

func write(t *testing.T, dir, text string) *source {
	t.Helper()
	path := filepath.Join(dir, "snmp.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &source{path: path}
	t.Cleanup(s.close)
	return s
}

// run runs a source once, and returns its samples by key and labels, without durations.
func run(t *testing.T, s *source) (map[string]float64, error) {
	t.Helper()
	r := inspectors.NewReport("snmp", time.Now())
	err := errors.Join(s.inspect(patience.Context(t), r), r.Err())
	got := make(map[string]float64)
	for _, sample := range r.Samples() {
		if sample.Key != "snmp/walk_duration_seconds" {
			got[sample.Key+sample.Labels.String()] = sample.Value
		}
	}
	for _, secret := range []string{community, authPass, privPass, "wrong-horse"} {
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("a secret is told: %v", err)
		}
	}
	return got, err
}

// both runs a test with each version.
func both(t *testing.T, f func(t *testing.T, a *agent, how string)) {
	t.Run("2c", func(t *testing.T) { a := snmpd(t); f(t, a, a.v2()) })
	t.Run("3", func(t *testing.T) { a := snmpd(t); f(t, a, a.v3()) })
}

// The system and the interfaces of this machine are what its kernel says.
func TestSystemAndInterfaces(t *testing.T) {
	both(t, func(t *testing.T, a *agent, how string) {
		got, err := run(t, configured(t, a.dir, "here: { "+how+" }"))
		if err != nil {
			t.Fatal(err)
		}
		if got[`snmp/up{device="here"}`] != 1 || got[`snmp/info{description="a device of a test",device="here",name="test-device"}`] != 1 {
			t.Errorf("got %v", got)
		}
		if _, there := got[`snmp/uptime_seconds{device="here"}`]; !there {
			t.Errorf("no uptime in %v", got)
		}
		links, err := net.Interfaces()
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range links {
			labels := fmt.Sprintf(`{device="here",interface=%q}`, link.Name)
			up := map[bool]float64{true: 1}[link.Flags&net.FlagRunning != 0]
			if v, there := got["snmp/interface_up"+labels]; !there || link.Flags&net.FlagLoopback != 0 && v != up {
				t.Errorf("%s: up is %v (%v), want %v", link.Name, v, there, up)
			}
			for _, c := range counted {
				if _, there := got["snmp/"+c.name+labels]; !there {
					t.Errorf("%s has no %s", link.Name, c.name)
				}
			}
		}
	})
}

// Random tables come as they are, whatever the types of their columns.
func TestTablesBecomeSamples(t *testing.T) {
	both(t, func(t *testing.T, a *agent, how string) {
		seed := rand.Uint64()
		rng := rand.New(rand.NewPCG(seed, 0))
		objects, want := map[string]string{"1.0": "integer -7"}, map[string]float64{`snmp/up{device="d"}`: 1, `snmp/single{device="d"}`: -3.5}
		for range 1 + rng.IntN(60) { // more than one answer has
			index := fmt.Sprintf("%d.%d", 1+rng.IntN(1000), rng.IntN(5))
			name := fmt.Sprintf("row %s", index)
			objects["2.1."+index] = "string " + name
			for column, kind := range []string{"integer", "gauge", "string", "timeticks"} {
				id := fmt.Sprintf("2.%d.%s", column+2, index)
				key := fmt.Sprintf(`snmp/t_%s{device="d",index=%q,name=%q}`, kind, index, name)
				if rng.IntN(5) == 0 {
					delete(objects, id)
					delete(want, key)
					continue
				}
				v := rng.Int32()
				objects[id], want[key] = fmt.Sprintf("%s %d", kind, v), float64(v)
				if kind == "timeticks" {
					want[key] = float64(v) / 100
				}
			}
		}
		// No column is empty, so that the run has no fault.
		for column, kind := range []string{"integer", "gauge", "string", "timeticks"} {
			objects[fmt.Sprintf("2.%d.2000.0", column+2)] = kind + " 0"
			want[fmt.Sprintf(`snmp/t_%s{device="d",index="2000.0",name="last"}`, kind)] = 0
		}
		objects["2.1.2000.0"] = "string last"
		a.answers(t, objects)
		p := strings.TrimPrefix(private, ".")
		src := configured(t, a.dir, fmt.Sprintf("d: { %s, walk: [], values: [ { name: single, oid: %s.1.0, scale: 0.5 } ], tables: [ { name: t, index: index, "+
			"labels: { name: %s.2.1 }, values: [ { name: integer, oid: %s.2.2 }, { name: gauge, oid: %s.2.3 }, { name: string, oid: %s.2.4 }, "+
			"{ name: timeticks, oid: %s.2.5 } ] } ] }", how, p, p, p, p, p, p))
		got, err := run(t, src)
		if err != nil || !maps.Equal(got, want) {
			for key, v := range want {
				if g, there := got[key]; !there || g != v {
					t.Errorf("%s is %v (%v), want %v", key, g, there, v)
				}
			}
			t.Errorf("seed %d: %v; %d samples, want %d", seed, err, len(got), len(want))
		}
	})
}

// A counter of 32 bits grows on when it is full and when the device restarts, and is never
// more than what was counted.
func TestCountersGrowOn(t *testing.T) {
	a := snmpd(t)
	src := configured(t, a.dir, fmt.Sprintf("d: { %s, walk: [], values: [ { name: n_total, oid: %s.1.0 } ] }", a.v2(), private))
	now := time.Now()
	src.clock = func() time.Time { return now }
	read := func(value uint32, want float64) {
		t.Helper()
		a.answers(t, map[string]string{"1.0": fmt.Sprint("counter ", value)})
		r := inspectors.NewReport("snmp", time.Now())
		if err := src.inspect(patience.Context(t), r); err != nil {
			t.Fatal(err)
		}
		i := 0
		for r.Samples()[i].Key != "snmp/n_total" {
			i++
		}
		if s := r.Samples()[i]; s.Value != want || s.Kind != inspectors.Counter {
			t.Errorf("at %d it is %v, a %v; want %v", value, s.Value, s.Kind, want)
		}
	}
	read(4_294_967_000, 0)
	read(4_294_967_290, 290)
	read(4, 300) // it was full
	read(104, 400)
	read(54, 454) // set back
	a.stop()
	a.start(t)
	now = now.Add(time.Hour)
	read(60, 514) // restarted: it has counted 60 since
	read(61, 515)
}

// Random walks of a counter: the sum of what was counted is what is reported.
func TestGrowthIsWhatWasCounted(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	var c counters
	now, started := time.Now(), time.Now().Add(-time.Duration(rng.Int64N(int64(3*497*24*time.Hour))))
	ticks := func() uint32 { return uint32(uint64(now.Sub(started) / (10 * time.Millisecond))) }
	value, sum := rng.Uint32(), 0.0
	c.begin(ticks(), true, now)
	c.grown(value, "x")
	for i := range 5000 {
		now = now.Add(time.Minute + time.Duration(rng.Int64N(int64(time.Hour))))
		added := rng.Uint32N(turn/2 - 1)
		sum += float64(added)
		value += added
		if rng.IntN(10) == 0 {
			value, started = added, now.Add(-time.Duration(rng.Int64N(int64(30*time.Second))))
		}
		if rng.IntN(10) == 0 {
			c.begin(ticks(), true, now) // a run in which the counter is not read
		}
		c.begin(ticks(), true, now)
		if got := c.grown(value, "x"); got != sum {
			t.Fatalf("seed %d, step %d: %v, want %v", seed, i, got, sum)
		}
		c.end()
	}
	c.begin(ticks(), true, now)
	if c.end(); len(c.known) != 0 {
		t.Errorf("a counter that is gone is kept: %v", c.known)
	}
}

// Devices that do not answer, or answer no, are told of in words, with no secret, and keep
// no other one from being asked.
func TestFaultsOfDevices(t *testing.T) {
	a := snmpd(t)
	deaf, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	fast := strings.NewReplacer("timeout: 60s", "timeout: 1s, retries: 0")
	src := configured(t, a.dir,
		"good: { "+a.v3()+" }",
		"community: { "+strings.ReplaceAll(fast.Replace(a.v2()), "community_file: community", "community_file: wrong")+" }",
		"user: { "+strings.ReplaceAll(a.v3(), "user: vedette", "user: eve")+" }",
		"auth: { "+strings.ReplaceAll(a.v3(), "auth_file: auth", "auth_file: wrong")+" }",
		"sha: { "+strings.ReplaceAll(a.v3(), "user: vedette", "user: vedette, auth: sha512")+" }",
		"privacy: { "+strings.ReplaceAll(fast.Replace(a.v3()), "privacy_file: priv", "privacy_file: wrong")+" }",
		"deaf: { "+strings.ReplaceAll(fast.Replace(a.v3()), a.address, deaf.LocalAddr().String())+" }",
		"closed: { "+strings.ReplaceAll(a.v2(), a.address, freeport.UDP(t))+" }",
		"nowhere: { "+strings.ReplaceAll(a.v2(), a.address, "device.invalid")+" }",
		"file: { "+strings.ReplaceAll(a.v2(), "community_file: community", "community_file: nothing")+" }",
	)
	got, err := run(t, src)
	if err == nil || got[`snmp/up{device="good"}`] != 1 || got[`snmp/info{description="a device of a test",device="good",name="test-device"}`] != 1 {
		t.Fatalf("got %v, %v", got, err)
	}
	for name, want := range map[string]string{
		"community": "does not answer (asked 1 times, each with a timeout of 1s): it is away, a filter is in between, or the community is wrong",
		"user":      `it does not take the user "eve": the name is wrong`,
		"auth":      `or the passphrase that authenticates, or auth, which is sha256`,
		"sha":       `or auth, which is sha512`,
		"privacy":   "the passphrase that encrypts is wrong",
		"deaf":      "it does not answer (asked 1 times",
		"closed":    "nothing listens at 127.0.0.1:",
		"nowhere":   "cannot find its address",
		"file":      "no such file",
	} {
		if up, told := got[fmt.Sprintf(`snmp/up{device=%q}`, name)]; !told || up != 0 {
			t.Errorf("%s: up is %v, %v", name, up, told)
		}
		if !strings.Contains(err.Error(), fmt.Sprintf("cannot ask device %q: ", name)) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q of %s is not in\n%v", want, name, err)
		}
	}
}

// What a device does not have is told, what it has is reported, and tables are bounded.
func TestFaultsOfObjects(t *testing.T) {
	a := snmpd(t)
	objects := map[string]string{"1.0": "integer 7", "2.0": "string abc"}
	for i := range 40 {
		objects[fmt.Sprint("3.1.", i+1)] = "string abc"
	}
	a.answers(t, objects)
	p := strings.TrimPrefix(private, ".")
	src := configured(t, a.dir, strings.ReplaceAll("d: { "+a.v3()+", walk: [system], values: [ { name: a, oid: P.1.0 }, { name: b, oid: P.2.0 },"+
		" { name: c, oid: P.4.0 } ], tables: [ { name: t, values: [ { name: value, oid: P.3.1 }, { name: none, oid: P.3.2 } ] } ] }", "P", p))
	got, err := run(t, src)
	if got[`snmp/a{device="d"}`] != 7 || got[`snmp/up{device="d"}`] != 1 {
		t.Errorf("got %v", got)
	}
	for _, want := range []string{
		`cannot read value "b": the object ` + p + `.2.0 is "abc", which is not a number`, `cannot read value "c": it has no object ` + p + ".4.0",
		`cannot read table "t": the column ` + p + ".3.1 has no number", `cannot read table "t": it has no column ` + p + ".3.2",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
	src = configured(t, a.dir, strings.ReplaceAll("d: { "+a.v3()+", walk: [], max_rows: 39,"+
		" tables: [ { name: t, values: [ { name: value, oid: P.3.1 } ] } ] }", "P", p))
	if _, err := run(t, src); err == nil || !strings.Contains(err.Error(), "has more than 39 rows") {
		t.Errorf("a long table: %v", err)
	}
}

// A device that goes away and comes back, with another identity, is asked again.
func TestDeviceGoesAndComes(t *testing.T) {
	both(t, func(t *testing.T, a *agent, how string) {
		src := configured(t, a.dir, "d: { "+how+" }")
		for _, up := range []float64{1, 0, 1, 1} {
			if up == 0 {
				a.stop()
			}
			got, err := run(t, src)
			if got[`snmp/up{device="d"}`] != up || (err == nil) != (up == 1) {
				t.Fatalf("up is not %v: %v, %v", up, got, err)
			}
			if up == 0 {
				if err := errors.Join(os.RemoveAll(a.dir+"/state"), os.Mkdir(a.dir+"/state", 0o700)); err != nil {
					t.Fatal(err)
				}
				a.start(t)
			}
		}
		a.stop() // between two runs
		a.start(t)
		if got, err := run(t, src); err != nil || got[`snmp/up{device="d"}`] != 1 {
			t.Errorf("after a restart: %v, %v", got, err)
		}
	})
}

// An agent starts the plugin, and gets what the device has.
func TestAgentRunsIt(t *testing.T) {
	src := func() *source { a := snmpd(t); return configured(t, a.dir, "d: { "+a.v3()+" }") }()
	dir, err := os.MkdirTemp("", "vsnmp")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	pool := plugins.NewPool(plugins.PoolOptions{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	defer func() {
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := pool.Load(t.Context(), inspectors.Definition{
		Name: "snmp", Interval: 5 * time.Minute, Timeout: time.Minute, Plugin: &inspectors.Plugin{Path: os.Args[0], Args: []string{src.path}},
	}); err != nil {
		t.Fatal(err)
	}
	pool.Run(t.Context(), []plugins.Job{{Name: "snmp", Timeout: time.Minute}}, func(o plugins.Outcome) {
		values := make(map[string]float64)
		for _, sample := range o.Samples {
			values[sample.Key] = sample.Value
		}
		if o.Err != nil || values["snmp/up"] != 1 || values["snmp/info"] != 1 {
			t.Errorf("got %v, %v", values, o.Err)
		}
	})
}
