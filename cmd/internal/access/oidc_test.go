package access

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/internal/patience"
)

// The command takes the code of the browser that has its link, and is not moved by
// whatever else comes to its port.
func TestVisit(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	v := newVisit(listener.Addr().String())
	type outcome struct {
		code string
		err  error
	}
	ended := make(chan outcome, 1)
	go func() {
		code, err := v.wait(patience.Context(t), listener)
		ended <- outcome{code, err}
	}()
	ask := func(method, path, host string) int {
		t.Helper()
		r, err := http.NewRequestWithContext(patience.Context(t), method, "http://"+v.host+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		return response.StatusCode
	}
	good := "/?code=mine&state=" + v.state
	for _, bad := range [][3]string{
		{http.MethodGet, "/", v.host},
		{http.MethodGet, "/?code=evil", v.host},
		{http.MethodGet, "/?code=evil&state=", v.host},
		{http.MethodGet, "/?code=evil&state=" + v.state[1:], v.host},
		{http.MethodGet, "/?code=&state=" + v.state, v.host},
		{http.MethodGet, "/other" + good[1:], v.host},
		{http.MethodPost, good, v.host},
		{http.MethodGet, good, "evil.example"},
	} {
		if status := ask(bad[0], bad[1], bad[2]); status != http.StatusForbidden {
			t.Errorf("%v: %d", bad, status)
		}
	}
	if status := ask(http.MethodGet, good, v.host); status != http.StatusOK {
		t.Errorf("the browser gets %d", status)
	}
	if got := <-ended; got.code != "mine" || got.err != nil {
		t.Errorf("the command gets %+v", got)
	}
}

// A command that is interrupted ends, and so does what it served.
func TestVisitIsInterrupted(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if code, err := newVisit(listener.Addr().String()).wait(ctx, listener); code != "" || !errors.Is(err, context.Canceled) {
		t.Errorf("it ends with %q, %v", code, err)
	}
}

// A master cannot have the command open what is no page.
func TestLinkOfTheProvider(t *testing.T) {
	v := newVisit("127.0.0.1:7")
	for address, ok := range map[string]bool{
		"https://m.example/api/oidc/login": true, "http://127.0.0.1:1/api/oidc/login": true, "http://m.example/api/oidc/login": false,
		"file:///etc/passwd": false, "javascript:alert(1)": false, "": false, "--help": false, "https:": false,
	} {
		link, err := v.link(address, "c")
		if (err == nil) != ok || ok && !strings.HasPrefix(link, address+"?challenge=c&port=7&state=") {
			t.Errorf("%q gives %q, %v", address, link, err)
		}
	}
}
