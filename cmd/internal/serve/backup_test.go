package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vedettehq/vedette/internal/freeport"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// startMaster runs the command, and returns the master's address and a function that stops
// it.
func startMaster(t *testing.T, data string) (address string, stop func()) {
	t.Helper()
	address = "http://" + freeport.Address(t)
	ctx, cancel := context.WithCancel(context.Background())
	cmd := NewMaster()
	cmd.SetArgs([]string{"--data", data, "--listen", strings.TrimPrefix(address, "http://")})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetOut(io.Discard)
	cmd.SetErr(io.Discard)
	ended := make(chan error, 1)
	go func() { ended <- cmd.ExecuteContext(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		patience.Return(t, "the end of the master", func() {
			if err := <-ended; err != nil {
				t.Errorf("the master ended with %v", err)
			}
		})
	})
	t.Cleanup(stop)
	patience.Until(t, "the master", func() bool {
		answer, err := http.Get(address + "/-/ready")
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	return address, stop
}

// runMaster runs a subcommand of `vedette master`.
func runMaster(args ...string) (string, error) {
	cmd := NewMaster()
	var out bytes.Buffer
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err := cmd.ExecuteContext(context.Background())
	return out.String(), err
}

func dialMaster(t *testing.T, address string) *rpc.Peer {
	t.Helper()
	peer, err := rpc.Dial(patience.Context(t), address, rpc.DialOptions{Codec: wire.SubprotocolJSON})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = peer.Close(rpc.CloseNormal, "")
		peer.Wait()
	})
	return peer
}

// answers asks a master for everything that it had at a time.
func answers(t *testing.T, address string, from, to time.Time) string {
	t.Helper()
	var all strings.Builder
	for _, query := range []string{`{host="web-1"}`, `count_over_time({host="web-1"}[1h])`, `sum_over_time({host="web-1"}[1h])`} {
		form := url.Values{"query": {query}, "start": {fmt.Sprint(from.Unix())}, "end": {fmt.Sprint(to.Unix())}, "step": {"7"}}
		answer, err := http.PostForm(address+"/api/v1/query_range", form)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s, %v", answer.Status, text, err)
		}
		all.Write(text)
	}
	peer := dialMaster(t, address)
	var inspectors, hosts json.RawMessage
	for method, result := range map[string]*json.RawMessage{"catalog.list": &inspectors, "hosts.list": &hosts} {
		if err := peer.Call(patience.Context(t), method, struct{}{}, result); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Fprintf(&all, "\n%s", inspectors)
	if !bytes.Contains(hosts, []byte(`"web-1"`)) {
		t.Errorf("the master knows the hosts %s", hosts)
	}
	return all.String()
}

// A backup that is taken while samples arrive, when restored, makes a master that gives the
// same answers about everything before it, and has the same pushed code.
func TestARestoredMasterGivesTheSameAnswers(t *testing.T) {
	data := filepath.Join(t.TempDir(), "master")
	address, stop := startMaster(t, data)
	peer := dialMaster(t, address)
	hello := wire.HelloParams{
		Protocol: wire.Version, Host: "web-1", AgentID: "a", BootID: "b", Version: "v1", OS: "linux", Arch: "amd64",
		StartedMS: time.Now().UnixMilli(),
	}
	if err := peer.Call(patience.Context(t), "master.hello", hello, nil); err != nil {
		t.Fatal(err)
	}
	from := time.Now().Add(-time.Hour).Truncate(time.Second)
	report := func(host string, at time.Time) error {
		metric := map[string]any{"ts": at.UnixMilli(), "key": fmt.Sprintf("load/average-%d", rand.IntN(5)), "val": rand.Float64()}
		return peer.Call(patience.Context(t), "master.reportMetric", []any{host, metric}, nil)
	}
	for range 300 { // late samples among them
		if err := report("web-1", from.Add(time.Duration(rand.IntN(3000_000))*time.Millisecond)); err != nil {
			t.Fatal(err)
		}
	}
	push := wire.PushParams{Code: wire.Code{
		Name: "answer", File: "answer.go", IntervalMS: 5000,
		Source: "package answer\n\nfunc Inspect() (float64, error) { return 42, nil }\n",
	}, Selector: new(string), Message: "why"}
	if err := peer.Call(patience.Context(t), "catalog.push", push, nil); err != nil {
		t.Fatal(err)
	}
	to := from.Add(50 * time.Minute)
	want := answers(t, address, from, to)

	noise, quiet := context.WithCancel(t.Context())
	var writer sync.WaitGroup
	writer.Go(func() {
		for noise.Err() == nil {
			if err := report("other", time.Now()); err != nil {
				t.Error(err)
				return
			}
		}
	})
	kept := filepath.Join(t.TempDir(), "backup")
	for range 2 { // the second backup fetches little
		if out, err := runMaster("backup", "--master", address, kept); err != nil || !strings.Contains(out, "fetching: 100 %") {
			t.Fatalf("the backup gave %v\n%s", err, out)
		}
	}
	quiet()
	writer.Wait()
	stop()

	if out, err := runMaster("restore", "--check", kept); err != nil || !strings.Contains(out, "is whole") {
		t.Fatalf("the check gave %v\n%s", err, out)
	}
	fresh := filepath.Join(t.TempDir(), "fresh")
	if out, err := runMaster("restore", "--data", fresh, kept); err != nil || !strings.Contains(out, "is restored") {
		t.Fatalf("the restore gave %v\n%s", err, out)
	}
	again, _ := startMaster(t, fresh)
	if got := answers(t, again, from, to); got != want {
		t.Errorf("the restored master answers\n%.3000s\nwant\n%.3000s", got, want)
	}
}

// A folder with an unfinished restore is refused as a master's data.
func TestMasterRefusesAnUnfinishedRestore(t *testing.T) {
	data := t.TempDir()
	if err := os.Mkdir(filepath.Join(data, "restoring"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := runMaster("--data", data, "--listen", freeport.Address(t)); err == nil || !strings.Contains(err.Error(), "a restore into it was interrupted") {
		t.Errorf("got %v", err)
	}
}
