package gallery

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/script"
	"github.com/vedettehq/vedette/internal/patience"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Each template passes the check, and is documented: in a sentence, and in a section of
// docs/gallery.md that has every key in its source.
func TestTemplates(t *testing.T) {
	page, err := os.ReadFile("../../docs/gallery.md")
	if err != nil {
		t.Fatal(err)
	}
	all := All()
	if len(all) < 13 || all[0].Name != Blank {
		t.Fatalf("there are %d templates, and the first is %q", len(all), all[0].Name)
	}
	reported := regexp.MustCompile(`(?:r\.(?:Gauge|Counter)\(|number\(r, )"(\w+)"`)
	for _, template := range all {
		if err := script.Check(template.Name+".go", template.Source); err != nil {
			t.Error(err)
		}
		if len(template.About) < 20 || strings.Contains(template.About, "\n") {
			t.Errorf("%s is told of as %q", template.Name, template.About)
		}
		_, chapter, ok := strings.Cut(string(page), "\n## "+template.Name+"\n")
		if !ok {
			t.Errorf("docs/gallery.md has no chapter %q", template.Name)
			continue
		}
		chapter, _, _ = strings.Cut(chapter, "\n## ")
		for _, m := range reported.FindAllStringSubmatch(template.Source, -1) {
			if !strings.Contains(chapter, "`"+m[1]+"`") {
				t.Errorf("docs/gallery.md does not say what %s of %s is", m[1], template.Name)
			}
		}
	}
	if _, ok := Get("nothing"); ok {
		t.Error("Get has found nothing")
	}
}

// A template can be given any inspector's name.
func TestRename(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	names := []string{"go", "main", "func", "http", "1", "a/b", "é", "net", "inspectors", "A-b.c", "string", "error"}
	letters := []rune("abzAZ019_-.:/é ")
	for range 60 {
		var b strings.Builder
		for range 1 + r.IntN(12) {
			b.WriteRune(letters[r.IntN(len(letters))])
		}
		names = append(names, b.String())
	}
	all := All()
	for _, name := range names {
		if inspectors.ValidateKey(name) != nil {
			continue
		}
		template := all[r.IntN(len(all))]
		source := template.Rename(name)
		said, err := inspectors.ParseDirectives("x.go", source)
		if err != nil || said.Name != name {
			t.Fatalf("seed %d: %s as %q says that it is %q: %v", seed, template.Name, name, said.Name, err)
		}
		if err := script.Check("x.go", source); err != nil {
			t.Errorf("seed %d: %s as %q: %v", seed, template.Name, name, err)
		}
	}
}

// probe is a template under test.
type probe struct {
	t *testing.T
	p *script.Program
	n string
}

// load builds a template with some of its text replaced: an old text, the new one,
// and so on.
func load(t *testing.T, name string, exec inspectors.Executor, replaced ...string) *probe {
	t.Helper()
	template, ok := Get(name)
	if !ok {
		t.Fatalf("there is no template %q", name)
	}
	for i := 0; i < len(replaced); i += 2 {
		if !strings.Contains(template.Source, replaced[i]) {
			t.Fatalf("%s has no %q", name, replaced[i])
		}
	}
	source := strings.NewReplacer(replaced...).Replace(template.Source)
	s := inspectors.Script{File: name + ".go", Line: 1, Source: source}
	p, err := script.Options{Exec: exec}.Load(inspectors.Definition{Name: name, Interval: time.Minute, Timeout: patience.Limit, Script: &s})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return &probe{t, p, name}
}

// run runs the template once, and returns its values by series.
func (p *probe) run() (map[string]float64, error) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience.Limit)
	defer cancel()
	r := inspectors.NewReport(p.n, time.Now())
	err := errors.Join(p.p.Inspect(ctx, r), r.Err())
	values := make(map[string]float64)
	for _, s := range r.Samples() {
		values[strings.TrimPrefix(s.Key, p.n+"/")+s.Labels.String()] = s.Value
	}
	return values, err
}

