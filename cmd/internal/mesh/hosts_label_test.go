package mesh

import (
	"errors"
	"testing"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// Labels that wait end the command like any other change that waits; another refusal
// stays what it is.
func TestStatusOfLabelsThatWait(t *testing.T) {
	waits := rpc.Errorf(wire.CodeConflict, "they wait as proposal 7kq2mxw4ha")
	waits.Data = map[string]any{"proposal": "7kq2mxw4ha"}
	other := rpc.Errorf(wire.CodeConflict, "they have changed")
	other.Data = map[string]any{"version": "1"}
	for want, answer := range map[int]*rpc.Error{cli.ExitWaiting: waits, cli.ExitAnswer: other} {
		err := labelsWait(cli.Exit(cli.ExitAnswer, answer))
		if got := cli.Status(err); got != want {
			t.Errorf("%v has the status %d, want %d", err, got, want)
		}
	}
	if err := errors.New("no network"); labelsWait(err) != err {
		t.Error("another error is changed")
	}
}
