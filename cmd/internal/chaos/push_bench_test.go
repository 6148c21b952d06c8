package chaos

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// BenchmarkPushToAFleet measures pushes by a master in its own process to simulated agents
// in this process and real ones beside them: the time from the call of catalog.push until
// the master has told a watcher that a host is healthy, for each host and for the last. The
// master's cost is that of its whole process.
func BenchmarkPushToAFleet(b *testing.B) {
	for _, size := range []struct{ simulated, real int }{{1000, 5}, {10_000, 0}} {
		b.Run(fmt.Sprintf("simulated=%d/real=%d", size.simulated, size.real), func(b *testing.B) { pushToFleet(b, size.simulated, size.real) })
	}
}

func pushToFleet(b *testing.B, simulated, real int) {
	m := newKillMesh(b)
	m.startMaster()
	operator := m.operator()
	before := memoryOf(b, m.master)
	url := "http://" + m.addr
	link, err := newProxy(m.addr) // of one of them, to see its traffic
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(link.close)
	simulate(b, url, link.url(), simulated)
	for i := range real {
		m.startAgents(fmt.Sprint("real-", i))
	}
	n := simulated + real
	m.awaitHosts(n)
	idle := memoryOf(b, m.master)
	watcher := watchReceipts(b, url)
	var all, theirs, last []time.Duration
	cpu, carried, pushes := cpuOf(b, m.master), link.carried.Load(), 0
	for b.Loop() {
		code := probeCode(pushes, time.Second)
		pushes++
		started := time.Now()
		revision := ask[wire.PushResult](b, operator, wire.CatalogPush.Name, wire.PushParams{Code: code}).Revision
		for healthy := 0; healthy < n; {
			var told receiptAt
			select {
			case told = <-watcher:
			case <-time.After(time.Minute):
				b.Fatalf("%d of %d hosts are healthy", healthy, n)
			}
			if told.Revision != revision || told.State != wire.ReceiptHealthy {
				continue
			}
			healthy++
			all = append(all, told.at.Sub(started))
			if strings.HasPrefix(told.Host, "real-") {
				theirs = append(theirs, told.at.Sub(started))
			}
		}
		last = append(last, time.Since(started))
	}
	cpu = cpuOf(b, m.master) - cpu
	reportPercentiles(b, "host", all)
	reportPercentiles(b, "last", last)
	if real > 0 {
		reportPercentiles(b, "real", theirs)
	}
	b.ReportMetric(float64(cpu.Milliseconds())/float64(pushes), "master-CPU-ms/push")
	b.ReportMetric(float64(link.carried.Load()-carried)/float64(pushes), "B/agent/push")
	b.ReportMetric(float64(idle-before)/float64(n), "master-B/agent")
	b.ReportMetric(float64(memoryOf(b, m.master))/(1<<20), "master-RSS-MiB")
	b.ReportMetric(0, "ns/op")
}

func reportPercentiles(b *testing.B, of string, durations []time.Duration) {
	slices.Sort(durations)
	for _, percent := range []int{50, 99} {
		d := durations[(len(durations)*percent-1)/100]
		b.ReportMetric(float64(d.Microseconds())/1000, fmt.Sprintf("%s-p%d-ms", of, percent))
	}
}

// simulate connects agents that report everything assigned to them as healthy. The first
// has its own link.
func simulate(b *testing.B, url, first string, n int) {
	slots := make(chan struct{}, 32)
	var joined sync.WaitGroup
	var mu sync.Mutex
	var peers []*rpc.Peer
	b.Cleanup(func() {
		for _, p := range peers {
			_ = p.Close(rpc.CloseNormal, "")
		}
		for _, p := range peers {
			p.Wait()
		}
	})
	for i := range n {
		joined.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			to := url
			if i == 0 {
				to = first
			}
			peer, err := simulateOne(b.Context(), to, fmt.Sprintf("h%05d", i))
			if err != nil {
				b.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			peers = append(peers, peer)
		})
	}
	joined.Wait()
	if b.Failed() {
		b.FailNow()
	}
}

