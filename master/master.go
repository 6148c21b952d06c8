// Package master is the process in the middle of the mesh: it accepts agents,
// takes their samples, sends them to those who watch, and serves the browser
// application. This package is the wiring; the work is done in the sub-packages.
package master

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/sdnotify"
	"github.com/vedettehq/vedette/master/alert"
	"github.com/vedettehq/vedette/master/api"
	"github.com/vedettehq/vedette/master/artefacts"
	"github.com/vedettehq/vedette/master/audit/offhost"
	"github.com/vedettehq/vedette/master/auth"
	"github.com/vedettehq/vedette/master/boards"
	"github.com/vedettehq/vedette/master/catalog"
	"github.com/vedettehq/vedette/master/conns"
	"github.com/vedettehq/vedette/master/history"
	"github.com/vedettehq/vedette/master/history/forward"
	"github.com/vedettehq/vedette/master/history/receive"
	"github.com/vedettehq/vedette/master/hosts"
	"github.com/vedettehq/vedette/master/ingest"
	"github.com/vedettehq/vedette/master/join"
	"github.com/vedettehq/vedette/master/live"
	"github.com/vedettehq/vedette/master/login"
	"github.com/vedettehq/vedette/master/oidc"
	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/master/tokens"
	"github.com/vedettehq/vedette/master/twopersons"
	"github.com/vedettehq/vedette/master/users"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	// shutdownWithin is how long requests may take to end when the master stops.
	shutdownWithin = 5 * time.Second
	// sweepEvery is how often silent series are forgotten.
	sweepEvery = time.Minute
	// lookAtDescriptorsEvery is how soon the history gets the reserved descriptors
	// if no connection notices that there are no others.
	lookAtDescriptorsEvery = 250 * time.Millisecond
	// sweepProgramsEvery is how often unreferenced programs are removed, and
	// programGrace how long a program may wait for its push.
	sweepProgramsEvery = time.Hour
	programGrace       = 24 * time.Hour
	// lookAtTokensEvery is how often to look for connections whose token has
	// expired.
	lookAtTokensEvery = time.Second
	// keepSessionsEvery is how often sessions are checked: those with an open page
	// are in use, others may have expired.
	keepSessionsEvery = 15 * time.Second
	// keepAuditEvery is how often the audit log is trimmed.
	keepAuditEvery = 10 * time.Second
	// openWithin is how long Ready waits for the history: usually it is open at
	// once, and no agent has to try again.
	openWithin = time.Second
)

// Deps are the things that a master needs from outside.
type Deps struct {
	Log     *slog.Logger
	Version string
	// Web serves the browser application, at every path without a handler.
	Web http.Handler
	// Build builds a script that has passed the check, to see whether it builds.
	// If it is nil, scripts are not built. See catalog.Options.
	Build func(ctx context.Context, d inspectors.Definition) error
	// ClientScript serves the script at /api/client.
	ClientScript http.Handler
	// Notify is told when the history is open, and that its writer makes progress.
	// It may be nil.
	Notify *sdnotify.Notifier
	// PasswordCost is the work of hashing a password; the zero value is what RFC
	// 9106 recommends.
	PasswordCost users.Cost
}

// Master is one master. New makes it, Run runs it once.
type Master struct {
	cfg  config.Master
	deps Deps

	hub      *live.Hub
	registry *hosts.Registry
	history  *history.Store
	ingest   *ingest.Ingest
	alerts   *alert.Alerts
	catalog  *catalog.Catalog
	programs *artefacts.Store
	forward  []*forward.Forwarder
	audit    []*offhost.Sender
	rpc      *rpc.Server
	http     *http.Server
	table    *conns.Table // of http
	auth     *auth.Authenticator
	api      *api.API
	tokens   *tokens.Store
	users    *users.Store
	login    *login.Handler
	oidc     *oidc.Provider // or nil
	boards   *boards.Store
	desk     *join.Desk      // where hosts join
	rule     twopersons.Rule // of the configuration that it was started with

	remembered state.Store // from remember on

	prometheus http.Handler    // the HTTP API of the history
	received   *receive.Memory // of what other tools send

	certificate certificate
	// alertsChanged is rung when an alert fires or ends, or somebody was told.
	alertsChanged chan struct{}

	ready chan struct{} // closed when addr and key are set
	addr  net.Addr
	key   string // for other users of this machine, or empty
	first string // the link of the first admin, or empty
}

