package master

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/vedettehq/vedette/master/auth"
	"github.com/vedettehq/vedette/master/conns"
)

// How long the parts of a request may take. A body has its own deadline, by its
// length; none of these applies to a WebSocket.
const (
	headersWithin = 10 * time.Second
	// answerWithin is the time from the headers of a request to the end of its
	// answer. A handler with more to send extends it.
	answerWithin = 5 * time.Minute
	// idleWithin is how long a connection may wait for its next request.
	idleWithin = 2 * time.Minute
	// maxHeaderBytes is enough for a query with the longest expression in a URL.
	maxHeaderBytes = 64 << 10
)

// newServer makes the HTTP server of a master.
func newServer(log *slog.Logger, handler http.Handler, table *conns.Table) *http.Server {
	server := &http.Server{
		Handler:           conns.Bodies(handler),
		ReadHeaderTimeout: headersWithin,
		WriteTimeout:      answerWithin,
		IdleTimeout:       idleWithin,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	table.Watch(server)
	return server
}

// identified finds out once who sent a request, for all later calls of the
// authenticator. It gives the connections of known callers precedence, and delays
// callers with wrong credentials.
func identified(authenticator *auth.Authenticator, failures *auth.Failures, table *conns.Table, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		identity, err := authenticator.Request(r)
		if identity != nil {
			table.Prove(r)
		}
		if err != nil && !errors.Is(err, auth.ErrEnded) && failures.Wrong(r.Context(), r.RemoteAddr) {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, auth.Remember(r, identity, err))
	})
}
