package serve

import (
	"crypto/tls"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vedettehq/vedette/agent/member"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// reporter sends reports of some series, and measures the time until each is acknowledged.
type reporter struct {
	peer   *rpc.Peer
	params wire.ReportParams
}

func newReporter(b *testing.B, peer *rpc.Peer, samples int) *reporter {
	b.Helper()
	r := &reporter{peer: peer, params: wire.ReportParams{BootID: "boot"}}
	r.params.T, r.params.S, r.params.V = make([]int64, samples), make([]uint32, samples), make([]float64, samples)
	for i := range samples {
		r.params.Series = append(r.params.Series, wire.Series{ID: uint32(i), Key: fmt.Sprintf("a/%d", i)})
		r.params.S[i] = uint32(i)
	}
	return r
}

func (r *reporter) report(b *testing.B) time.Duration {
	r.params.Seq++
	begun := time.Now()
	for i := range r.params.T {
		r.params.T[i], r.params.V[i] = begun.Add(-time.Hour).UnixMilli()+int64(r.params.Seq), float64(r.params.Seq)
	}
	if _, err := wire.MasterReport.Call(b.Context(), r.peer, r.params); err != nil {
		b.Error(err)
	}
	r.params.Series = nil
	return time.Since(begun)
}

// BenchmarkReportsByTLS measures reports of ten samples without TLS, over TLS, and over TLS
// with a certificate of the host. It takes turns, so that a busy machine slows all of them
// alike, and gives the median of each in microseconds. Both ends run in this process.
func BenchmarkReportsByTLS(b *testing.B) {
	m := startMesh(b, config.Master{})
	known := m.join(b, m.token(b, wire.JoinTokenParams{}), "mtls")
	trust := known.TLS(m.URL())
	trust.Certificates, trust.GetClientCertificate = nil, nil
	ways := []struct {
		name   string
		master *mesh
		secure *tls.Config
	}{{"clear", startPlain(b), nil}, {"tls", m, trust}, {"mtls", m, known.TLS(m.URL())}}
	reporters, took := make([]*reporter, len(ways)), make([][]time.Duration, len(ways))
	for i, by := range ways {
		peer, err := rpc.Dial(b.Context(), by.master.URL(), rpc.DialOptions{TLS: by.secure, Codec: rpc.SubprotocolCBOR})
		if err != nil {
			b.Fatal(err)
		}
		defer func() { peer.Close(rpc.CloseNormal, ""); peer.Wait() }()
		if err := sayHello(b, peer, by.name); err != nil {
			b.Fatal(err)
		}
		reporters[i] = newReporter(b, peer, 10)
	}
	for b.Loop() {
		for i, r := range reporters {
			took[i] = append(took[i], r.report(b))
		}
	}
	for i, by := range ways {
		slices.Sort(took[i])
		b.ReportMetric(float64(took[i][len(took[i])/2].Nanoseconds())/1000, by.name+"-us")
	}
}

// BenchmarkJoin measures hosts that join, eight at a time.
func BenchmarkJoin(b *testing.B) {
	m := startMesh(b, config.Master{})
	token := m.token(b, wire.JoinTokenParams{Uses: 100_000})
	folder := b.TempDir()
	var n atomic.Int64
	b.SetParallelism(4)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			host := fmt.Sprint("host-", n.Add(1))
			if _, _, err := member.Join(b.Context(), member.Options{Master: m.URL(), Token: token, Host: host, Data: filepath.Join(folder, host)}); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(1000*b.Elapsed().Seconds()/float64(b.N), "s/1000-joins")
}

// BenchmarkRenewals measures the time until reports are acknowledged: without other load,
// and while other hosts renew their certificates as fast as they can. All ends run in this
// process.
func BenchmarkRenewals(b *testing.B) {
	m := startMesh(b, config.Master{})
	token := m.token(b, wire.JoinTokenParams{Uses: 100})
	r := newReporter(b, m.connect(b, m.join(b, token, "reports")), 100)
	renewing := make([]*member.Member, 8)
	for i := range renewing {
		renewing[i] = m.join(b, token, fmt.Sprint("renews-", i))
	}
	for _, storm := range []bool{false, true} {
		b.Run(fmt.Sprintf("storm=%v", storm), func(b *testing.B) {
			var renewals atomic.Int64
			var all sync.WaitGroup
			stop := make(chan struct{})
			for _, known := range renewing {
				if !storm {
					break
				}
				all.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
						}
						if err := known.Renew(patience.Context(b), m.URL()); err != nil {
							b.Error(err)
							return
						}
						renewals.Add(1)
					}
				})
			}
			var took []time.Duration
			for b.Loop() {
				took = append(took, r.report(b))
			}
			close(stop)
			all.Wait()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
			b.ReportMetric(float64(renewals.Load())/b.Elapsed().Seconds(), "renewals/s")
			b.ReportMetric(float64(renewals.Load()), "renewals")
		})
	}
}