// New checks the configuration and wires the parts. It starts nothing.
func New(cfg config.Master, deps Deps) (*Master, error) {
	authenticator, err := auth.New(cfg.Tokens)
	if err != nil {
		return nil, err
	}
	forwarders, err := newForwarders(cfg, deps)
	if err != nil {
		return nil, err
	}
	senders, err := offhost.New(cfg.Audit, deps.Log, deps.Version)
	if err != nil {
		return nil, err
	}
	store, err := history.New(historyOptions(cfg, deps, forwarders))
	if err != nil {
		return nil, err
	}
	m := &Master{
		cfg: cfg, deps: deps, auth: authenticator, history: store, forward: forwarders, audit: senders,
		prometheus: store.Handler(), received: receive.NewMemory(), hub: live.NewHub(), programs: artefactStore(cfg),
		table: conns.New(conns.LimitsFor(conns.Descriptors())), ready: make(chan struct{}), alertsChanged: make(chan struct{}, 1),
	}
	if m.rule, err = twopersons.New(cfg.TwoPersons); err != nil {
		return nil, err
	}
	if m.alerts, err = m.newAlerts(); err != nil {
		return nil, err
	}
	m.catalog = catalog.New(catalog.Options{
		Log: deps.Log, Announce: m.hub.Announce, Builder: deps.Build, HasArtefact: m.hasProgram,
		Standing: func(person string) (string, bool) { return m.users.Standing(person) },
		HasToken: func(checksum string) bool { return m.tokens.Kept(checksum) },
	})
	m.registry = hosts.New(cfg.GoneAfter, func(host wire.Host) {
		m.hub.Announce("hosts/"+host.Host, host)
		m.catalog.HostChanged(host)
	})
	m.ingest = ingest.New(store, m.hub, m.registry)
	if err := m.makeDoors(); err != nil {
		return nil, err
	}
	m.boards = boards.New(m.hub.Announce)
	m.api = api.New(api.Deps{
		Log: deps.Log, Name: cfg.Name, Version: deps.Version, Started: time.Now(), Auth: authenticator,
		Hub: m.hub, Registry: m.registry, History: store, Ingest: m.ingest, Catalog: m.catalog, Tokens: m.tokens, Users: m.users, Desk: m.desk,
		Boards: m.boards, Alerts: m.alerts, MaxPeers: m.table.Limits().Peers,
		AuditReceivers: m.auditReceivers,
	})
	failures := auth.NewFailures(deps.Log, m.api.NoteWrong)
	m.api.Failures = failures
	m.login = &login.Handler{
		Log: deps.Log, Users: m.users, Auth: authenticator, OIDC: m.oidc, Audit: m.api.Audit, Slow: failures.Slow,
		Cut: func() { m.cutRevoked("of people who have logged out") },
	}
	m.rpc = m.api.Server()
	m.observe(failures)
	static, err := staticRoutes(cfg)
	if err != nil {
		return nil, err
	}
	mux, err := m.newMux(append(routes(), static...))
	if err != nil {
		return nil, err
	}
	m.http = newServer(deps.Log, identified(authenticator, failures, m.table, mux), m.table)
	return m, nil
}

// hasProgram reports whether a program of a plugin is stored, and if so keeps it
// for another while.
func (m *Master) hasProgram(want wire.Artefact) bool {
	have, err := m.programs.Touch(want.SHA256)
	return err == nil && have == want
}

// artefactStore returns the store of plugin programs.
func artefactStore(cfg config.Master) *artefacts.Store {
	if cfg.Data == "" {
		return artefacts.New("")
	}
	return artefacts.New(filepath.Join(cfg.Data, "artefacts"))
}

// historyOptions says where and for how long samples are kept.
func historyOptions(cfg config.Master, deps Deps, forwarders []*forward.Forwarder) history.Options {
	h := cfg.History
	o := history.Options{
		Retention: h.Retention, MaxBytes: int64(h.MaxBytes), MinFreeBytes: int64(h.MinFreeBytes), OutOfOrder: h.OutOfOrder,
		MaxSeriesPerHost: h.MaxSeriesPerHost, MaxSeries: h.MaxSeries, Log: deps.Log, Version: deps.Version,
		Alive: deps.Notify.Alive,
	}
	if h.Persist {
		o.Dir = filepath.Join(cfg.Data, "history")
	}
	for _, f := range forwarders {
		o.Forward = append(o.Forward, f)
	}
	return o
}

