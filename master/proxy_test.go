package master

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/freeport"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// site is nginx's configuration of docs/proxy.md.
func site(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/proxy.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := bytes.Cut(text, []byte("```nginx\n"))
	code, _, closed := bytes.Cut(text, []byte("```\n"))
	if !found || !closed {
		t.Fatal("docs/proxy.md has no configuration of nginx")
	}
	return string(code)
}

// nginx is a proxy in front of a master.
type nginx struct {
	url    string
	client *http.Client
	pool   *x509.CertPool
}

// startNginx runs Debian's nginx with a site, whose names are those of the documentation,
// in front of a master.
func startNginx(t *testing.T, m *Master, site string) *nginx {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		if program, err = exec.LookPath("/usr/sbin/nginx"); err != nil {
			t.Skip("SKIPPED: there is no nginx here; on Debian: apt-get install nginx-light")
		}
	}
	cert, pool := selfSigned(t)
	address, dir := freeport.Address(t), t.TempDir()
	for _, change := range [][2]string{
		{"listen 443 ssl", "listen " + address + " ssl"},
		{"vedette.example.org", "127.0.0.1"},
		{"/etc/ssl/vedette.pem", cert.Cert},
		{"/etc/ssl/vedette.key", cert.Key},
		{"http://127.0.0.1:50505", m.URL()},
	} {
		if !strings.Contains(site, change[0]) {
			t.Fatalf("the configuration has no %q:\n%s", change[0], site)
		}
		site = strings.ReplaceAll(site, change[0], change[1])
	}
	user := ""
	if os.Getuid() == 0 {
		user = "user root;"
	}
	text := fmt.Sprintf("%s daemon off; pid %s/pid; error_log stderr; events {}\nhttp { access_log off;\n", user, dir)
	for _, temporary := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		text += fmt.Sprintf("%s_temp_path %s/%[1]s;\n", temporary, dir)
	}
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(text+site+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(program, "-t", "-c", file, "-p", dir).CombinedOutput(); err != nil {
		t.Fatalf("nginx does not take its configuration: %v\n%s\n%s", err, out, site)
	}
	var output bytes.Buffer
	cmd := exec.Command(program, "-c", file, "-p", dir)
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	n := &nginx{url: "https://" + address, pool: pool}
	n.client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: pool}}}
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt) //nolint:errcheck // Wait tells
		cmd.Wait()                       //nolint:errcheck // it was interrupted
		if t.Failed() {
			t.Logf("nginx says:\n%s", &output)
		}
	})
	patience.Until(t, "nginx to listen", func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return n
}

func (n *nginx) dial(t *testing.T, token, origin string) (*rpc.Peer, error) {
	t.Helper()
	header := bearer(token)
	if origin != "" {
		header.Set("Origin", origin)
	}
	return rpc.Dial(t.Context(), n.url, rpc.DialOptions{Header: header, TLS: &tls.Config{RootCAs: n.pool}})
}

// send sends a request of a page of this origin.
func (n *nginx) send(t *testing.T, method, path, origin string, body io.Reader) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, n.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = bearer("ops")
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	resp, err := n.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func behindProxy() config.Master {
	return config.Master{Tokens: []config.Token{token("web-1", "agent", "web-1"), token("ops", "operator", "")}}
}

// All of a master works behind nginx as docs/proxy.md sets it up: the page, its
// WebSocket, agents, queries, and programs of plugins.
func TestBehindNginx(t *testing.T) {
	m := start(t, behindProxy())
	n := startNginx(t, m, site(t))
	if status, text := n.send(t, http.MethodGet, "/", "", nil); status != http.StatusOK || text != "app" {
		t.Errorf("the page: %d %s", status, text)
	}
	page, err := n.dial(t, "ops", n.url)
	if err != nil {
		t.Fatal(err)
	}
	defer page.Wait()
	defer page.Close(rpc.CloseNormal, "")
	agent, err := n.dial(t, "web-1", "")
	if err != nil {
		t.Fatal(err)
	}
	defer agent.Wait()
	defer agent.Close(rpc.CloseNormal, "")
	call[wire.HelloResult](t, agent, wire.MasterHello.Name, hello("web-1"))
	if hosts := call[wire.HostsResult](t, page, wire.HostsList.Name, nil).Hosts; len(hosts) != 1 || hosts[0].Host != "web-1" {
		t.Errorf("the page sees %+v", hosts)
	}
	if status, text := n.send(t, http.MethodPost, "/api/v1/query?query=1", n.url, nil); status != http.StatusOK {
		t.Errorf("a query: %d %s", status, text)
	}
	program := bytes.Repeat([]byte("program "), 1<<20)
	sum := sha256.Sum256(program)
	path := wire.ArtefactPath + hex.EncodeToString(sum[:])
	if status, text := n.send(t, http.MethodPut, path, "", bytes.NewReader(program)); status != http.StatusCreated {
		t.Errorf("a program of %d bytes: %d %s", len(program), status, text)
	}
	if status, text := n.send(t, http.MethodGet, path, "", nil); status != http.StatusOK || text != string(program) {
		t.Errorf("the program: %d, %d bytes", status, len(text))
	}
}