func simulateOne(ctx context.Context, url, host string) (*rpc.Peer, error) {
	mux := rpc.NewMux()
	mux.HandleInOrder(wire.AgentAssign.Name, rpc.Method(func(ctx context.Context, p wire.Assignment) (wire.AssignResult, error) {
		told := wire.ReceiptParams{Hash: p.Hash, All: true}
		for _, one := range p.Inspectors {
			told.Receipts = append(told.Receipts, wire.Receipt{Inspector: one.Name, Revision: one.Revision, State: wire.ReceiptHealthy, AtMS: time.Now().UnixMilli()})
		}
		peer := rpc.PeerFrom(ctx)
		go func() { _ = peer.Call(context.WithoutCancel(ctx), wire.MasterReceipt.Name, told, nil) }()
		return wire.AssignResult{Hash: p.Hash}, nil
	}))
	peer, err := rpc.Dial(ctx, url, rpc.DialOptions{Handler: mux})
	if err != nil {
		return nil, err
	}
	hello := wire.HelloParams{
		Protocol: wire.Version, Host: host, AgentID: "id-" + host, BootID: "boot", Version: "test", OS: runtime.GOOS, Arch: runtime.GOARCH,
		NowMS: time.Now().UnixMilli(), AcceptsPushed: true,
	}
	return peer, peer.Call(ctx, wire.MasterHello.Name, hello, nil)
}

// receiptAt is a receipt and the time when it arrived.
type receiptAt struct {
	wire.HostReceipt
	at time.Time
}

// watchReceipts returns the receipts that the master announces.
func watchReceipts(b *testing.B, url string) <-chan receiptAt {
	told := make(chan receiptAt, 100_000)
	mux := rpc.NewMux()
	mux.HandleInOrder(wire.NotifyEvent.Name, rpc.Method(func(_ context.Context, e struct {
		Subscription uint64           `json:"subscription"`
		Path         string           `json:"path"`
		Data         wire.HostReceipt `json:"data"`
	},
	) (any, error) {
		told <- receiptAt{e.Data, time.Now()}
		return nil, nil
	}))
	mux.HandleInOrder(wire.NotifyHeartbeat.Name, rpc.Method(func(context.Context, wire.Heartbeat) (any, error) { return nil, nil }))
	mux.HandleInOrder(wire.NotifyLost.Name, rpc.Method(func(_ context.Context, p wire.Lost) (any, error) {
		b.Errorf("%d events were lost", p.Events)
		return nil, nil
	}))
	peer, err := rpc.Dial(b.Context(), url, rpc.DialOptions{Handler: mux})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = peer.Close(rpc.CloseNormal, "")
		peer.Wait()
	})
	ask[wire.SubscribeResult](b, peer, wire.MasterSubscribe.Name, wire.SubscribeParams{Pattern: "receipts/*"})
	return told
}

// memoryOf is the resident memory of a process in bytes.
func memoryOf(b *testing.B, p *chaosProcess) int64 {
	fields := strings.Fields(procFile(b, p, "statm"))
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// ticksPerSecond is the unit of /proc/PID/stat, the same on every system that Go supports.
const ticksPerSecond = 100

// cpuOf is the CPU time of a process.
func cpuOf(b *testing.B, p *chaosProcess) time.Duration {
	_, rest, _ := strings.Cut(procFile(b, p, "stat"), ") ") // the name may have blanks
	fields, ticks := strings.Fields(rest), int64(0)
	for _, field := range fields[11:13] { // utime and stime
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / ticksPerSecond
}

func procFile(b *testing.B, p *chaosProcess, name string) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.cmd.Process.Pid, name))
	if err != nil {
		b.Fatal(err)
	}
	return string(text)
}
