package script

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shirou/gopsutil/v3/common"
	"github.com/shirou/gopsutil/v3/cpu"
)

// attack is a script that changes something, and one that measures with it.
type attack struct {
	name, spoils, measures string
	want                   float64
}

const needsNet = "//vedette:needs net\n"

// attacks ignore the check: even code that it refuses must do no harm.
func attacks(server, spy string) []attack {
	return []attack{
		{"an encoding", `e := base64.StdEncoding
*e = *base64.NewEncoding("zyxwvutsrqponmlkjihgfedcbaZYXWVUTSRQPONMLKJIHGFEDCBA9876543210+/")
return 0, nil`, `return float64(strings.Count(base64.StdEncoding.EncodeToString([]byte("abc")), "YWJj")), nil`, 1},
		{"a table", `t := unicode.Digit
t.R16[0].Hi = 0x30
unicode.Categories["Nd"].R16[0].Lo = 0x39
return 0, nil`, `n := 0.0
for _, r := range "0123456789" {
	if unicode.Is(unicode.Digit, r) && unicode.Is(unicode.Categories["Nd"], r) {
		n++
	}
}
return n, nil`, 10},
		{"a map", `m := xml.HTMLEntity
m["amp"] = "evil"
delete(m, "lt")
return 0, nil`, `return float64(len(xml.HTMLEntity["amp"] + xml.HTMLEntity["lt"])), nil`, 2},
		{"an address", `z := net.IPv6loopback
z[15] = 9
return 0, nil`, `if net.ParseIP("::1").Equal(net.IPv6loopback) && net.IPv6loopback.IsLoopback() {
	return 1, nil
}
return 0, nil`, 1},
		{
			"a table of sums", `t := crc32.MakeTable(crc32.IEEE)
(*t)[0x61] = 9
c := crc32.MakeTable(crc32.Castagnoli)
*c = *t
return 0, nil`, `s := []byte("abc")
return float64(crc32.ChecksumIEEE(s)) + float64(crc32.Checksum(s, crc32.MakeTable(crc32.Castagnoli))) + float64(crc32.Update(0, crc32.IEEETable, s)), nil`,
			2*0x352441c2 + 0x364b3fb7,
		},
		{"the ciphers", `for _, s := range tls.CipherSuites() {
	s.SupportedVersions[0] = 9
}
return 0, nil`, `n := 0.0
for _, s := range tls.CipherSuites() {
	if s.SupportedVersions[0] == 9 {
		n++
	}
}
return n, nil`, 0},
		{"a resolver", needsNet + `r := net.DefaultResolver
r.PreferGo = true
r.Dial = func(ctx context.Context, network, address string) (net.Conn, error) { return nil, errors.New("evil") }
return 0, nil`, needsNet + `if net.DefaultResolver.Dial == nil && !net.DefaultResolver.PreferGo {
	return 1, nil
}
return 0, nil`, 1},
		{"the default client", fmt.Sprintf(needsNet+`evil, _ := url.Parse(%q)
t := http.DefaultTransport.(*http.Transport)
t.Proxy = http.ProxyURL(evil)
c := http.DefaultClient
c.Transport = t
return 0, nil`, spy), request("http.DefaultClient", server), 200},
		{"a client of one's own", fmt.Sprintf(needsNet+`evil, _ := url.Parse(%q)
http.DefaultTransport.(*http.Transport).Proxy = http.ProxyURL(evil)
return 0, nil`, spy), request("&http.Client{Timeout: time.Minute}", server), 200},
		{"a client that is new", fmt.Sprintf(needsNet+`evil, _ := url.Parse(%q)
http.DefaultTransport.(*http.Transport).Proxy = http.ProxyURL(evil)
return 0, nil`, spy), request("new(http.Client)", server), 200},
	}
}

// request is the body of a script that sends what others must not see.
func request(client, server string) string {
	return fmt.Sprintf(needsNet+`req, err := http.NewRequest("GET", %q, nil)
if err != nil {
	return 0, err
}
req.Header.Set("Authorization", "secret")
client := %s
resp, err := client.Do(req)
if err != nil {
	return 0, err
}
defer resp.Body.Close()
return float64(resp.StatusCode), nil`, server, client)
}