// good is run for a probe that must succeed.
func (p *probe) good() map[string]float64 {
	p.t.Helper()
	values, err := p.run()
	if err != nil {
		p.t.Fatal(err)
	}
	return values
}

// is fails if a value is wrong.
func is(t *testing.T, values map[string]float64, series string, want float64) {
	t.Helper()
	if got, ok := values[series]; !ok || math.Abs(got-want) > 1e-9 {
		t.Errorf("%s is %v (%v), want %v, of %v", series, got, ok, want, values)
	}
}

// between fails if a value is out of bounds.
func between(t *testing.T, values map[string]float64, series string, least, most float64) {
	t.Helper()
	if got, ok := values[series]; !ok || got < least || got > most {
		t.Errorf("%s is %v (%v), want %v to %v, of %v", series, got, ok, least, most, values)
	}
}

func TestBlank(t *testing.T) {
	between(t, load(t, Blank, nil).good(), "threads", 1, 1e6)
}

func TestCertificate(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of aborted handshakes
	server.StartTLS()
	defer server.Close()
	address := server.Listener.Addr().String()
	label := `{target="` + address + `"}`
	values := load(t, "certificate", nil, "localhost:443", address).good()
	left := time.Until(server.Certificate().NotAfter).Seconds()
	between(t, values, "left_seconds"+label, left-600, left+600)
	is(t, values, "matches_name"+label, 1)

	// A certificate for another name is measured all the same, even if another server is
	// down.
	_, port, _ := net.SplitHostPort(address)
	values, err := load(t, "certificate", nil, `"localhost:443"`, `"127.0.0.1:1", "localhost:`+port+`"`, "net:localhost:443", "net:localhost:*").run()
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1: ") {
		t.Errorf("got the error %v", err)
	}
	is(t, values, `matches_name{target="localhost:`+port+`"}`, 0)
}

func TestHTTP(t *testing.T) {
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, "all is well")
	}))
	defer server.Close()
	url := server.URL + "/health"
	label := `{url="` + url + `"}`
	p := load(t, "http", nil, "http://127.0.0.1:8080/health", url, "127.0.0.1:8080", strings.TrimPrefix(server.URL, "http://"), `wanted = ""`, `wanted = "well"`)
	values := p.good()
	is(t, values, "up"+label, 1)
	is(t, values, "status"+label, 200)
	between(t, values, "answer_seconds"+label, 1e-9, patience.Limit.Seconds())
	status = http.StatusServiceUnavailable
	values, err := p.run()
	if err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("got the error %v", err)
	}
	is(t, values, "up"+label, 0)
	is(t, values, "status"+label, 503)
	p = load(t, "http", nil, "http://127.0.0.1:8080/health", url, "127.0.0.1:8080", strings.TrimPrefix(server.URL, "http://"), `wanted = ""`, `wanted = "nowhere"`)
	status = http.StatusOK
	if values, err = p.run(); err == nil || values["up"+label] != 0 {
		t.Errorf("an answer without the wanted text is taken as good: %v", values)
	}
}

// The files are recorded output of systemd 252, where a oneshot service and an instance of
// a template have failed: one of the probe's own command, one without --plain, where each
// line has a mark, as in older versions.
func TestSystemd(t *testing.T) {
	for _, file := range []string{"systemctl.txt", "systemctl-marked.txt"} {
		exec := func(_ context.Context, path string, args []string) ([]byte, error) {
			if path != "/usr/bin/systemctl" || args[0] != "list-units" {
				return nil, fmt.Errorf("asked to run %s %q", path, args)
			}
			return os.ReadFile(filepath.Join("testdata", file))
		}
		values := load(t, "systemd", exec).good()
		is(t, values, "failed_units", 2)
		is(t, values, `unit_failed{unit="nginx.service"}`, 1)
		is(t, values, `unit_failed{unit="backup@db\\x5cx2d1.service"}`, 1) // labels escape the backslash
	}
}

func TestLogErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "syslog")
	write := func(flags int, text string) {
		t.Helper()
		f, err := os.OpenFile(file, flags|os.O_CREATE|os.O_WRONLY, 0o644)
		if err == nil {
			_, err = f.WriteString(text)
		}
		if err = errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	write(0, "an error from before\n")
	p := load(t, "log-errors", nil, "/var/log/syslog", file, "fs:/var/log", "fs:"+filepath.Dir(file))
	is(t, p.good(), "lines_total", 0)
	write(os.O_APPEND, "all is well\nERROR: disk\nterror is no error word, mirrors neither\nan err")
	values := p.good()
	is(t, values, "lines_total", 3)
	is(t, values, "errors_total", 2)
	is(t, values, "behind_bytes", 0)
	write(os.O_APPEND, "or at last\n")
	is(t, p.good(), "errors_total", 3) // of a line that was written in two parts
	if err := os.Rename(file, file+".1"); err != nil {
		t.Fatal(err)
	}
	write(0, "panic: after the rotation, in a file that is longer than the one before was, so that only its identity tells\nand on and on and on\n")
	values = p.good()
	is(t, values, "errors_total", 4)
	write(os.O_TRUNC, "fatal\n")
	is(t, p.good(), "errors_total", 5)
}

func TestTopProcesses(t *testing.T) {
	p := load(t, "top", nil)
	values := p.good()
	if len(values) == 0 || len(values) > 5 {
		t.Errorf("the first run yields %v", values)
	}
	values = p.good()
	cpu, processes := 0, 0
	for series, v := range values {
		switch {
		case v < 0:
			t.Errorf("%s is %v", series, v)
		case strings.HasPrefix(series, "cpu_percent{"):
			cpu++
		case strings.HasPrefix(series, "processes{"):
			processes++
		}
	}
	if cpu == 0 || cpu > 5 || processes != cpu {
		t.Errorf("the second run yields %v", values)
	}
}

func TestFileAge(t *testing.T) {
	folder := t.TempDir()
	for name, age := range map[string]time.Duration{"old.gz": 48 * time.Hour, "new.gz": 2 * time.Hour, "other": time.Minute} {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(-age)
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
	}
	values := load(t, "file-age", nil, "/var/backups", folder, `"*"`, `"*.gz"`).good()
	is(t, values, "files", 2)
	is(t, values, "newest_bytes", 6)
	between(t, values, "newest_age_seconds", 7200, 7200+patience.Limit.Seconds())
	if _, err := load(t, "file-age", nil, "/var/backups", folder, `"*"`, `"*.zip"`).run(); err == nil {
		t.Error("a folder without such a file is no error")
	}
}

// A time server that is wrong by a minute.
func TestNTP(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	defer func() { _ = conn.Close(); <-done }()
	stratum := byte(2)
	go func() {
		defer close(done)
		packet := make([]byte, 48)
		for {
			n, from, err := conn.ReadFrom(packet)
			if err != nil || n != 48 {
				return
			}
			now := time.Now().Add(time.Minute)
			copy(packet[24:32], packet[40:48])
			packet[0], packet[1] = 4<<3|4, stratum
			for _, at := range []int{32, 40} {
				binary.BigEndian.PutUint32(packet[at:], uint32(now.Unix()+2208988800))
				binary.BigEndian.PutUint32(packet[at+4:], uint32(uint64(now.Nanosecond())<<32/1e9))
			}
			if _, err := conn.WriteTo(packet, from); err != nil {
				return
			}
		}
	}()
	p := load(t, "ntp", nil, "pool.ntp.org:123", conn.LocalAddr().String())
	values := p.good()
	trip := values["round_trip_seconds"]
	between(t, values, "offset_seconds", 60-trip/2-0.001, 60+trip/2+0.001)
	is(t, values, "stratum", 2)
}

