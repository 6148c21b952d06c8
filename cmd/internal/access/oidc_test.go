package access

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

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
		answer
		err error
	}
	ended := make(chan outcome, 1)
	go func() {
		said, err := v.wait(patience.Context(t), listener)
		ended <- outcome{said, err}
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
		{http.MethodGet, "/?error=access_denied", v.host},
		{http.MethodGet, "/?error=access_denied&state=" + v.state[1:], v.host},
		{http.MethodGet, "/?error=&error_description=evil&state=" + v.state, v.host},
		{http.MethodGet, good + "&error=access_denied", v.host},
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
	if got := <-ended; got.answer != (answer{code: "mine"}) || got.err != nil {
		t.Errorf("the command gets %+v", got)
	}
}

// A command that is told no ends, and neither the terminal nor the page takes the
// description for more than text.
func TestVisitIsDenied(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	v := newVisit(listener.Addr().String())
	ended := make(chan answer, 1)
	go func() {
		said, err := v.wait(patience.Context(t), listener)
		if err != nil {
			t.Error(err)
		}
		ended <- said
	}()
	long := "<b>no</b>\x1b[2J" + strings.Repeat("é", maxDescription)
	q := url.Values{"error": {"access_denied"}, "error_description": {long}, "state": {v.state}}
	r, err := http.NewRequestWithContext(patience.Context(t), http.MethodGet, "http://"+v.host+"/?"+q.Encode(), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if text := string(page); !strings.Contains(text, "&lt;b&gt;no&lt;/b&gt;?[2J") || !strings.Contains(text, "The command has ended.") {
		t.Errorf("the browser gets %s", text)
	}
	said := <-ended
	if said.denied != "access_denied" || !strings.HasPrefix(said.text(), "<b>no</b>?[2Jé") || len(said.text()) > maxDescription+utf8.UTFMax {
		t.Errorf("the command gets %+v", said)
	}
	if got := (answer{denied: "access_denied"}).text(); got != "the log-in was refused: access_denied" {
		t.Errorf("without a description it is %q", got)
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
	if said, err := newVisit(listener.Addr().String()).wait(ctx, listener); said != (answer{}) || !errors.Is(err, context.Canceled) {
		t.Errorf("it ends with %+v, %v", said, err)
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
