package master

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// guarded is a master with a token of each role.
func guarded(t *testing.T) *Master {
	return start(t, config.Master{Tokens: []config.Token{
		token("web-1", "agent", "web-1"), token("wall", "viewer", ""), token("ops", "operator", ""),
	}})
}

// rawRequest opens a connection and sends the beginning of something.
func rawRequest(t *testing.T, m *Master, text string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", m.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_, _ = io.WriteString(c, text) // it may have been cut by then
	return c
}

// Nobody keeps others out by holding connections that say nothing, half of a
// header, half of a body, or nothing any more.
func TestConnectionsOfNobody(t *testing.T) {
	m := guarded(t)
	agent := dial(t, m, nil, rpc.DialOptions{Header: bearer("web-1")})
	call[wire.HelloResult](t, agent, wire.MasterHello.Name, hello("web-1"))
	for n := range 600 {
		switch n % 4 {
		case 0:
			rawRequest(t, m, "")
		case 1:
			rawRequest(t, m, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Sl")
		case 2:
			rawRequest(t, m, "POST /api/v1/query HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nquer")
		case 3:
			c := rawRequest(t, m, "GET /-/healthy HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
			_ = c.SetReadDeadline(time.Now().Add(patience.Limit))
			_, _ = http.ReadResponse(bufio.NewReader(c), nil)
		}
	}
	if status, body := fetch(t, m, loadQuery, "Authorization", "Bearer secret-wall"); status != http.StatusOK {
		t.Errorf("a viewer got %d %s", status, body)
	}
	if result := call[wire.ReportResult](t, agent, wire.MasterReport.Name, wire.ReportParams{
		BootID: "boot", Seq: 1, Series: []wire.Series{{ID: 1, Key: "load/average-1"}},
		Columns: wire.Columns{T: []int64{time.Now().UnixMilli()}, S: []uint32{1}, V: []float64{1}},
	}); result.Refused != 0 {
		t.Errorf("the agent's report: %+v", result)
	}
	_, metrics := fetch(t, m, "/metrics", "Authorization", "Bearer secret-wall")
	for _, want := range []string{"vedette_http_connections ", "vedette_http_connections_cut_total "} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %s in %.300s", want, metrics)
		}
	}
	if open, cut := m.table.Plain(); open > m.table.Limits().PerAddress+5 || cut < 300 {
		t.Errorf("%d are open, %d were cut", open, cut)
	}
}

// WebSockets that do not log in are few for each address, and do not keep those
// out who send a token along.
func TestWebSocketsOfNobody(t *testing.T) {
	m := guarded(t)
	var refused, taken int
	for range 100 {
		peer, err := rpc.Dial(t.Context(), m.URL(), rpc.DialOptions{})
		var answer *rpc.HTTPError
		switch {
		case err == nil:
			taken++
			t.Cleanup(func() { peer.Close(rpc.CloseNormal, ""); peer.Wait() })
		case errors.As(err, &answer) && answer.Status == http.StatusServiceUnavailable && answer.RetryAfter > 0:
			refused++
		default:
			t.Fatal(err)
		}
	}
	if taken < 32 || taken > 70 || refused == 0 {
		t.Errorf("%d were taken, %d refused", taken, refused)
	}
	viewer := dial(t, m, nil, rpc.DialOptions{Header: bearer("wall")})
	call[wire.HostsResult](t, viewer, wire.HostsList.Name, nil)
}

// One credential has so many subscriptions over all of its connections, and gets
// them back when a connection goes.
func TestSubscriptionsOfOneCaller(t *testing.T) {
	m := guarded(t)
	subscribe := func(peer *rpc.Peer) error {
		return peer.Call(t.Context(), wire.MasterSubscribe.Name, wire.SubscribeParams{Pattern: "metrics/*"}, nil)
	}
	var peers []*rpc.Peer
	taken := 0
	for range 20 {
		peer := dial(t, m, nil, rpc.DialOptions{Header: bearer("wall")})
		peers = append(peers, peer)
		for range 64 {
			if err := subscribe(peer); err == nil {
				taken++
			} else if e := (*rpc.Error)(nil); !errors.As(err, &e) || e.Code != wire.CodeBusy {
				t.Fatal(err)
			}
		}
	}
	if taken != 1024 {
		t.Errorf("%d were taken", taken)
	}
	if err := subscribe(dial(t, m, nil, rpc.DialOptions{Header: bearer("ops")})); err != nil {
		t.Errorf("another credential: %v", err)
	}
	peers[0].Close(rpc.CloseNormal, "")
	peers[0].Wait()
	for deadline := time.Now().Add(patience.Limit); subscribe(peers[19]) != nil; {
		if time.Now().After(deadline) {
			t.Fatal("the subscriptions of a connection that went are not free")
		}
	}
}

