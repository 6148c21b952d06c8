package master

import (
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// BenchmarkReports measures samples that agents report over real WebSockets
// until they are acknowledged, which is when they are in the history, with
// nobody watching. Both ends run here.
func BenchmarkReports(b *testing.B) {
	for _, agents := range []int{1, 10} {
		for _, size := range []int{10, 1000} {
			b.Run(fmt.Sprintf("agents=%d/samples=%d", agents, size), func(b *testing.B) {
				m := start(b, config.Master{})
				peers := make([]*rpc.Peer, agents)
				for i := range peers {
					peers[i] = dial(b, m, nil, rpc.DialOptions{Codec: rpc.SubprotocolCBOR})
					call[wire.HelloResult](b, peers[i], wire.MasterHello.Name, hello(fmt.Sprint("h", i)))
				}
				work := make(chan struct{})
				done := make(chan error)
				for _, peer := range peers {
					go func() { done <- reportAll(b, peer, size, work) }()
				}
				for b.Loop() {
					work <- struct{}{}
				}
				close(work)
				for range peers {
					if err := <-done; err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(size)*float64(b.N)/b.Elapsed().Seconds(), "samples/s")
			})
		}
	}
}

func reportAll(b *testing.B, peer *rpc.Peer, size int, work <-chan struct{}) error {
	params := wire.ReportParams{BootID: "boot", Columns: wire.Columns{T: make([]int64, size), S: make([]uint32, size), V: make([]float64, size)}}
	for i := range size {
		params.Series = append(params.Series, wire.Series{ID: uint32(i), Key: fmt.Sprintf("a/%d", i)})
		params.S[i] = uint32(i)
	}
	start := time.Now().Add(-time.Hour).UnixMilli()
	for range work {
		params.Seq++
		for i := range size {
			params.T[i], params.V[i] = start+int64(params.Seq), float64(params.Seq+uint64(i))/4
		}
		var result wire.ReportResult
		if err := peer.Call(b.Context(), wire.MasterReport.Name, &params, &result); err != nil {
			return err
		}
		params.Series = nil
	}
	return nil
}

// BenchmarkReportMetric measures the walkthrough's call, one sample each, over
// ten real WebSockets with sixteen calls in flight on each. Both ends run here.
func BenchmarkReportMetric(b *testing.B) {
	m := start(b, config.Master{})
	work := make(chan struct{})
	done := make(chan error)
	from := time.Now().Add(-time.Hour).UnixMilli()
	var ticks atomic.Int64
	for p := range 10 {
		peer := dial(b, m, nil, rpc.DialOptions{Codec: rpc.SubprotocolJSON})
		for i := range 16 {
			host, key := fmt.Sprint("h", p), fmt.Sprintf("a/%d", i)
			go func() {
				var err error
				for range work {
					v := 1.5
					params := wire.ReportMetricParams{Hostname: host, Metric: wire.Metric{TS: from + ticks.Add(1), Key: key, Val: &v}}
					err = errors.Join(err, peer.Call(b.Context(), wire.MasterReportMetric.Name, &params, nil))
				}
				done <- err
			}()
		}
	}
	for b.Loop() {
		work <- struct{}{}
	}
	close(work)
	for range 160 {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "samples/s")
}

// BenchmarkIdleAgents shows what one connected, silent agent costs: the heap
// and stacks of both ends, which run here, divided by two.
func BenchmarkIdleAgents(b *testing.B) {
	m := start(b, config.Master{})
	const n = 500
	for b.Loop() {
		before := inUse()
		peers := make([]*rpc.Peer, n)
		for i := range peers {
			var err error
			if peers[i], err = rpc.Dial(b.Context(), m.URL(), rpc.DialOptions{}); err != nil {
				b.Fatal(err)
			}
			call[wire.HelloResult](b, peers[i], wire.MasterHello.Name, hello(fmt.Sprint("h", i)))
		}
		b.ReportMetric(float64(inUse()-before)/n/2/1024, "KiB/agent")
		for _, peer := range peers {
			peer.Close(rpc.CloseNormal, "")
			peer.Wait()
		}
	}
}

func inUse() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc + stats.StackInuse
}
