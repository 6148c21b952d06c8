package serve

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/agent/member"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/freeport"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// streamModule is the file of Debian's package libnginx-mod-stream.
const streamModule = "/usr/lib/nginx/modules/ngx_stream_module.so"

// nginxOf returns the nth configuration of nginx in docs/proxy.md, with replacements. Each
// replacement must match.
func nginxOf(t *testing.T, nth int, changes ...[2]string) string {
	t.Helper()
	text, err := os.ReadFile("../../../docs/proxy.md")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(text), "```nginx\n")
	if len(parts) <= nth {
		t.Fatalf("docs/proxy.md has %d configurations of nginx", len(parts)-1)
	}
	code, _, _ := strings.Cut(parts[nth], "```\n")
	for _, change := range changes {
		if !strings.Contains(code, change[0]) {
			t.Fatalf("the configuration has no %q:\n%s", change[0], code)
		}
		code = strings.ReplaceAll(code, change[0], change[1])
	}
	return code
}

// startNginx runs Debian's nginx with a configuration and modules, if possible as another
// user than the master's, and waits until it listens.
func startNginx(t *testing.T, address, configuration string, modules ...string) {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		program = "/usr/sbin/nginx"
	}
	if _, err := os.Stat(program); err != nil {
		t.Skip("SKIPPED: there is no nginx here; on Debian: apt-get install nginx-light")
	}
	dir, user := t.TempDir(), ""
	if os.Getuid() == 0 {
		user = "user nobody nogroup;\n"
	}
	load := ""
	for _, module := range modules {
		load += "load_module " + module + ";\n"
	}
	text := load + fmt.Sprintf("%sdaemon off; pid %s/pid; error_log stderr; events {}\n%s", user, dir, configuration)
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(program, "-t", "-c", file, "-p", dir).CombinedOutput(); err != nil {
		t.Fatalf("nginx does not take its configuration: %v\n%s\n%s", err, out, text)
	}
	var output bytes.Buffer
	cmd := exec.Command(program, "-c", file, "-p", dir)
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt) //nolint:errcheck // Wait reports it
		cmd.Wait()                       //nolint:errcheck // the test has interrupted it
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
}

// operatorOf makes a token for an operator on a master.
func (m *mesh) operatorOf(t *testing.T) http.Header {
	t.Helper()
	made, err := wire.TokensCreate.Call(patience.Context(t), m.own, wire.TokenParams{Name: "ops", Role: "operator"})
	if err != nil {
		t.Fatal(err)
	}
	return http.Header{"Authorization": {"Bearer " + made.Token}}
}

// sees returns the hosts that a connection may see.
func sees(t *testing.T, address string, o rpc.DialOptions) ([]string, error) {
	t.Helper()
	peer, err := rpc.Dial(patience.Context(t), address, o)
	if err != nil {
		return nil, err
	}
	defer peer.Wait()
	defer peer.Close(rpc.CloseNormal, "")
	result, err := wire.HostsList.Call(patience.Context(t), peer, wire.HostsParams{})
	var names []string
	for _, h := range result.Hosts {
		names = append(names, h.Host)
	}
	return names, err
}

