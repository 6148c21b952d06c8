package access

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/rpc/wire"
)

// browserWithin is how long somebody may take in the browser: what the master allows at
// the provider and on its page, and a little more.
const browserWithin = 16 * time.Minute

// byProvider has somebody log in at the provider, in a browser that comes back to a port
// of loopback with a code (RFC 8252). The code is good only with a secret that never
// leaves this process, so nobody else on this machine can use it.
func (l *login) byProvider(cmd *cobra.Command, length time.Duration, x *remote.Context) error {
	var ways wire.LoginWays
	if err := askHTTP(cmd.Context(), &l.Client, http.MethodGet, wire.LoginPath, nil, &ways); err != nil {
		return err
	}
	if ways.Provider == nil {
		return cli.Exit(cli.ExitAnswer, fmt.Errorf("the master at %s has no provider; log in with a password or a token", l.URL))
	}
	listener, err := (&net.ListenConfig{}).Listen(cmd.Context(), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(l.port))))
	if err != nil {
		return fmt.Errorf("cannot wait for the browser: %w", err)
	}
	defer listener.Close()
	verifier := secret()
	visit := newVisit(listener.Addr().String())
	link, err := visit.link(ways.Provider.URL, wire.OIDCChallenge(verifier))
	if err != nil {
		return cli.Exit(cli.ExitAnswer, fmt.Errorf("the master at %s names a provider that cannot be used: %w", l.URL, err))
	}
	out := cmd.ErrOrStderr()
	fmt.Fprintf(out, "Log in at %s, in a browser on this machine:\n\n%s\n\nThe page must show the code %s.\n",
		cli.Printable(ways.Provider.Name), link, wire.OIDCCode(wire.OIDCChallenge(verifier)))
	if !l.noBrowser && openBrowser(link) {
		fmt.Fprintln(out, "A browser has been opened.")
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), browserWithin)
	defer cancel()
	said, err := visit.wait(ctx, listener)
	if err != nil {
		return err
	}
	if said.code == "" {
		status := cli.ExitAnswer
		if said.denied == wire.OIDCDenied {
			status = cli.ExitRefused
		}
		return cli.Exit(status, fmt.Errorf("the master at %s: %s", l.URL, said.text()))
	}
	var made wire.LoginAnswer
	asked := wire.OIDCTokenRequest{Code: said.code, Verifier: verifier, ForMS: length.Milliseconds()}
	if err := askHTTP(cmd.Context(), &l.Client, http.MethodPost, wire.OIDCTokenPath, asked, &made); err != nil {
		return err
	}
	x.Token, x.User, x.Role, x.EndsMS = made.Token, made.Name, made.Role, made.EndsMS
	return nil
}

// secret is 32 random bytes as text.
func secret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // it does not fail
	return base64.RawURLEncoding.EncodeToString(b)
}

// visit is the one visit of a browser that counts: with the state of the link.
type visit struct {
	host, state string
	answers     chan answer
}

// answer is what a browser brings: a code, or why there is none (RFC 6749, 4.1.2.1).
type answer struct{ code, denied, description string }

// maxDescription is how much of a description is shown.
const maxDescription = 500

// text is why there is no code, for people.
func (a answer) text() string {
	text := cmp.Or(a.description, "the log-in was refused: "+a.denied)
	return cli.Printable(text[:min(len(text), maxDescription)])
}

func newVisit(host string) *visit {
	return &visit{host: host, state: secret(), answers: make(chan answer, 1)}
}

// link is what the browser has to open. The master says where, so it is looked at first.
func (v *visit) link(provider, challenge string) (string, error) {
	u, err := url.Parse(provider)
	if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !config.IsLoopback(u.Hostname())) {
		return "", fmt.Errorf("%q is no address of https", cli.Printable(provider))
	}
	_, port, err := net.SplitHostPort(v.host)
	if err != nil {
		return "", err
	}
	u.RawQuery = url.Values{"port": {port}, "challenge": {challenge}, "state": {v.state}}.Encode()
	return u.String(), nil
}

// wait serves on loopback until the browser has brought an answer.
func (v *visit) wait(ctx context.Context, listener net.Listener) (said answer, err error) {
	server := &http.Server{Handler: v, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case said = <-v.answers:
	case <-ctx.Done():
		if err = context.Cause(ctx); errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("no browser has come back within %v; run the command again", browserWithin)
		}
	case err = <-ended:
		return answer{}, fmt.Errorf("cannot wait for the browser: %w", err)
	}
	bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if server.Shutdown(bye) != nil { // the browser gets its page
		_ = server.Close()
	}
	<-ended
	return said, err
}

// ServeHTTP takes the answer of the browser. Whatever else comes to the port, such as from
// another user of this machine, is refused and changes nothing.
func (v *visit) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-store")
	header.Set("Connection", "close")
	const page = `<!doctype html><html lang="en"><meta charset="utf-8"><title>vedette login</title><p>%s</p></html>` + "\n"
	q := r.URL.Query()
	said := answer{q.Get("code"), q.Get("error"), q.Get("error_description")}
	if r.Method != http.MethodGet || r.URL.Path != "/" || r.Host != v.host || (said.code == "") == (said.denied == "") ||
		subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(v.state)) != 1 {
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprintf(w, page, "This is not the log-in that the command waits for.") // whoever has gone needs no answer
		return
	}
	text := "The command line goes on. You can close this page."
	if said.code == "" {
		text = said.text() + " The command has ended. You can close this page."
	}
	_, _ = fmt.Fprintf(w, page, html.EscapeString(text))
	select {
	case v.answers <- said:
	default: // the first counts
	}
}

// openBrowser opens a browser where there is a screen. It reports whether it tried.
func openBrowser(link string) bool {
	if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		return false
	}
	path, err := exec.LookPath("xdg-open")
	if err != nil {
		return false
	}
	cmd := exec.Command(path, link)
	cmd.Stdout, cmd.Stderr = io.Discard, io.Discard
	if cmd.Start() != nil {
		return false
	}
	go func() { _ = cmd.Wait() }() // it ends when it has told the browser
	return true
}