// Ready is closed when the master accepts connections. The history may still be
// reading the data of the last run; until it has, agents are asked to wait.
func (m *Master) Ready() <-chan struct{} { return m.ready }

// Addr returns the address that the master listens on, after Ready.
func (m *Master) Addr() net.Addr { return m.addr }

// URL returns the address to open in a browser on this machine, after Ready.
func (m *Master) URL() string {
	scheme := "http"
	if m.cfg.Secure() {
		scheme = "https"
	}
	host := m.addr.String()
	if tcp, ok := m.addr.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		host = net.JoinHostPort("127.0.0.1", strconv.Itoa(tcp.Port))
	}
	return scheme + "://" + host
}

// Run listens and serves until ctx ends, and returns nil when everything has
// stopped. It returns an error if the master could not listen or serve, or could
// not open its state or its history.
//
// The listener is up before the history, so that agents find a master and wait. It
// is down before the history closes, so that every acknowledged sample is stored.
// The state is open before anything is served, and closes after everything has
// been.
func (m *Master) Run(ctx context.Context) error {
	listener, err := m.listen()
	if err != nil {
		return err
	}
	m.addr = listener.Addr()
	reserve := conns.NewReserve(m.deps.Log)
	defer reserve.Close()
	remembered, err := m.remember(ctx)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	m.deps.Log.Info("master listens", "url", m.URL())

	keeping, stopKeeping := context.WithCancel(context.WithoutCancel(ctx))
	defer stopKeeping()
	kept := run(func() error { return m.keep(keeping) })
	running, stop := context.WithCancel(ctx)
	defer stop()
	var background sync.WaitGroup
	background.Go(func() { m.registry.Run(running) })
	background.Go(func() { every(running, sweepEvery, m.hub.Sweep) })
	background.Go(func() { m.annotate(running) })
	background.Go(func() { m.catalog.Run(running) })
	if m.oidc != nil {
		background.Go(func() { m.oidc.Look(running, m.deps.Log) })
	}
	background.Go(func() { m.alert(running) })
	background.Go(func() { m.announceAlerts(running) })
	background.Go(func() { m.alertOfProbes(running) })
	background.Go(func() {
		every(running, sweepProgramsEvery, func(now time.Time) { m.sweepPrograms(running, now.Add(-programGrace)) })
	})
	background.Go(func() { every(running, lookAtTokensEvery, func(now time.Time) { m.endTokens(running, now) }) })
	background.Go(func() { every(running, keepSessionsEvery, func(now time.Time) { m.keepSessions(running, now) }) })
	background.Go(func() { every(running, keepAuditEvery, func(now time.Time) { m.keepAudit(running, now) }) })
	for _, sender := range m.audit {
		background.Go(func() { sender.Run(running, remembered) })
	}
	background.Go(func() { every(running, lookAtDescriptorsEvery, func(time.Time) { reserve.Look() }) })
	served := run(func() error { return m.serve(reserve.Listener(listener)) })
	background.Go(func() { m.announce(running, kept.done) })
	background.Go(func() {
		select {
		case <-m.history.Ready():
			m.deps.Notify.Ready()
		case <-running.Done():
		}
	})

	select {
	case <-served.done:
		err = fmt.Errorf("cannot serve on %s: %w", m.addr, served.err)
	case <-kept.done: // its error is returned below
	case <-ctx.Done():
	}
	m.deps.Notify.Stopping()
	stop()
	background.Wait()
	if shut := m.shutdown(); err == nil {
		err = shut
	}
	<-served.done
	stopKeeping()
	<-kept.done
	forgotten := errors.Join(m.catalog.FlushAudit(context.WithoutCancel(ctx)), m.catalog.Flush(context.WithoutCancel(ctx)))
	m.deps.Log.Info("master stopped")
	return errors.Join(kept.err, err, forgotten, remembered.Close())
}

// stateFile is the file of the state in the master's data folder.
const stateFile = "state.db"

