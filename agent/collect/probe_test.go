package collect

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
)

// value returns the value of a series of an outcome.
func value(t *testing.T, o plugins.Outcome, series string) float64 {
	t.Helper()
	s, ok := bySeries(o)[series]
	if !ok {
		t.Errorf("there is no %s: %v, %v", series, slices.Sorted(maps.Keys(bySeries(o))), o.Err)
	}
	return s.Value
}

func TestProbeHTTP(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/good", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "Welcome, "+r.Method) })
	mux.HandleFunc("/bad", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "Welcome", http.StatusTeapot) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	good, bad := server.URL+"/good", server.URL+"/bad"
	f := newFixture(t)
	c := inspectors.Collector{Kind: inspectors.ProbeHTTP, Targets: []string{good, bad, "http://127.0.0.1:1/"}}
	c.Params.Body = "^Welcome"
	f.mustLoad(collecting(t, "shop", c))
	o := f.run("shop", testTimeout)
	for series, want := range map[string]float64{
		`shop/up{target="` + good + `"}`: 1, `shop/status{target="` + good + `"}`: 200, `shop/body_bytes{target="` + good + `"}`: 12,
		`shop/up{target="` + bad + `"}`: 0, `shop/status{target="` + bad + `"}`: 418, `shop/up{target="http://127.0.0.1:1/"}`: 0,
	} {
		if got := value(t, o, series); got != want {
			t.Errorf("%s is %v, want %v", series, got, want)
		}
	}
	value(t, o, `shop/part_seconds{part="answer",target="`+good+`"}`)
	for _, want := range []string{"http " + bad + ": it answers 418 I'm a teapot", "http http://127.0.0.1:1/: ", "connection refused"} {
		if o.Err == nil || !strings.Contains(o.Err.Error(), want) {
			t.Errorf("the error %v does not say %q", o.Err, want)
		}
	}
	c.Targets, c.Params = []string{bad}, inspectors.Params{Status: []int{418}, Body: "nothing"}
	f.mustLoad(collecting(t, "shop", c))
	if o := f.run("shop", testTimeout); o.Err == nil || !strings.Contains(o.Err.Error(), `do not match "nothing"`) {
		t.Errorf("the error is %v", o.Err)
	}
}

// certified is a certificate and its authority, good from a time on until another.
func certified(t *testing.T, name string, from, until time.Time) (pair tls.Certificate, ca string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: from, NotAfter: until,
		IsCA: true, BasicConstraintsValid: true,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	ca = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}, ca
}

// How long a certificate is good is told of one that is trusted, and of one that is not:
// by a stranger, for another name, or at an end.
func TestProbeTLS(t *testing.T) {
	now := time.Now()
	for _, tt := range []struct {
		what, name string
		until      time.Duration
		fault      string
	}{
		{"unknown", "localhost", 48 * time.Hour, "unknown authority"},
		{"ended", "localhost", -time.Hour, "expired"},
		{"another name", "example.org", time.Hour, "not localhost"},
	} {
		pair, _ := certified(t, tt.name, now.Add(-100*time.Hour), now.Add(tt.until))
		listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}})
		if err != nil {
			t.Fatal(err)
		}
		go answerAll(listener, func(conn net.Conn) { _ = conn.(*tls.Conn).Handshake() })
		t.Cleanup(func() { listener.Close() })
		_, port, _ := net.SplitHostPort(listener.Addr().String())
		f := newFixture(t)
		f.mustLoad(collecting(t, "cert", inspectors.Collector{Kind: inspectors.ProbeTLS, Targets: []string{"localhost:" + port}}))
		o := f.run("cert", testTimeout)
		got := value(t, o, `cert/expires_in_seconds{target="localhost:`+port+`"}`)
		if want := tt.until.Seconds(); got < want-600 || got > want+1 {
			t.Errorf("%s: it is good for %v s, want %v", tt.what, got, want)
		}
		if o.Err == nil || !strings.Contains(o.Err.Error(), tt.fault) || value(t, o, `cert/up{target="localhost:`+port+`"}`) != 0 {
			t.Errorf("%s: %v, want %q", tt.what, o.Err, tt.fault)
		}
	}
}

// answerAll has each connection answered until the listener closes.
func answerAll(listener net.Listener, answer func(net.Conn)) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		answer(conn)
		conn.Close()
	}
}

func TestProbeTCP(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go answerAll(listener, func(conn net.Conn) {
		line, _ := bufio.NewReader(conn).ReadString('\n')
		fmt.Fprintf(conn, "+%s", strings.ToUpper(line))
	})
	at := listener.Addr().String()
	f := newFixture(t)
	c := inspectors.Collector{Kind: inspectors.ProbeTCP, Targets: []string{at, "127.0.0.1:1"}}
	c.Params = inspectors.Params{Send: "ping\r\n", Expect: `^\+PING`}
	f.mustLoad(collecting(t, "redis", c))
	o := f.run("redis", testTimeout)
	if value(t, o, `redis/up{target="`+at+`"}`) != 1 || value(t, o, `redis/up{target="127.0.0.1:1"}`) != 0 {
		t.Errorf("%v, %v", o.Samples, o.Err)
	}
	c.Targets, c.Params.Expect = []string{at}, "PONG"
	f.mustLoad(collecting(t, "redis", c))
	if o := f.run("redis", testTimeout); o.Err == nil || !strings.Contains(o.Err.Error(), `nothing that matches "PONG"`) {
		t.Errorf("the error is %v", o.Err)
	}
}

