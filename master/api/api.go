// Package api is the master as its callers see it: the methods of the RPC, who may
// call which, and the state of a connection.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vedettehq/vedette/master/alert"
	"github.com/vedettehq/vedette/master/auth"
	"github.com/vedettehq/vedette/master/boards"
	"github.com/vedettehq/vedette/master/catalog"
	"github.com/vedettehq/vedette/master/history"
	"github.com/vedettehq/vedette/master/history/admit"
	"github.com/vedettehq/vedette/master/hosts"
	"github.com/vedettehq/vedette/master/ingest"
	"github.com/vedettehq/vedette/master/join"
	"github.com/vedettehq/vedette/master/live"
	"github.com/vedettehq/vedette/master/tokens"
	"github.com/vedettehq/vedette/master/users"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	// heartbeatEvery is how often a subscriber gets a sign that the connection is
	// alive.
	heartbeatEvery = 15 * time.Second
	// loginWithin is how long a connection may stay without a login.
	loginWithin = 10 * time.Second
	// maxAnonymous bounds the connections that have not logged in, and
	// maxLoginBytes the messages that they may send.
	maxAnonymous  = 256
	maxLoginBytes = 64 << 10
	// maxWrongLogins is the number of wrong logins after which a connection is
	// closed.
	maxWrongLogins = 3
	// checksAtOnce is how many scripts of callers who may only look are checked at
	// a time. A push does not wait for them.
	checksAtOnce = 2
	// maxSubscriptions bounds the subscriptions of one connection.
	maxSubscriptions = 64
)

// Deps are what the methods work on.
type Deps struct {
	Log      *slog.Logger
	Name     string // of the master
	Version  string
	Started  time.Time
	Auth     *auth.Authenticator
	Hub      *live.Hub
	Registry *hosts.Registry
	Ingest   *ingest.Ingest
	History  *history.Store
	Catalog  *catalog.Catalog
	Tokens   *tokens.Store
	Users    *users.Store
	Boards   *boards.Store
	Alerts   *alert.Alerts
	Desk     *join.Desk
	MaxPeers int // connections
	// AuditReceivers returns the status of sending the audit log off this machine.
	AuditReceivers func() []wire.AuditReceiver
	Failures       *auth.Failures
}

// API serves the master's methods.
type API struct {
	Deps
	server        *rpc.Server // set by Server
	anonymous     atomic.Int64
	connections   shares // of callers and, before the login, of addresses
	subscriptions shares

	checks *admit.Gate // for scripts that are only looked at

	trials trials
	boosts boosts
	claims claims

	takingTokens sync.Mutex // held while made tokens are taken over

	agentsMu sync.Mutex
	agents   map[string]*rpc.Peer // guarded by agentsMu: connections by host
}

// New makes the API of a master.
func New(deps Deps) *API { return &API{Deps: deps, checks: admit.New(checksAtOnce)} }

// Server returns the RPC server, an http.Handler for wire.Path.
func (a *API) Server() *rpc.Server {
	a.server = &rpc.Server{
		Handler:      guard{a.methods()},
		Options:      rpc.Options{Log: a.Log, Compression: true},
		Authenticate: a.authenticate,
		CheckOrigin:  a.Auth.CheckOrigin,
		OnConnect:    a.connected,
		OnDisconnect: a.disconnected,
		MaxPeers:     a.MaxPeers,
	}
	return a.server
}