// remember opens the state, and loads its content.
func (m *Master) remember(ctx context.Context) (state.Store, error) {
	if err := os.MkdirAll(m.cfg.Data, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the master's data folder: %w", err)
	}
	if err := checkRestored(m.cfg.Data); err != nil {
		return nil, err
	}
	if m.auth.Open() {
		key, err := localKey(m.cfg.Data)
		if err != nil {
			return nil, err
		}
		m.key = key
		m.auth.SetKey(key)
	}
	store, err := state.Open(filepath.Join(m.cfg.Data, stateFile))
	if errors.Is(err, state.ErrLocked) {
		err = fmt.Errorf("%w; stop that, or choose another folder with --data", err)
	}
	if err != nil {
		return nil, err
	}
	if err := m.catalog.Open(ctx, store); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	if err := m.catalog.SetTwoPersons(ctx, m.rule); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	if err := errors.Join(m.openDoors(ctx, store), m.alerts.Open(ctx, store)); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	if err := m.boards.Open(ctx, store); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	known, given := m.catalog.Hosts()
	for i := range known {
		m.registry.Restore(known[i], given[i])
	}
	m.remembered = store
	return store, nil
}

// keep runs the history inside the forwarders, so that they receive all samples
// before the history acknowledges them.
func (m *Master) keep(ctx context.Context) error {
	forwarding, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	keeping, fail := context.WithCancel(ctx)
	defer fail()
	var tasks []*task
	for _, f := range m.forward {
		tasks = append(tasks, run(func() error {
			err := f.Run(forwarding)
			if err != nil {
				fail() // samples that cannot be forwarded must not be acknowledged
			}
			return err
		}))
	}
	for i, f := range m.forward {
		select {
		case <-f.Ready():
		case <-tasks[i].done:
		}
	}
	err := m.history.Run(keeping)
	stop()
	for _, t := range tasks {
		<-t.done
		err = errors.Join(err, t.err)
	}
	return err
}

// task is a function that runs. done is closed when it has returned err.
type task struct {
	done chan struct{}
	err  error
}

func run(f func() error) *task {
	t := &task{done: make(chan struct{})}
	go func() {
		defer close(t.done)
		t.err = f()
	}()
	return t
}

// announce closes ready when the history is open or takes long to open, but not if
// it has failed.
func (m *Master) announce(ctx context.Context, failed <-chan struct{}) {
	patience := time.NewTimer(openWithin)
	defer patience.Stop()
	select {
	case <-failed:
		return
	case <-ctx.Done():
		return
	case <-m.history.Ready():
	case <-patience.C:
	}
	close(m.ready)
}

func (m *Master) serve(listener net.Listener) error {
	if !m.cfg.Secure() {
		return m.http.Serve(listener)
	}
	m.http.TLSConfig = m.tlsConfig()
	return m.http.ServeTLS(listener, "", "")
}

// shutdown closes the WebSockets first, because the HTTP server does not know
// them. Requests that do not end in time are cut off, which ends their contexts.
func (m *Master) shutdown() error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownWithin)
	defer cancel()
	closed := m.rpc.Shutdown(ctx)
	err := m.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		m.deps.Log.Warn("requests that have not ended are cut off", "waited", shutdownWithin)
		err = m.http.Close()
	}
	return errors.Join(closed, err)
}

// every calls f again and again until ctx ends.
func every(ctx context.Context, interval time.Duration, f func(now time.Time)) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			f(now)
		}
	}
}

// keepAudit trims the audit log.
func (m *Master) keepAudit(ctx context.Context, now time.Time) {
	if err := m.catalog.KeepAudit(ctx, now); err != nil && ctx.Err() == nil {
		m.deps.Log.Error("the audit log cannot be kept in bounds", "error", err)
	}
}

// sweepPrograms removes unreferenced programs that were stored before a time.
func (m *Master) sweepPrograms(ctx context.Context, before time.Time) {
	keep, err := m.catalog.Programs(ctx)
	if err != nil {
		m.deps.Log.Error("cannot find out which programs are needed; all are kept", "error", err)
		return
	}
	removed, err := m.programs.Sweep(keep, before)
	if err != nil {
		m.deps.Log.Error("cannot remove programs that are not needed", "error", err)
	}
	for _, program := range removed {
		m.deps.Log.Info("a program that no revision names is removed", "sha256", program.SHA256, "bytes", program.Size)
	}
}
