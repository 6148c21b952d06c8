package script

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/alone"
	"github.com/vedettehq/vedette/internal/patience"
)

// A run that heeds its context is not cut off, however its process is stopped
// in the moment when the context ends.
func TestGraceOfAStoppedProcess(t *testing.T) { alone.Test(t, testGraceOfAStoppedProcess) }

func testGraceOfAStoppedProcess(t *testing.T) {
	p := load(t, `package x

import (
	"context"
	"time"
)

func Inspect(ctx context.Context) (float64, error) {
	<-ctx.Done()
	time.Sleep(3 * time.Millisecond)
	return 0, ctx.Err()
}
`)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	// It ends with this process, not with the test: the last signal may be late.
	goOn := exec.Command("sh", "-c", fmt.Sprintf("while kill -CONT %d 2>/dev/null; do sleep 0.1; done", os.Getpid()))
	if err := goOn.Start(); err != nil {
		t.Fatal(err)
	}
	if err := goOn.Process.Release(); err != nil {
		t.Fatal(err)
	}
	const rounds = 30
	for range rounds {
		ctx, cancel := context.WithCancel(t.Context())
		got := make(chan error, 1)
		go func() { got <- p.Inspect(ctx, inspectors.NewReport("test", time.Now())) }()
		cancel()
		moment := time.NewTimer(time.Duration(rng.IntN(4000)) * time.Microsecond)
		<-moment.C
		if err := syscall.Kill(os.Getpid(), syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		if err := patience.Receive(t, "the end of a run whose context has ended", got); err == nil || strings.Contains(err.Error(), "cut off") {
			t.Fatalf("the run ended in %v", err)
		}
	}
	if p.Leaked() > 0 {
		t.Errorf("%d runs were cut off", p.Leaked())
	}
}