// TestScriptsShareNothing runs scripts that change everything they can reach, beside one
// that was loaded before and before one that is loaded later.
func TestScriptsShareNothing(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "secret" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer server.Close()
	var seen atomic.Int64
	spy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { seen.Add(1) }))
	defer spy.Close()
	for _, a := range attacks(server.URL, spy.URL) {
		t.Run(a.name, func(t *testing.T) {
			before := load(t, a.measures)
			if got := value(t, before); got != a.want {
				t.Fatalf("without any other script it is %v, want %v", got, a.want)
			}
			if _, err := inspect(load(t, a.spoils)); err != nil {
				t.Fatal(err)
			}
			if got := value(t, before); got != a.want {
				t.Errorf("the script that was loaded before measures %v, want %v", got, a.want)
			}
			if got := value(t, load(t, a.measures)); got != a.want {
				t.Errorf("a script that is loaded later measures %v, want %v", got, a.want)
			}
		})
	}
	if n := seen.Load(); n != 0 {
		t.Errorf("%d requests of other scripts went to the spy", n)
	}
}

// TestNobodyKeepsWhatIsLent has a script hold on to what the library lends it:
// the state of a print, and the buffers of a writer and a reader. The library
// uses them again for everybody.
func TestNobodyKeepsWhatIsLent(t *testing.T) {
	spy := load(t, `package x

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

type pen struct{}

var state fmt.State

func (pen) Format(s fmt.State, verb rune) { state = s; fmt.Fprint(s, "pen") }

type sink struct{}

var kept [][]byte

func (sink) Write(p []byte) (int, error) { kept = append(kept, p); return len(p), nil }

type source struct{}

func (source) Read(p []byte) (int, error) { kept = append(kept, p[:cap(p)]); return 0, io.EOF }

func Inspect() (float64, error) {
	found := 0.0
	for _, p := range kept {
		if bytes.Contains(p, []byte("secret")) {
			found++
		}
		for i := range p {
			p[i] = 'E'
		}
	}
	if state != nil {
		state.Write([]byte("evil"))
	}
	if s := fmt.Sprint(pen{}); s != "pen" {
		return 0, fmt.Errorf("it printed %q", s)
	}
	fmt.Fprintf(sink{}, "%s", "some text that is as long as what the other one prints")
	if err := json.NewEncoder(sink{}).Encode("some text that is as long as what the other one writes"); err != nil {
		return 0, err
	}
	if _, err := io.Copy(io.Discard, source{}); err != nil {
		return 0, err
	}
	return found, nil
}
`)
	victim := load(t, `package x

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

func Inspect() (float64, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "secret %d", 7)
	if err := json.NewEncoder(&b).Encode("secret"); err != nil {
		return 0, err
	}
	io.Copy(io.Discard, io.LimitReader(strings.NewReader("secret"), 6))
	if b.String() != "secret 7\"secret\"\n" || fmt.Sprint(1, 2) != "1 2" {
		return 0, fmt.Errorf("it printed %q", b.String())
	}
	return 1, nil
}
`)
	for range 50 {
		if got := value(t, spy); got != 0 {
			t.Fatalf("the spy finds %v times what the other one wrote", got)
		}
		value(t, victim)
	}
}

// TestLastCallIsOwn holds that cpu.Percent compares with the last call of the
// same script, and otherwise says what gopsutil says, of times that nobody chose.
func TestLastCallIsOwn(t *testing.T) {
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	dir := t.TempDir()
	ctx := context.WithValue(context.Background(), common.EnvKey, common.EnvMap{common.HostProcEnvKey: dir})
	var times [10]int
	tick := func() {
		text := ""
		for i := range times {
			if times[i] += random.IntN(500); random.IntN(20) == 0 {
				times[i] -= random.IntN(600) // a counter that steps back
			}
		}
		for _, name := range []string{"cpu ", "cpu0", "cpu1"} {
			text += name
			for _, n := range times {
				text += fmt.Sprint(" ", max(0, n))
			}
			text += "\n"
		}
		if err := os.WriteFile(filepath.Join(dir, "stat"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	one, other := newLastTimes(), newLastTimes()
	tick()
	for _, perCPU := range []bool{false, true} {
		mustPercent(t, one.percent, ctx, perCPU)
		mustPercent(t, cpu.PercentWithContext, ctx, perCPU)
	}
	for range 300 {
		tick()
		perCPU := random.IntN(2) == 0
		for range random.IntN(3) {
			mustPercent(t, other.percent, ctx, random.IntN(2) == 0)
		}
		got, want := mustPercent(t, one.percent, ctx, perCPU), mustPercent(t, cpu.PercentWithContext, ctx, perCPU)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("it is %v, gopsutil says %v; times %v", got, want, times)
		}
	}
}

func mustPercent(t *testing.T, percent func(context.Context, time.Duration, bool) ([]float64, error), ctx context.Context, perCPU bool) []float64 {
	t.Helper()
	shares, err := percent(ctx, 0, perCPU)
	if err != nil {
		t.Fatal(err)
	}
	return shares
}