func TestTextfile(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("backup.prom", "# TYPE backup_bytes gauge\nbackup_bytes{db=\"main\"} 7e9\n")
	write("cron.prom", "# TYPE runs counter\nruns 3\n")
	write("half.prom.tmp", "half")
	p := load(t, "textfile", nil, "/var/lib/prometheus/node-exporter", folder)
	values := p.good()
	is(t, values, `backup_bytes{db="main"}`, 7e9)
	is(t, values, "runs", 3)
	is(t, values, "files", 2)
	is(t, values, `file_read{file="cron.prom"}`, 1)
	between(t, values, `file_age_seconds{file="cron.prom"}`, 0, patience.Limit.Seconds())
	write("bad.prom", "fine 1\nnot fine\n")
	values, err := p.run()
	if err == nil || !strings.Contains(err.Error(), `bad.prom: cannot read metrics: line 2: "fine" is not a number`) {
		t.Errorf("got the error %v", err)
	}
	is(t, values, `file_read{file="bad.prom"}`, 0)
	is(t, values, "runs", 3)
	if _, given := values["fine"]; given {
		t.Error("a file that cannot be read yields a part of it")
	}
	if _, err := load(t, "textfile", nil, "/var/lib/prometheus/node-exporter", filepath.Join(folder, "nowhere")).run(); err == nil {
		t.Error("a folder that is not there is no error")
	}
}

func TestOpenFiles(t *testing.T) {
	values := load(t, "open-files", nil).good()
	between(t, values, "open", 1, 1e9)
	between(t, values, `sockets{kind="sockets"}`, 0, 1e9)
	if values["limit"] < values["open"] {
		t.Errorf("more files are open than may be: %v", values)
	}
}

// testdata/mdstat.txt is written after the documentation of the kernel, not recorded.
func TestRaid(t *testing.T) {
	pools := t.TempDir()
	for pool, state := range map[string]string{"tank": "ONLINE\n", "cold": "DEGRADED\n"} {
		if err := os.Mkdir(filepath.Join(pools, pool), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(pools, pool, "state"), []byte(state), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	fixture, err := filepath.Abs("testdata/mdstat.txt")
	if err != nil {
		t.Fatal(err)
	}
	values := load(t, "raid", nil, "/proc/mdstat", fixture, "/proc/spl/kstat/zfs", pools,
		"//vedette:interval 1m", "//vedette:interval 1m\n//vedette:needs fs:"+fixture+" fs:"+pools).good()
	is(t, values, `missing_disks{array="md0"}`, 0)
	is(t, values, `missing_disks{array="md1"}`, 1)
	is(t, values, `failed_disks{array="md1"}`, 1)
	is(t, values, `rebuilt_percent{array="md1"}`, 12.6)
	is(t, values, `active{array="md127"}`, 0)
	is(t, values, `pool_online{pool="tank"}`, 1)
	is(t, values, `pool_online{pool="cold"}`, 0)
	load(t, "raid", nil).good() // a system that may have neither
}

func TestDirectory(t *testing.T) {
	folder := t.TempDir()
	size := 0
	for i := range 7 {
		file := filepath.Join(folder, strconv.Itoa(i%2), strconv.Itoa(i))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, make([]byte, i*100), 0o644); err != nil {
			t.Fatal(err)
		}
		size += i * 100
		at := time.Now().Add(-time.Duration(i) * time.Hour)
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
	}
	values := load(t, "directory", nil, "/var/log", folder).good()
	is(t, values, "files", 7)
	is(t, values, "size_bytes", float64(size))
	is(t, values, "unread_folders", 0)
	between(t, values, "oldest_age_seconds", 6*3600, 6*3600+patience.Limit.Seconds())
	if _, err := load(t, "directory", nil, "/var/log", filepath.Join(folder, "nowhere")).run(); err == nil {
		t.Error("a folder that is not there is no error")
	}
}

func TestPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	p := load(t, "port", nil, "127.0.0.1:22", address)
	values := p.good()
	is(t, values, `up{target="`+address+`"}`, 1)
	between(t, values, `connect_seconds{target="`+address+`"}`, 1e-9, patience.Limit.Seconds())
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	values = p.good()
	is(t, values, `up{target="`+address+`"}`, 0)
	if len(values) != 1 {
		t.Errorf("a port that is closed yields %v", values)
	}
}