func (a *API) methods() *methods {
	m := newMethods(a)
	handle(m, wire.MasterLogin, a.login)
	handle(m, wire.MasterInfo, a.info)
	handle(m, wire.HostsList, a.hosts)
	handle(m, wire.HostsGet, a.host)
	handle(m, wire.HistoryRange, a.historyRange)
	handle(m, wire.InspectorsRelease, a.release)
	handle(m, wire.LogsGet, a.logs)
	handle(m, wire.MasterSubscribe, a.subscribe)
	handle(m, wire.MasterUnsubscribe, a.unsubscribe)
	// The order of an agent's messages matters: a series is declared before it is
	// used, and the last status is the one that holds.
	handle(m, wire.MasterHello, a.hello)
	handle(m, wire.MasterReport, a.report)
	handle(m, wire.MasterStatus, a.status)
	handle(m, wire.MasterReportMetric, a.reportMetric)
	a.catalogMethods(m)
	a.trialMethods(m)
	a.boostMethods(m)
	a.tokenMethods(m)
	a.userMethods(m)
	a.boardMethods(m)
	a.alertMethods(m)
	a.joinMethods(m)
	return m
}

// conn is the state of one connection.
type conn struct {
	login *time.Timer  // closes a connection that does not log in
	sent  atomic.Int64 // when a subscription last sent something, in ns since 1970
	// changing is not 0 while its caller changes what the caller is known by.
	changing atomic.Int32

	mu            sync.Mutex
	identity      *auth.Identity // nil until the login
	share         string         // whose connections this one counts among; "" if nobody's
	agent         *hosts.Agent   // after hello
	session       *ingest.Session
	pushed        *catalog.Session // after hello
	refusedTold   time.Time        // when refused samples were last logged
	subscriptions map[uint64]subscription
	nextID        uint64
	closed        bool
	wrong         int            // logins that failed
	readers       sync.WaitGroup // of subscriptions
}

// subscription is one running subscription.
type subscription struct {
	cancel context.CancelFunc
	owner  string // on whose account
}

func (a *API) authenticate(r *http.Request) (any, error) {
	identity, err := a.Auth.Request(r)
	if err != nil {
		return nil, err
	}
	if err := a.hasRoom(identity, r); err != nil {
		return nil, err
	}
	return &conn{identity: identity, subscriptions: make(map[uint64]subscription)}, nil
}

func (a *API) connected(peer *rpc.Peer) {
	c := connOf(peer)
	c.mu.Lock()
	defer c.mu.Unlock()
	name, most := a.share(c.identity, peer.RemoteAddr())
	if a.connections.take(name, most) {
		c.share = name
	} else {
		peer.Close(wire.CloseUnauthenticated, "too many connections")
	}
	if c.identity != nil {
		if !a.Auth.Valid(*c.identity) { // it may have changed since the connection was made
			peer.Close(wire.CloseUnauthenticated, revoked)
		}
		return
	}
	if a.anonymous.Add(1) > a.maxAnonymous() {
		peer.Close(wire.CloseUnauthenticated, "too many connections wait for a login")
		return
	}
	peer.SetReadLimit(maxLoginBytes)
	c.login = time.AfterFunc(loginWithin, func() {
		peer.Close(wire.CloseUnauthenticated, "no login within 10 s")
	})
}

func (a *API) disconnected(peer *rpc.Peer, _ error) {
	c := connOf(peer)
	c.mu.Lock()
	c.closed = true
	if c.identity == nil {
		a.anonymous.Add(-1)
	}
	if c.login != nil {
		c.login.Stop()
	}
	for _, s := range c.subscriptions {
		s.cancel()
		a.subscriptions.giveBack(s.owner)
	}
	clear(c.subscriptions)
	if c.share != "" {
		a.connections.giveBack(c.share)
	}
	agent, pushed := c.agent, c.pushed
	c.mu.Unlock()
	a.boosts.left(peer)
	c.readers.Wait()
	if agent != nil {
		a.agentWent(agent.Host, peer)
		a.trialsLeft(agent.Host, peer)
		a.Catalog.Disconnected(pushed)
		a.Registry.Disconnect(agent)
		a.Log.Info("agent disconnected", "host", agent.Host)
	}
}

func connOf(peer *rpc.Peer) *conn { return peer.Identity().(*conn) }

func (c *conn) lastSent() time.Time { return time.Unix(0, c.sent.Load()) }

func (c *conn) who() *auth.Identity {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.identity
}
