package master

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang/snappy"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// worstEnv says for how many seconds the attacks of TestWorstMinute go on.
const worstEnv = "VEDETTE_TEST_WORST_SECONDS"

// worst is a master under attack.
type worst struct {
	*Master
	t       *testing.T
	bomb    []byte          // small, and large when it is unpacked
	ctx     context.Context // ends with the attacks
	attacks atomic.Uint64
	peak    atomic.Uint64 // of the live heap
}

// Everybody does their worst at once, nobody, a viewer and an agent's token,
// while a hundred agents report beside them: no sample is lost, a push in between
// succeeds, and memory is bounded by what queries may take.
func TestWorstMinute(t *testing.T) {
	seconds, agents := 4, 30
	if text := os.Getenv(worstEnv); text != "" {
		var err error
		if seconds, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
		agents = 100
	}
	cfg := config.Master{Tokens: []config.Token{token("wall", "viewer", ""), token("ops", "operator", ""), token("evil", "agent", "evil")}}
	for n := range agents {
		name := fmt.Sprint("host-", n)
		cfg.Tokens = append(cfg.Tokens, token(name, "agent", name))
	}
	bomb := snappy.Encode(nil, make([]byte, 200<<20))
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(seconds)*time.Second)
	defer cancel()
	w := &worst{Master: start(t, cfg), t: t, bomb: bomb, ctx: ctx}
	var reporting, attacking sync.WaitGroup
	sent := make([]int, agents)
	took := make([][]time.Duration, agents)
	for n := range agents {
		agent := dial(t, w.Master, nil, rpc.DialOptions{Header: bearer(fmt.Sprint("host-", n))})
		call[wire.HelloResult](t, agent, wire.MasterHello.Name, hello(fmt.Sprint("host-", n)))
		reporting.Go(func() { sent[n], took[n] = w.report(agent) })
	}
	for range 3 {
		for _, attack := range []func(){w.queries, w.ranges, w.subscriptions, w.badCalls, w.remoteWrite, w.wrongTokens, w.halfRequests, w.silentSockets} {
			attacking.Go(func() {
				for ctx.Err() == nil {
					attack()
					w.attacks.Add(1)
				}
			})
		}
	}
	attacking.Go(w.measure)
	ops := dial(t, w.Master, nil, rpc.DialOptions{Header: bearer("ops"), Again: 50}) // it is shed while it logs in, as the attackers are
	pushed := push(t, ops, wire.PushParams{Code: script("disk", 1), AllowNone: true})
	if pushed.Revision == "" {
		t.Errorf("a push in between gave %+v", pushed)
	}
	attacking.Wait()
	reporting.Wait()
	w.check(sent, took)
}

// report reports until the attacks end, but once at least, a report after the
// other, and returns how many samples were acknowledged.
func (w *worst) report(agent *rpc.Peer) (n int, took []time.Duration) {
	began := time.Now().UnixMilli()
	for seq := uint64(1); n == 0 || w.ctx.Err() == nil; seq++ {
		params := wire.ReportParams{BootID: "boot", Seq: seq, Series: []wire.Series{{ID: 1, Key: "load/average-1"}}}
		for i := range 10 {
			params.T, params.S, params.V = append(params.T, began+int64(n+i)), append(params.S, 1), append(params.V, float64(n+i))
		}
		ctx, cancel := context.WithTimeout(w.t.Context(), patience.Limit)
		at := time.Now()
		var result wire.ReportResult
		err := agent.Call(ctx, wire.MasterReport.Name, params, &result)
		cancel()
		if busy := (*rpc.Error)(nil); errors.As(err, &busy) && busy.Code == wire.CodeBusy {
			seq--
			w.pause(10 * time.Millisecond)
			continue
		}
		if err != nil || result.Refused != 0 {
			w.t.Errorf("a report gave %+v, %v", result, err)
			return n, took
		}
		n, took = n+10, append(took, time.Since(at))
		select {
		case <-w.ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
	return n, took
}

// check looks whether all is there that was acknowledged.
func (w *worst) check(sent []int, took [][]time.Duration) {
	viewer := []string{"Authorization", "Bearer secret-wall"}
	for n, want := range sent {
		query := fmt.Sprintf(`sum(count_over_time({host="host-%d",key="load/average-1"}[1h]))`, n)
		_, body := fetch(w.t, w.Master, "/api/v1/query?query="+url.QueryEscape(query), viewer...)
		if want == 0 || !strings.Contains(body, fmt.Sprintf(`"%d"]`, want)) {
			w.t.Errorf("of the %d samples of host-%d there are %.300s", want, n, body)
		}
	}
	all := slices.Concat(took...)
	slices.Sort(all)
	if len(all) > 0 {
		w.t.Logf("%d reports beside %d attacks: p50 %v, p99 %v, the slowest %v; the live heap reached %d MiB",
			len(all), w.attacks.Load(), all[len(all)/2], all[len(all)*99/100], all[len(all)-1], w.peak.Load()>>20)
	}
	if peak := w.peak.Load(); peak > 3<<30 {
		w.t.Errorf("the live heap reached %d MiB", peak>>20)
	}
	if open, _ := w.table.Plain(); open > w.table.Limits().Plain {
		w.t.Errorf("%d connections are open", open)
	}
}

// measure notes how large the heap gets.
func (w *worst) measure() {
	for w.ctx.Err() == nil {
		samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(samples)
		if live := samples[0].Value.Uint64(); live > w.peak.Load() {
			w.peak.Store(live)
		}
		w.pause(20 * time.Millisecond)
	}
}

func (w *worst) pause(d time.Duration) {
	select {
	case <-w.ctx.Done():
	case <-time.After(d):
	}
}

// ask sends a request and drops the answer.
func (w *worst) ask(method, path, token string, body io.Reader) {
	request, err := http.NewRequestWithContext(w.ctx, method, w.URL()+path, body)
	if err != nil {
		w.t.Error(err)
		return
	}
	request.Header.Set("Authorization", "Bearer secret-"+token)
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: rand.IntN(2) == 0}}
	defer client.CloseIdleConnections()
	if response, err := client.Do(request); err == nil {
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
	}
}

