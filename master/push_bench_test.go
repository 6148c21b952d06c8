package master

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// BenchmarkPush measures a push to agents over real WebSockets: from the call of
// catalog.push until the master has told a watcher that a host is healthy, for
// each host, and for the last of them. Both ends run here, so that the agents'
// work is in it too.
func BenchmarkPush(b *testing.B) {
	for _, agents := range []int{100, 1000} {
		b.Run(fmt.Sprint("agents=", agents), func(b *testing.B) { benchmarkPush(b, agents) })
	}
}

func benchmarkPush(b *testing.B, n int) {
	m := start(b, config.Master{})
	var joined sync.WaitGroup
	slots := make(chan struct{}, 16)
	for i := range n {
		agent := newFakeAgent(fmt.Sprint("h", i), nil)
		joined.Add(1)
		go func() {
			defer joined.Done()
			slots <- struct{}{}
			defer func() { <-slots }()
			agent.connect(b, m)
		}()
	}
	joined.Wait()
	receipts := watchAll[wire.HostReceipt](b, m, "receipts/*")
	operator := dial(b, m, nil, rpc.DialOptions{})
	var each, last []time.Duration
	for revision := 0; b.Loop(); revision++ {
		code := script("disk", revision)
		id := wire.RevisionOf(withFile(code))
		started := time.Now()
		pushed := make(chan error, 1)
		go func() { pushed <- operator.Call(b.Context(), wire.CatalogPush.Name, wire.PushParams{Code: code}, nil) }()
		for healthy := 0; healthy < n; {
			if r := <-receipts; r.Revision == id && r.State == wire.ReceiptHealthy {
				healthy++
				each = append(each, time.Since(started))
			}
		}
		last = append(last, time.Since(started))
		if err := <-pushed; err != nil {
			b.Fatal(err)
		}
	}
	report := func(durations []time.Duration, percent int, unit string) {
		slices.Sort(durations)
		b.ReportMetric(float64(durations[(len(durations)*percent-1)/100].Microseconds())/1000, unit)
	}
	report(each, 50, "host-p50-ms")
	report(each, 99, "host-p99-ms")
	report(last, 50, "last-p50-ms")
	report(last, 99, "last-p99-ms")
	b.ReportMetric(0, "ns/op")
}

// withFile is the code as the catalog completes it.
func withFile(code wire.Code) wire.Code {
	code.File = code.Name + ".go"
	return code
}