// While samples come there are no heartbeats, on whichever subscription they
// come.
func TestNoHeartbeatsBetweenSamples(t *testing.T) {
	m := start(t, config.Master{})
	events, beats := make(notes, 100_000), make(notes, 100_000)
	watcher := dial(t, m, map[string]notes{wire.NotifyEvent.Name: events, wire.NotifyHeartbeat.Name: beats}, rpc.DialOptions{})
	for _, pattern := range []string{"metrics/*", "metrics/nothing/*"} {
		call[wire.SubscribeResult](t, watcher, wire.MasterSubscribe.Name, wire.SubscribeParams{Pattern: pattern})
	}
	agent := dial(t, m, nil, rpc.DialOptions{})
	call[wire.HelloResult](t, agent, wire.MasterHello.Name, hello("web-1"))
	const reports = 2000
	var all sync.WaitGroup
	for n := range reports {
		all.Go(func() {
			params := wire.ReportParams{
				BootID: "boot", Seq: uint64(n + 1), Series: []wire.Series{{ID: 1, Key: "load/average-1"}},
				Columns: wire.Columns{T: []int64{time.Now().UnixMilli() + int64(n)}, S: []uint32{1}, V: []float64{float64(n)}},
			}
			if err := agent.Call(t.Context(), wire.MasterReport.Name, params, nil); err != nil {
				t.Error(err)
			}
		})
		if n%50 == 0 {
			all.Wait()
		}
	}
	all.Wait()
	events.next(t)
	if n := len(beats); n > 0 {
		t.Errorf("%d heartbeats between the samples of %d reports", n, reports)
	}
}

// Calls that are refused in a loop make a few lines of the audit log, which say
// how many there were. So do wrong tokens, and nothing says what was wrong.
func TestRefusedCallsInALoop(t *testing.T) {
	m := guarded(t)
	viewer := dial(t, m, nil, rpc.DialOptions{Header: bearer("wall")})
	const calls = 400
	for n := range calls {
		params := map[string]string{"host": "web-1"}
		if e := refused(t, viewer, []string{wire.HostsLabel.Name, wire.InspectorsRelease.Name, wire.CatalogPush.Name}[n%3], params); e.Code != wire.CodeForbidden {
			t.Fatal(e)
		}
	}
	for n := range 5 {
		status, body := fetch(t, m, loadQuery, "Authorization", fmt.Sprintf("Bearer secret-wal%d", n))
		if status != http.StatusUnauthorized || strings.Contains(body, "wal") {
			t.Errorf("a wrong token gave %d %s", status, body)
		}
	}
	if err := m.catalog.FlushAudit(t.Context()); err != nil {
		t.Fatal(err)
	}
	ops := dial(t, m, nil, rpc.DialOptions{Header: bearer("ops")})
	lines := call[wire.AuditResult](t, ops, wire.AuditList.Name, wire.AuditParams{Limit: 1000}).Entries
	stands := make(map[string]int)
	for _, line := range lines {
		more := 0
		if _, err := fmt.Sscanf(line.Detail, "%d more", &more); err != nil {
			more = 1
		}
		stands[line.Who] += more
	}
	if len(lines) > 20 || stands["wall"] != calls || stands["nobody"] != 5 {
		t.Errorf("%d lines stand for %v", len(lines), stands)
	}
	if _, metrics := fetch(t, m, "/metrics", "Authorization", "Bearer secret-ops"); !strings.Contains(metrics, "vedette_auth_failures_total 5\n") {
		t.Error("the wrong tokens are not counted")
	}
}

// A connection that logs in wrongly some times is closed.
func TestWrongLogins(t *testing.T) {
	m := guarded(t)
	peer := dial(t, m, nil, rpc.DialOptions{})
	for range 3 {
		if e := refused(t, peer, wire.MasterLogin.Name, wire.LoginParams{Token: "secret-wrong"}); e.Code != wire.CodeUnauthenticated {
			t.Error(e)
		}
	}
	select {
	case <-peer.Done():
	case <-time.After(patience.Limit):
		t.Fatal("the connection stays open")
	}
	if code := closeCode(peer); code != wire.CloseUnauthenticated {
		t.Errorf("it was closed with %d", code)
	}
}

// One credential has so many connections, an agent's fewer, and others are let in
// beside them.
func TestConnectionsOfOneCredential(t *testing.T) {
	m := guarded(t)
	for name, most := range map[string]int{"web-1": 32, "wall": 256} {
		taken := 0
		for range most + 30 {
			peer, err := rpc.Dial(t.Context(), m.URL(), rpc.DialOptions{Header: bearer(name)})
			if answer, ok := errors.AsType[*rpc.HTTPError](err); ok && answer.Status == http.StatusServiceUnavailable {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { peer.Close(rpc.CloseNormal, ""); peer.Wait() })
			if peer.Call(t.Context(), wire.MasterInfo.Name, nil, nil) == nil { // and was not closed at once
				taken++
			}
		}
		if taken != most {
			t.Errorf("%d connections of %s were taken, want %d", taken, name, most)
		}
	}
	ops := dial(t, m, nil, rpc.DialOptions{Header: bearer("ops")})
	call[wire.HostsResult](t, ops, wire.HostsList.Name, nil)
}
