// Package master is the process in the middle of the mesh: it accepts agents,
// takes their samples, tells those who watch, and serves the browser
// application. This package is the wiring; what each part does is in the
// sub-packages.
package master

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/master/api"
	"github.com/vedettehq/vedette/master/auth"
	"github.com/vedettehq/vedette/master/hosts"
	"github.com/vedettehq/vedette/master/ingest"
	"github.com/vedettehq/vedette/master/live"
	"github.com/vedettehq/vedette/rpc"
)

const (
	// shutdownWithin is how long requests may take to end at a stop.
	shutdownWithin = 5 * time.Second
	// sweepEvery is how often series that fell silent are forgotten.
	sweepEvery = time.Minute
)

// Deps are what a master needs from outside.
type Deps struct {
	Log     *slog.Logger
	Version string
	// Web serves the browser application, at every path that is not taken.
	Web http.Handler
	// ClientScript serves the script at /api/client.
	ClientScript http.Handler
}

// Master is one master. New makes it, Run runs it once.
type Master struct {
	cfg  config.Master
	deps Deps

	hub      *live.Hub
	registry *hosts.Registry
	rpc      *rpc.Server
	http     *http.Server

	ready chan struct{} // closed when addr is set
	addr  net.Addr
}

// New checks the configuration and wires the parts. It starts nothing.
func New(cfg config.Master, deps Deps) (*Master, error) {
	authenticator, err := auth.New(cfg.Tokens)
	if err != nil {
		return nil, err
	}
	hub := live.NewHub()
	registry := hosts.New(cfg.GoneAfter, hub.Announce)
	server := api.New(api.Deps{
		Log: deps.Log, Name: cfg.Name, Version: deps.Version, Started: time.Now(),
		Auth: authenticator, Hub: hub, Registry: registry, Ingest: ingest.New(hub, registry),
	}).Server()
	routes, err := newRoutes(cfg, deps, authenticator, server)
	if err != nil {
		return nil, err
	}
	return &Master{
		cfg: cfg, deps: deps, hub: hub, registry: registry, rpc: server,
		http: &http.Server{
			Handler:           routes,
			ReadHeaderTimeout: 10 * time.Second,
			ErrorLog:          slog.NewLogLogger(deps.Log.Handler(), slog.LevelDebug),
		},
		ready: make(chan struct{}),
	}, nil
}

// Ready is closed when the master accepts connections.
func (m *Master) Ready() <-chan struct{} { return m.ready }

// Addr returns the address that the master listens on, after Ready.
func (m *Master) Addr() net.Addr { return m.addr }

// URL returns the address to open in a browser on this machine, after Ready.
func (m *Master) URL() string {
	scheme := "http"
	if m.cfg.TLS.Cert != "" {
		scheme = "https"
	}
	host := m.addr.String()
	if tcp, ok := m.addr.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		host = net.JoinHostPort("127.0.0.1", strconv.Itoa(tcp.Port))
	}
	return scheme + "://" + host
}

// Run listens and serves until ctx ends, and returns nil when everything has
// stopped. It returns an error where the master could not listen or serve.
func (m *Master) Run(ctx context.Context) error {
	listener, err := m.listen()
	if err != nil {
		return err
	}
	m.addr = listener.Addr()
	close(m.ready)
	m.deps.Log.Info("master listens", "url", m.URL())

	running, stop := context.WithCancel(ctx)
	var background sync.WaitGroup
	background.Go(func() { m.registry.Run(running) })
	background.Go(func() { m.sweep(running) })
	served := make(chan error, 1)
	go func() { served <- m.serve(listener) }()

	select {
	case err = <-served:
		err = fmt.Errorf("cannot serve on %s: %w", m.addr, err)
	case <-ctx.Done():
	}
	stop()
	background.Wait()
	if shut := m.shutdown(); err == nil {
		err = shut
	}
	m.deps.Log.Info("master stopped")
	return err
}

func (m *Master) serve(listener net.Listener) error {
	if m.cfg.TLS.Cert != "" {
		return m.http.ServeTLS(listener, m.cfg.TLS.Cert, m.cfg.TLS.Key)
	}
	return m.http.Serve(listener)
}

// shutdown closes the WebSockets first: the HTTP server does not know of them.
func (m *Master) shutdown() error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownWithin)
	defer cancel()
	return errors.Join(m.rpc.Shutdown(ctx), m.http.Shutdown(ctx))
}

func (m *Master) sweep(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			m.hub.Sweep(now)
		}
	}
}
