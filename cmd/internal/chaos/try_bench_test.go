package chaos

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// BenchmarkTry measures the time from saving a draft to the first sample of its trial on
// one host: with a real master, agent and script host in their own processes, and another
// draft each time. "page" is a program that stays connected, like a page with an editor;
// "command" is `vedette try` from its start.
func BenchmarkTry(b *testing.B) {
	url := startDev(b)
	file := filepath.Join(b.TempDir(), "draft.go")
	b.Run("page", func(b *testing.B) { tryFromPage(b, url, file) })
	b.Run("command", func(b *testing.B) { tryFromCommand(b, url, file) })
}

// saveDraft writes a draft that differs from all others, and returns its source.
func saveDraft(b *testing.B, file string, i int) string {
	b.Helper()
	source := fmt.Sprintf(`// Package draft is a draft.
//
//vedette:interval 1s
package draft

import (
	"os"
	"strconv"
	"strings"
)

func Inspect() (float64, error) {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0, err
	}
	load, err := strconv.ParseFloat(strings.Fields(string(text))[0], 64)
	return load + %d, err
}
`, i)
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		b.Fatal(err)
	}
	return source
}

func tryFromPage(b *testing.B, url, file string) {
	events := make(chan wire.TrialEvent, 100)
	mux := rpc.NewMux()
	mux.HandleInOrder(wire.NotifyTrial.Name, rpc.Method(func(_ context.Context, e wire.TrialEvent) (wire.Empty, error) {
		events <- e
		return wire.Empty{}, nil
	}))
	peer, err := rpc.Dial(b.Context(), url, rpc.DialOptions{Handler: mux, Codec: wire.SubprotocolJSON})
	if err != nil {
		b.Fatal(err)
	}
	defer peer.Wait()
	defer peer.Close(rpc.CloseNormal, "")
	measure(b, func(i int) time.Duration {
		code := wire.Code{Name: "draft", File: "draft.go", Source: saveDraft(b, file, i)}
		began := time.Now()
		var begun wire.TrialStartResult
		if err := peer.Call(b.Context(), wire.TrialsStart.Name, wire.TrialStartParams{Code: code, Hosts: []string{"web-1"}}, &begun); err != nil {
			b.Fatal(err)
		}
		e := <-events
		for e.Run == nil && !e.Ended {
			e = <-events
		}
		took := time.Since(began)
		if e.Run == nil || len(e.Run.Samples) != 1 {
			b.Fatalf("the trial gave %+v", e)
		}
		if err := peer.Call(b.Context(), wire.TrialsStop.Name, wire.TrialStopParams{Trial: begun.Trial}, nil); err != nil {
			b.Fatal(err)
		}
		for !e.Ended {
			e = <-events
		}
		return took
	})
}

func tryFromCommand(b *testing.B, url, file string) {
	measure(b, func(i int) time.Duration {
		saveDraft(b, file, i)
		began := time.Now()
		cmd := exec.Command("vedette", "try", file, "--master", url)
		out, err := cmd.StdoutPipe()
		if err != nil {
			b.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		took := time.Since(began)
		if err != nil || !strings.Contains(line, "draft") {
			b.Fatalf("vedette try printed %q, %v", line, err)
		}
		_ = cmd.Process.Signal(syscall.SIGINT)
		if err := cmd.Wait(); err != nil {
			b.Fatal(err)
		}
		return took
	})
}

// measure reports the median and the longest of the times that run returns.
func measure(b *testing.B, run func(i int) time.Duration) {
	b.Helper()
	var all []time.Duration
	for i := 0; b.Loop(); i++ {
		all = append(all, run(i))
	}
	slices.Sort(all)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.ReportMetric(ms(all[len(all)/2]), "first-sample-p50-ms")
	b.ReportMetric(ms(all[(len(all)*99-1)/100]), "first-sample-p99-ms")
	b.ReportMetric(0, "ns/op")
}

// startDev runs `vedette dev` until the benchmark ends, and returns its address
// when its host is up.
func startDev(b *testing.B) string {
	b.Helper()
	dir := b.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o711); err != nil { // scripts run as another user
		b.Fatal(err)
	}
	cmd := exec.Command("vedette", "dev", "--listen", "127.0.0.1:0", "--host", "web-1")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_STATE_HOME="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGINT)
		_ = cmd.Wait()
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if url, ok := strings.CutPrefix(lines.Text(), "Open "); ok {
			awaitHost(b, url)
			return url
		}
	}
	b.Fatal("vedette dev ended without an address")
	return ""
}

func awaitHost(b *testing.B, url string) {
	b.Helper()
	hosts := make(chan struct{}, 100)
	mux := rpc.NewMux()
	mux.HandleInOrder(wire.NotifyEvent.Name, rpc.Method(func(context.Context, wire.Event) (wire.Empty, error) {
		select {
		case hosts <- struct{}{}:
		default:
		}
		return wire.Empty{}, nil
	}))
	peer, err := rpc.Dial(b.Context(), url, rpc.DialOptions{Handler: mux, Codec: wire.SubprotocolJSON})
	if err != nil {
		b.Fatal(err)
	}
	defer peer.Wait()
	defer peer.Close(rpc.CloseNormal, "")
	if err := peer.Call(b.Context(), wire.MasterSubscribe.Name, wire.SubscribeParams{Pattern: "metrics/web-1/load/*"}, nil); err != nil {
		b.Fatal(err)
	}
	<-hosts
}