// queries asks what takes long, or much memory, or both, some of it only to go
// away.
func (w *worst) queries() {
	end := time.Now().Unix()
	queries := []string{
		"sum_over_time(vector(1)[15d:1ms])", "max_over_time(vector(1)[20d:1s])", "1" + strings.Repeat("+1", 8000),
		strings.Repeat("(", 8000) + "1" + strings.Repeat(")", 8000), `{__name__=~".*(a|b)*.*.*.*.*"}`,
		`count_values("v", {__name__=~".+"} + time())`, `{__name__=~".+"} + on(key) group_left {__name__=~".+"}`,
		"max_over_time(max_over_time(vector(1)[1h:1s])[1h:1s])", `label_replace({__name__=~".+"}, "a", "$1", "key", ".*(.*).*(.*).*")`,
	}
	form := url.Values{
		"query": {queries[rand.IntN(len(queries))]}, "match[]": {`{__name__=~".+"}`},
		"start": {fmt.Sprint(end - 1000)}, "end": {fmt.Sprint(end)}, "step": {[]string{"0.1", "1", "15"}[rand.IntN(3)]},
	}
	path := []string{"query", "query_range", "series", "format_query", "query_exemplars", "labels"}[rand.IntN(6)]
	w.ask(http.MethodPost, "/api/v1/"+path, "wall", strings.NewReader(form.Encode()))
}

// ranges asks for everything, many times over one connection, and hangs up.
func (w *worst) ranges() {
	w.over("wall", 16, func(peer *rpc.Peer) {
		_ = peer.Call(w.ctx, wire.HistoryRange.Name, wire.HistoryRangeParams{Pattern: "metrics/*", FromMS: -3_600_000, Points: 2000}, nil)
	})
}

func (w *worst) subscriptions() {
	w.over("wall", 64, func(peer *rpc.Peer) {
		_ = peer.Call(w.ctx, wire.MasterSubscribe.Name, wire.SubscribeParams{Pattern: "metrics/*"}, nil)
	})
}

// badCalls calls what is not allowed, and reports nonsense.
func (w *worst) badCalls() {
	w.over("evil", 32, func(peer *rpc.Peer) {
		_ = peer.Call(w.ctx, wire.MasterHello.Name, hello("evil"), nil)
		_ = peer.Call(w.ctx, wire.CatalogPush.Name, wire.PushParams{Code: script("x", rand.IntN(1000))}, nil)
		_ = peer.Call(w.ctx, wire.MasterHello.Name, hello("host-1"), nil)
		_ = peer.Call(w.ctx, wire.MasterReport.Name, wire.ReportParams{
			BootID: "b", Seq: rand.Uint64(),
			Columns: wire.Columns{T: []int64{1}, S: []uint32{9}, V: []float64{1}},
		}, nil)
	})
}

// over runs something many times at once over one connection of a credential.
func (w *worst) over(token string, times int, f func(*rpc.Peer)) {
	peer, err := rpc.Dial(w.ctx, w.URL(), rpc.DialOptions{Header: bearer(token)})
	if err != nil {
		w.pause(10 * time.Millisecond)
		return
	}
	var all sync.WaitGroup
	for range times {
		all.Go(func() { f(peer) })
	}
	if rand.IntN(2) == 0 {
		w.pause(time.Duration(rand.IntN(100)) * time.Millisecond)
		_ = peer.Close(rpc.CloseNormal, "")
	}
	all.Wait()
	_ = peer.Close(rpc.CloseNormal, "")
	peer.Wait()
}

// remoteWrite sends what unpacks to far more than it is.
func (w *worst) remoteWrite() {
	w.ask(http.MethodPut, "/api/v1/write", "evil", nil)
	w.ask(http.MethodPost, "/api/v1/write", "evil", bytes.NewReader(w.bomb))
	w.pause(100 * time.Millisecond)
}

func (w *worst) wrongTokens() {
	w.ask(http.MethodGet, loadQuery, fmt.Sprint("wrong-", rand.Int()), nil)
}

// halfRequests opens connections and says half of what one says.
func (w *worst) halfRequests() {
	for range 20 {
		w.raw([]string{"GET / HTTP/1.1\r\nHo", "POST /api/v1/query HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99\r\n\r\nq"}[rand.IntN(2)])
	}
}

func (w *worst) silentSockets() {
	for range 50 {
		w.raw("")
	}
	w.pause(10 * time.Millisecond)
}

// raw opens a connection, says something, and leaves it open until the end.
func (w *worst) raw(text string) {
	if runtime.NumGoroutine() > 20_000 {
		return
	}
	c, err := (&net.Dialer{}).DialContext(w.ctx, "tcp", w.Addr().String())
	if err != nil {
		return
	}
	_, _ = io.WriteString(c, text)
	go func() {
		stop := context.AfterFunc(w.ctx, func() { c.Close() })
		defer stop()
		_, _ = io.Copy(io.Discard, c) // until it is cut
		c.Close()
	}()
}
