package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/commands"
	"github.com/vedettehq/vedette/rpc"
)

// A proxy that passes on no WebSockets is reported as such, not as an absent master.
func TestProxyThatHandsOnNoWebSockets(t *testing.T) {
	inner := &rpc.Server{Handler: rpc.NewMux()}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Upgrade")
		r.Header.Del("Connection")
		inner.ServeHTTP(w, r)
	}))
	defer proxy.Close()
	for _, args := range [][]string{{"hosts"}, {"watch"}, {"inspectors"}} {
		var out, errs bytes.Buffer
		root := commands.New()
		root.SetArgs(append(args, "--master", proxy.URL))
		root.SetOut(&out)
		root.SetErr(&errs)
		status := cli.Main(root)
		if text := errs.String(); status != cli.ExitUnreachable || !strings.Contains(text, "a proxy in front of this server must hand them on") ||
			strings.Contains(text, "no master") {
			t.Errorf("%v ends with %d and says %s", args, status, text)
		}
	}
}
