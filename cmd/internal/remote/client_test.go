package remote

import (
	"strings"
	"testing"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// A known caller without the right is not told to log in again; an unknown one is.
func TestWhoIsToldToLogInAgain(t *testing.T) {
	for code, again := range map[int]bool{wire.CodeForbidden: false, wire.CodeUnauthenticated: true} {
		c := &Client{URL: "https://m:50505", context: "m"}
		err := c.Explain(rpc.Errorf(code, "the change is yours"))
		if got := strings.Contains(err.Error(), "log in again"); got != again || !strings.Contains(err.Error(), "the change is yours") {
			t.Errorf("code %d gives %v", code, err)
		}
		if got := cli.Status(err); got != cli.ExitRefused {
			t.Errorf("code %d gives the status %d", code, got)
		}
	}
}
