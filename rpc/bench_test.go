package rpc

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func benchCodecs(b *testing.B, f func(b *testing.B, codec string)) {
	for _, c := range []codec{jsonCodec{}, cborCodec{}} {
		b.Run(c.name(), func(b *testing.B) { f(b, c.name()) })
	}
}

// BenchmarkRoundTrip is one call at a time, and many at once.
func BenchmarkRoundTrip(b *testing.B) {
	benchCodecs(b, func(b *testing.B, codec string) {
		for _, method := range []string{"test.sum", "test.sumInOrder"} {
			p := dial(b, serve(b, &Server{Handler: testMux()}), DialOptions{Codec: codec})
			ctx := b.Context()
			call := func(b *testing.B) {
				var sum int64
				if err := p.Call(ctx, method, sumParams{1, 2}, &sum); err != nil {
					b.Fatal(err)
				}
			}
			b.Run(method+"/one", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					call(b)
				}
			})
			b.Run(method+"/many", func(b *testing.B) {
				b.SetParallelism(50)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						call(b)
					}
				})
			})
		}
	})
}

type benchReport struct {
	BootID string    `json:"boot_id"`
	Seq    uint64    `json:"seq"`
	T      []int64   `json:"t"`
	S      []uint32  `json:"s"`
	V      []float64 `json:"v"`
}

func newBenchReport() benchReport {
	r := benchReport{BootID: "0198c2f0-6a51-7d12-9a3e-0d9f5b3f6c11", Seq: 12345}
	for i := range 100 {
		r.T = append(r.T, 1_767_225_600_000+int64(i/20))
		r.S = append(r.S, uint32(i))
		r.V = append(r.V, 12.345*float64(i)/7)
	}
	return r
}

// BenchmarkOneWay sends notifications of 100 samples in columns, which the
// other end reads in order into a struct.
func BenchmarkOneWay(b *testing.B) {
	benchCodecs(b, func(b *testing.B, codec string) {
		var samples atomic.Int64
		m := NewMux()
		m.HandleInOrder("report", Method(func(_ context.Context, r benchReport) (any, error) {
			samples.Add(int64(len(r.V)))
			return nil, nil
		}))
		m.HandleInOrder("done", func(context.Context, *Request) (any, error) { return nil, nil })
		p := dial(b, serve(b, &Server{Handler: m}), DialOptions{Codec: codec})
		r := newBenchReport()
		b.ReportAllocs()
		n := int64(0)
		for b.Loop() {
			r.Seq++
			if err := p.Notify(b.Context(), "report", r); err != nil {
				b.Fatal(err)
			}
			n++
		}
		if err := p.Call(b.Context(), "done", nil, nil); err != nil {
			b.Fatal(err)
		}
		if samples.Load() != 100*n {
			b.Fatalf("%d samples came of %d", samples.Load(), 100*n)
		}
		b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "batches/s")
		b.ReportMetric(float64(100*n)/b.Elapsed().Seconds(), "samples/s")
	})
}

// BenchmarkFanOut sends one message to 100 peers that read it off the socket.
func BenchmarkFanOut(b *testing.B) {
	benchCodecs(b, func(b *testing.B, name string) {
		const count = 100
		s := &Server{}
		connected := make(chan *Peer, count)
		s.OnConnect = func(p *Peer) { connected <- p }
		url := serve(b, s)
		var received atomic.Int64
		var peers []*Peer
		for range count {
			r := dialRaw(b, url, codecByName(name))
			_ = r.ws.SetReadDeadline(time.Time{})
			peers = append(peers, <-connected)
			go func() {
				for {
					if _, _, err := r.ws.NextReader(); err != nil {
						return
					}
					received.Add(1)
				}
			}()
		}
		r := newBenchReport()
		b.ReportAllocs()
		want := int64(0)
		for b.Loop() {
			for _, p := range peers {
				if err := p.Notify(b.Context(), "samples", r); err != nil {
					b.Fatal(err)
				}
			}
			want += count
			for received.Load() < want-50*count {
				runtime.Gosched()
			}
		}
		for received.Load() < want {
			runtime.Gosched()
		}
		b.ReportMetric(float64(want)/b.Elapsed().Seconds(), "messages/s")
	})
}

// BenchmarkIdleConnection reports what a connected peer that has spoken and is
// now silent costs the server, without the client's side, whose cost it
// measures in a bare form first.
func BenchmarkIdleConnection(b *testing.B) {
	const count = 500
	inUse := func() uint64 {
		var m runtime.MemStats
		for range 3 {
			runtime.GC()
		}
		runtime.ReadMemStats(&m)
		return m.HeapInuse + m.StackInuse
	}
	for b.Loop() {
		s := &Server{Handler: testMux()}
		url := serve(b, s)
		_ = dialRaw(b, url, cborCodec{}) // what is needed once
		before := inUse()
		raws := make([]*raw, count)
		var wg sync.WaitGroup
		for i := range raws {
			raws[i] = dialRaw(b, url, cborCodec{})
			raws[i].ws.SetPingHandler(func(string) error { return nil })
		}
		for _, r := range raws {
			wg.Go(func() {
				r.send(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "test.echo", "params": []any{fmt.Sprintf("%2000d", 1)}})
				r.receive()
			})
		}
		wg.Wait()
		both := inUse() - before
		goroutines := runtime.NumGoroutine()
		for _, p := range s.Peers() {
			p.abort(ErrClosed)
			p.Wait()
		}
		server := before + both - inUse()
		b.ReportMetric(float64(server)/count, "B/connection")
		b.ReportMetric(float64(both)/count, "B/both-ends")
		b.ReportMetric(float64(goroutines)/count, "goroutines/connection")
		for _, r := range raws {
			_ = r.ws.Close()
		}
	}
}
