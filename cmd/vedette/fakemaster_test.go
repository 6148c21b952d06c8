package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// canned is a fake master's answer to one method: a result, an error, or the results of
// consecutive calls. The last result is repeated.
type canned struct {
	Result json.RawMessage   `json:"result"`
	Each   []json.RawMessage `json:"each"`
	Error  *rpc.Error        `json:"error"`
}

// fake is a master that gives the answers in a file, over a real connection. It logs
// requests, so that scripts can look at them.
type fake struct {
	Methods map[string]canned `json:"methods"`
	// Events are sent to a subscriber of the start of their path, up to a *.
	Events []wire.Event `json:"events"`

	mu    sync.Mutex // guards the fields below, and standard error
	calls map[string]int
}

// fakeMaster is the program fake-master FILE.
func fakeMaster() {
	text, err := os.ReadFile(os.Args[1])
	f := &fake{calls: make(map[string]int)}
	if err == nil {
		err = json.Unmarshal(text, f)
	}
	if err == nil {
		err = f.serve()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (f *fake) serve() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle(wire.Path, &rpc.Server{Handler: rpc.HandlerFunc(f.answer)})
	mux.HandleFunc(wire.ArtefactPath, f.artefact)
	fmt.Println("Open http://" + l.Addr().String())
	return (&http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}).Serve(l)
}

func (f *fake) print(line string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fmt.Fprintln(os.Stderr, line)
}

func (f *fake) answer(ctx context.Context, req *rpc.Request) (any, error) {
	var params json.RawMessage
	_ = req.Decode(&params)
	f.print(req.Method + " " + string(params))
	if req.Method == wire.MasterSubscribe.Name {
		var p wire.SubscribeParams
		if err := json.Unmarshal(params, &p); err != nil {
			return nil, err
		}
		return wire.SubscribeResult{Subscription: 1}, f.send(ctx, req.Peer, p.Pattern)
	}
	c, ok := f.Methods[req.Method]
	switch {
	case !ok:
		return nil, rpc.Errorf(rpc.CodeMethodNotFound, "there is no method %q", req.Method)
	case c.Error != nil:
		return nil, c.Error
	case len(c.Each) > 0:
		f.mu.Lock()
		defer f.mu.Unlock()
		n := min(f.calls[req.Method], len(c.Each)-1)
		f.calls[req.Method]++
		return c.Each[n], nil
	}
	return c.Result, nil
}

// send sends the events of a subscription.
func (f *fake) send(ctx context.Context, p *rpc.Peer, pattern string) error {
	start, _, _ := strings.Cut(pattern, "*")
	for _, e := range f.Events {
		if strings.HasPrefix(e.Path, start) {
			if err := p.Notify(ctx, wire.NotifyEvent.Name, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// artefact accepts programs, and has none.
func (f *fake) artefact(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	f.print(fmt.Sprintf("%s %s %d bytes %s", r.Method, r.URL.Path, len(body), r.Header.Get("Authorization")))
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
	case r.Method == http.MethodHead:
		w.WriteHeader(http.StatusNotFound)
	}
}
