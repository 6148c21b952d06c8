package conns

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/vedettehq/vedette/internal/patience"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs a server with a table. A request to /proved is one with good
// credentials.
func serve(t *testing.T, limits Limits) (*Table, string) {
	t.Helper()
	table := New(limits)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/proved" {
			table.Prove(r)
		}
		io.WriteString(w, "here")
	}))
	table.Watch(server.Config)
	server.Start()
	t.Cleanup(server.Close)
	return table, server.Listener.Addr().String()
}

func dialAddr(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// ask sends a request on a connection that stays open, and reports whether it
// was answered.
func ask(c net.Conn, path string) bool {
	_ = c.SetDeadline(time.Now().Add(patience.Limit))
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path); err != nil {
		return false
	}
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, response.Body)
	return err == nil && response.StatusCode == http.StatusOK
}

// Whoever floods a server with connections that do nothing keeps nobody out, and
// does not cost those their connection who have proved who they are.
func TestAFloodKeepsNobodyOut(t *testing.T) {
	table, address := serve(t, Limits{Plain: 40, PerAddress: 20})
	proved := dialAddr(t, address)
	if !ask(proved, "/proved") {
		t.Fatal("no answer before the flood")
	}
	for n := range 500 {
		c := dialAddr(t, address)
		switch rand.IntN(3) {
		case 0:
			fmt.Fprint(c, "GET / HTTP/1.1\r\nHo") // and never more
		case 1:
			ask(c, "/")
		}
		if n%50 == 0 && !ask(dialAddr(t, address), "/") {
			t.Errorf("a newcomer is not answered after %d", n)
		}
	}
	if !ask(proved, "/") {
		t.Error("the connection of somebody known was cut")
	}
	if open, cut := table.Plain(); open > 40 || cut < 400 {
		t.Errorf("%d are open, %d were cut", open, cut)
	}
}

// Connections in any order of events leave nothing behind, and never exceed the
// limits.
func TestConnectionsByChance(t *testing.T) {
	limits := Limits{Plain: 30, PerAddress: 5}
	table := New(limits)
	var open []*fake
	for range 20_000 {
		switch n := rand.IntN(6); {
		case n == 0 || len(open) == 0:
			c := &fake{address: net.TCPAddr{IP: net.IPv4(10, 0, 0, byte(rand.IntN(12))), Port: 1}}
			open = append(open, c)
			table.changed(c, http.StateNew)
		default:
			i := rand.IntN(len(open))
			c := open[i]
			states := []http.ConnState{0: http.StateActive, 1: http.StateIdle, 2: http.StateClosed, 3: http.StateHijacked}
			state := states[rand.IntN(4)]
			table.changed(c, state)
			if known := table.plain[c]; known != nil && rand.IntN(3) == 0 {
				if !known.proved {
					table.uncountLocked(known.address)
				}
				known.proved = true
			}
			if state == http.StateClosed || state == http.StateHijacked || c.closed.Load() {
				table.changed(c, http.StateClosed)
				open = append(open[:i], open[i+1:]...)
			}
		}
		count := make(map[string]int)
		for _, known := range table.plain {
			if !known.proved {
				count[known.address]++
			}
		}
		for address, n := range count {
			if n > limits.PerAddress || table.address[address] != n {
				t.Fatalf("%s has %d connections, counted %d", address, n, table.address[address])
			}
		}
		if len(table.plain) > limits.Plain || len(count) != len(table.address) {
			t.Fatalf("%d are open, %v against %v", len(table.plain), count, table.address)
		}
	}
	for _, c := range open {
		table.changed(c, http.StateClosed)
	}
	if len(table.plain)+len(table.address) != 0 {
		t.Errorf("left: %v %v", table.plain, table.address)
	}
}

// fake is a connection from anywhere.
type fake struct {
	net.Conn
	address net.TCPAddr
	closed  atomic.Bool
}

func (f *fake) RemoteAddr() net.Addr { return &f.address }
func (f *fake) Close() error         { f.closed.Store(true); return nil }

func TestLimitsLeaveDescriptors(t *testing.T) {
	for descriptors := 64; descriptors < 1<<21; descriptors += 1 + descriptors/7 {
		l := LimitsFor(descriptors)
		if l.Plain < 1 || l.Peers < 1 || l.PerAddress < 1 || l.PerAddress > l.Plain {
			t.Fatalf("%d descriptors: %+v", descriptors, l)
		}
		if left := descriptors - l.Plain - l.Peers; left < min(descriptors/4, keptBack) {
			t.Fatalf("%d descriptors: %+v leaves %d", descriptors, l, left)
		}
	}
	if l := LimitsFor(1024); l.Plain+l.Peers > 768 {
		t.Errorf("of 1024: %+v", l)
	}
}

// A body that drips is given up; one that comes slowly but steadily is not.
func TestBodiesMustCome(t *testing.T) {
	for _, drip := range []struct {
		bytes int
		every time.Duration
		whole bool
	}{{1, 5 * time.Second, false}, {1, time.Minute, false}, {8 << 10, time.Second, true}, {100, 10 * time.Millisecond, true}} {
		synctest.Test(t, func(t *testing.T) {
			client, connection := net.Pipe()
			read := make(chan error, 1)
			server := &http.Server{Handler: Bodies(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				_, err := io.Copy(io.Discard, r.Body)
				read <- err
			}))}
			listener := &once{conn: connection, done: make(chan struct{})}
			served := make(chan struct{})
			go func() { defer close(served); _ = server.Serve(listener) }()
			const length = 400 << 10
			var others sync.WaitGroup
			others.Go(func() {
				fmt.Fprintf(client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", length)
				for sent := 0; sent < length; sent += drip.bytes {
					if _, err := client.Write(make([]byte, min(drip.bytes, length-sent))); err != nil {
						return
					}
					<-time.After(drip.every)
				}
			})
			others.Go(func() { _, _ = io.Copy(io.Discard, client) })
			began := time.Now()
			err := <-read
			if (err == nil) != drip.whole {
				t.Errorf("%d bytes every %v: %v after %v", drip.bytes, drip.every, err, time.Since(began))
			}
			if !drip.whole && time.Since(began) > 2*bodyGrace {
				t.Errorf("%d bytes every %v: given up after %v", drip.bytes, drip.every, time.Since(began))
			}
			client.Close()
			server.Close()
			<-served
			others.Wait()
		})
	}
}

// once is a listener with one connection.
type once struct {
	conn net.Conn
	done chan struct{}
}

func (o *once) Accept() (net.Conn, error) {
	if c := o.conn; c != nil {
		o.conn = nil
		return c, nil
	}
	<-o.done
	return nil, errors.New("no more")
}

func (o *once) Close() error   { close(o.done); return nil }
func (o *once) Addr() net.Addr { return &net.TCPAddr{} }