// Joined hosts bypass a proxy that ends TLS for browsers, as docs/proxy.md describes it.
// Without a credential, a request through the proxy has no rights, whatever host it names.
func TestHostsGoPastTheProxy(t *testing.T) {
	m := startMesh(t, config.Master{})
	operator := m.operatorOf(t)
	site := httptest.NewUnstartedServer(nil) // its certificate is the site's
	site.StartTLS()
	defer site.Close()
	pair, dir := site.TLS.Certificates[0], t.TempDir()
	private, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, key := filepath.Join(dir, "site.pem"), filepath.Join(dir, "site.key")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, key: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	address := freeport.Address(t)
	startNginx(t, address, "http { access_log off;\n"+nginxOf(t, 1,
		[2]string{"listen 443 ssl", "listen " + address + " ssl"}, [2]string{"vedette.example.org", "127.0.0.1"},
		[2]string{"/etc/ssl/vedette.pem", cert}, [2]string{"/etc/ssl/vedette.key", key},
		[2]string{"http://127.0.0.1:50505", m.URL()},
	)+"}\n")
	known := m.join(t, m.token(t, wire.JoinTokenParams{}), "web-1")
	m.connect(t, known)
	pool := x509.NewCertPool()
	pool.AddCert(site.Certificate())
	browser := rpc.DialOptions{TLS: &tls.Config{RootCAs: pool, ServerName: "example.com"}, Header: operator.Clone()}
	browser.Header.Set("Origin", "https://"+address)
	if hosts, err := sees(t, "https://"+address, browser); err != nil || len(hosts) != 1 || hosts[0] != "web-1" {
		t.Errorf("a page behind the proxy sees %v, %v", hosts, err)
	}
	through := member.Options{Master: "https://" + address, Token: m.token(t, wire.JoinTokenParams{}), Host: "web-2", Data: dir}
	if _, _, err := member.Join(patience.Context(t), through); err == nil {
		t.Error("a host joins through a proxy that ends TLS")
	}
	if os.Getuid() != 0 {
		t.Skip("SKIPPED: only root can run the proxy as another user")
	}
	for _, host := range []string{address, "127.0.0.1", "localhost", strings.TrimPrefix(m.URL(), "https://")} {
		conn, err := tls.Dial("tcp", address, &tls.Config{RootCAs: pool, ServerName: "example.com"})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "GET /api/v1/query?query=1 HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host)
		answer, err := io.ReadAll(conn)
		conn.Close()
		if err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 401 ")) && !bytes.HasPrefix(answer, []byte("HTTP/1.1 403 ")) {
			t.Errorf("without a credential, for the host %s: %v, %.300s", host, err, answer)
		}
	}
}

// If a proxy passes connections on by the server name in them, as docs/proxy.md describes
// it, hosts join and report through it with their certificates, and browsers use the same
// way. Connections for other names go elsewhere.
func TestHostsGoThroughTheProxy(t *testing.T) {
	if _, err := os.Stat(streamModule); err != nil {
		t.Skip("SKIPPED: nginx has no module for streams here; on Debian: apt-get install libnginx-mod-stream")
	}
	m := startMesh(t, config.Master{})
	operator := m.operatorOf(t)
	other := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "another site") }))
	defer other.Close()
	address := freeport.Address(t)
	_, port, _ := net.SplitHostPort(address)
	startNginx(t, address, nginxOf(t, 2,
		[2]string{"listen 443;", "listen " + address + ";"}, [2]string{"vedette.example.org", "localhost"},
		[2]string{"127.0.0.1:50505", strings.TrimPrefix(m.URL(), "https://")}, [2]string{"127.0.0.1:8443", strings.TrimPrefix(other.URL, "https://")},
	), streamModule)
	through := "https://localhost:" + port
	known, _, err := member.Join(patience.Context(t), member.Options{Master: through, Token: m.token(t, wire.JoinTokenParams{}), Host: "web-1", Data: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	agent, err := rpc.Dial(patience.Context(t), through, rpc.DialOptions{TLS: known.TLS(through)})
	if err != nil {
		t.Fatal(err)
	}
	defer agent.Wait()
	defer agent.Close(rpc.CloseNormal, "")
	if err := sayHello(t, agent, "web-2"); err == nil {
		t.Error("a host reports under the name of another")
	}
	if err := sayHello(t, agent, "web-1"); err != nil {
		t.Fatal(err)
	}
	authority := x509.NewCertPool()
	text, err := os.ReadFile(m.AuthorityFile())
	if err != nil {
		t.Fatal(err)
	}
	authority.AppendCertsFromPEM(text)
	operator.Set("Origin", through)
	secure := &tls.Config{RootCAs: authority}
	if hosts, err := sees(t, through, rpc.DialOptions{TLS: secure, Header: operator}); err != nil || len(hosts) != 1 || hosts[0] != "web-1" {
		t.Errorf("a page sees %v, %v", hosts, err)
	}
	if os.Getuid() == 0 { // otherwise the proxy runs as the master's user, who may do everything
		if hosts, err := sees(t, through, rpc.DialOptions{TLS: secure}); err == nil {
			t.Errorf("somebody without a credential sees %v", hosts)
		}
	}
	if _, err := wire.HostsRevoke.Call(patience.Context(t), m.own, wire.MemberParams{Host: "web-1"}); err != nil {
		t.Fatal(err)
	}
	patience.Closed(t, "the host that is revoked to be cut off", agent.Done())
	client := other.Client()
	client.Transport.(*http.Transport).DialTLSContext = nil
	client.Transport.(*http.Transport).TLSClientConfig.ServerName = "example.com"
	resp, err := client.Get("https://" + address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); err != nil || string(text) != "another site" {
		t.Errorf("another name leads to %q, %v", text, err)
	}
}