// A fault in a proxy's configuration is named, with both hosts if it is the Host.
func TestBehindNginxThatIsWrong(t *testing.T) {
	m := start(t, behindProxy())
	without := func(directive string) string {
		lines := regexp.MustCompile(`(?m)^.*\b`+directive+`\b.*\n`).ReplaceAllString(site(t), "")
		if lines == site(t) {
			t.Fatalf("the configuration has no %s", directive)
		}
		return lines
	}
	for name, c := range map[string]struct {
		site   string
		host   func(n *nginx) string // that the master sees
		status int
	}{
		"host":      {strings.ReplaceAll(site(t), "$http_host", "$host"), func(*nginx) string { return "127.0.0.1" }, 403},
		"no Host":   {without("Host"), func(*nginx) string { return strings.TrimPrefix(m.URL(), "http://") }, 403},
		"a foreign": {strings.ReplaceAll(site(t), "$http_host", "inner.example:1"), func(*nginx) string { return "inner.example:1" }, 403},
		"no Upgrade": {
			strings.ReplaceAll(without("Upgrade"), "Connection $vedette_connection", `Connection ""`), nil, 426,
		},
		"HTTP/1.0": {strings.ReplaceAll(without("Upgrade"), "proxy_http_version 1.1;", ""), nil, 426},
	} {
		t.Run(name, func(t *testing.T) {
			n := startNginx(t, m, c.site)
			_, err := n.dial(t, "ops", n.url)
			var refusal *rpc.HTTPError
			if !errors.As(err, &refusal) || refusal.Status != c.status {
				t.Fatalf("got %v, want %d", err, c.status)
			}
			want := []string{"docs/proxy.md"}
			if c.host != nil {
				want = append(want, "Pages of "+n.url+" may not connect to "+c.host(n)+".", "it must hand on "+strings.TrimPrefix(n.url, "https://"))
			}
			texts := []string{refusal.Body}
			if c.host != nil {
				status, text := n.send(t, http.MethodPost, "/api/v1/query?query=1", n.url, nil)
				if status != c.status {
					t.Errorf("a query: %d", status)
				}
				texts = append(texts, text)
			}
			for _, text := range texts {
				for _, w := range want {
					if !strings.Contains(text, w) {
						t.Errorf("%q does not have %q", text, w)
					}
				}
			}
		})
	}
}

// A page may ask the host that it is of and no other, and who is refused is told
// which two do not agree.
func TestOriginsAndHosts(t *testing.T) {
	m := start(t, behindProxy())
	random := rand.New(rand.NewPCG(5, uint64(time.Now().UnixNano())))
	names := []string{"a.example", "b.example", "A.EXAMPLE", "127.0.0.1", "[::1]", "localhost"}
	ports := []string{"", ":443", ":8443", ":80"}
	pick := func() string { return names[random.IntN(len(names))] + ports[random.IntN(len(ports))] }
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for range 60 {
		host, origin := pick(), pick()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, m.URL()+"/api/v1/query?query=1", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = bearer("ops")
		r.Host = host
		r.Header.Set("Origin", "https://"+origin)
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		same := strings.EqualFold(host, origin)
		if same != (resp.StatusCode == http.StatusOK) || !same &&
			(resp.StatusCode != http.StatusForbidden || !strings.Contains(string(text), host) || !strings.Contains(string(text), origin)) {
			t.Fatalf("host %s, origin %s: %d %s", host, origin, resp.StatusCode, text)
		}
	}
}

// A method that a path does not know is 405 and says which it knows, wherever the
// path is; a path that is not there is no page.
func TestWrongMethodsAndPaths(t *testing.T) {
	m := start(t, config.Master{Static: map[string]string{"/master/app": t.TempDir()}})
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for path, known := range map[string]string{
		"/metrics": "GET", "/-/healthy": "GET", "/-/ready": "GET", "/rpc": "GET", "/master/app/x": "GET",
		wire.ArtefactPath + strings.Repeat("0", 64): "GET PUT",
		"/api/v1/query": "GET POST", "/api/v1/query_range": "GET POST", "/api/v1/series": "GET POST", "/api/v1/labels": "GET POST",
		"/api/v1/label/host/values": "GET", "/api/v1/metadata": "GET", "/api/v1/status/buildinfo": "GET", "/api/v1/rules": "GET", "/api/v1/write": "POST",
	} {
		for _, method := range []string{"GET", "POST", "PUT", "DELETE", "PATCH", "PROPFIND"} {
			if strings.Contains(known, method) {
				continue
			}
			r, err := http.NewRequestWithContext(t.Context(), method, m.URL()+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("Allow") == "" {
				t.Errorf("%s %s: %d, Allow %q", method, path, resp.StatusCode, resp.Header.Get("Allow"))
			}
		}
	}
}