// nameServer answers each question for A with one address, and everything else with
// none; names that begin with "no" do not exist.
func nameServer(t *testing.T) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		buf := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			end := 12
			for buf[end] != 0 {
				end += int(buf[end]) + 1
			}
			end += 5
			answer := slices.Clone(buf[:end])
			binary.BigEndian.PutUint16(answer[2:], 0x8180)
			binary.BigEndian.PutUint16(answer[6:], 0)
			binary.BigEndian.PutUint16(answer[10:], 0)
			switch {
			case n > 15 && string(buf[13:15]) == "no":
				answer[3] |= 3
			case binary.BigEndian.Uint16(buf[end-4:]) == 1:
				binary.BigEndian.PutUint16(answer[6:], 1)
				answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1)
			}
			_, _ = conn.WriteTo(answer, from)
		}
	}()
	return conn.LocalAddr().String()
}

func TestProbeDNS(t *testing.T) {
	server := nameServer(t)
	f := newFixture(t)
	c := inspectors.Collector{Kind: inspectors.ProbeDNS, Targets: []string{"web.example", "nobody.example"}}
	c.Params = inspectors.Params{Server: server, Record: "A"}
	f.mustLoad(collecting(t, "names", c))
	o := f.run("names", testTimeout)
	if value(t, o, `names/up{target="web.example"}`) != 1 || value(t, o, `names/answers{target="web.example"}`) != 1 ||
		value(t, o, `names/up{target="nobody.example"}`) != 0 || !strings.Contains(fmt.Sprint(o.Err), "dns nobody.example: ") {
		t.Errorf("%v, %v", o.Samples, o.Err)
	}
	c.Params.Record = "AAAA"
	c.Targets = c.Targets[:1]
	f.mustLoad(collecting(t, "names", c))
	if o := f.run("names", testTimeout); o.Err == nil || value(t, o, `names/up{target="web.example"}`) != 0 {
		t.Errorf("a record that is not there: %v, %v", o.Samples, o.Err)
	}
}

func TestProbePing(t *testing.T) {
	if e, err := newEcho(netip.MustParseAddr("127.0.0.1")); err != nil {
		t.Skipf("this user may not ping: %v", err)
	} else {
		e.conn.Close()
	}
	f := newFixture(t)
	c := inspectors.Collector{Kind: inspectors.ProbePing, Targets: []string{"127.0.0.1", "::1"}, Params: inspectors.Params{Packets: 2}}
	f.mustLoad(collecting(t, "ping", c))
	o := f.run("ping", testTimeout)
	if value(t, o, `ping/up{target="127.0.0.1"}`) != 1 || value(t, o, `ping/lost_percent{target="127.0.0.1"}`) != 0 ||
		value(t, o, `ping/round_trip_seconds{of="mean",target="127.0.0.1"}`) <= 0 {
		t.Errorf("%v, %v", o.Samples, o.Err)
	}
}

// However many targets hang, each of the others is asked.
func TestProbesShareTheTime(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	good := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(good.Close)
	t.Cleanup(hanging.Close)
	t.Cleanup(func() { close(release) })
	var targets []string
	wells := 0
	for i := range 24 {
		if mathrand.IntN(3) == 0 {
			targets, wells = append(targets, fmt.Sprintf("%s/%d", good.URL, i)), wells+1
			continue
		}
		targets = append(targets, fmt.Sprintf("%s/%d", hanging.URL, i))
	}
	f := newFixture(t)
	f.mustLoad(collecting(t, "x", inspectors.Collector{Kind: inspectors.ProbeHTTP, Targets: targets}))
	o := f.run("x", 6*time.Second)
	up := 0
	for _, s := range o.Samples {
		if s.Key == "x/up" {
			up += int(s.Value)
		}
	}
	if up != wells || o.Err == nil || !strings.Contains(o.Err.Error(), "more of 24 targets") {
		t.Errorf("%d are well, want %d: %v", up, wells, o.Err)
	}
	if errors.Is(o.Err, plugins.ErrCrashed) {
		t.Error(o.Err)
	}
}

// Whatever stands in a configuration, the collector is made, or refused with a reason.
func TestProbesOfAnyParams(t *testing.T) {
	words := []string{"", "x", "(", "127.0.0.1", "example.org:443", "http://x/", ":0", "GET", "A", "é", "a:99999", "https://u:p@h/", "::1", "[::1]:80"}
	for range 3000 {
		word := func() string { return words[mathrand.IntN(len(words))] }
		c := inspectors.Collector{Kind: append(inspectors.Probes(), inspectors.CollectScrape, "other")[mathrand.IntN(7)]}
		for range mathrand.IntN(3) {
			c.Targets = append(c.Targets, word())
		}
		c.Params = inspectors.Params{Method: word(), Body: word(), Server: word(), Record: word(), Send: word(), Expect: word(), Packets: mathrand.IntN(30) - 4}
		if mathrand.IntN(2) == 0 {
			c.Params = inspectors.Params{}
		}
		d := inspectors.Definition{Name: "x", Interval: time.Second, Timeout: time.Second, Collector: &c}
		f := newFixture(t)
		invalid := d.Validate()
		if err := f.Load(t.Context(), d); (err == nil) != (invalid == nil) {
			t.Fatalf("%+v: %v, but its check says %v", c, err, invalid)
		}
		f.Close()
	}
}
