// Package login has people log in over HTTP, with a password or at a provider: a browser
// gets the cookie of a session, a program a token.
package login

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/vedettehq/vedette/master/audit"
	"github.com/vedettehq/vedette/master/auth"
	"github.com/vedettehq/vedette/master/oidc"
	"github.com/vedettehq/vedette/master/users"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// MaxBody bounds what a request may send.
const MaxBody = 8 << 10

// Handler serves the log-in of people.
type Handler struct {
	Log   *slog.Logger
	Users *users.Store
	Auth  *auth.Authenticator
	// OIDC is the provider at which people log in, or nil.
	OIDC *oidc.Provider
	// Audit adds a line to the audit log.
	Audit func(context.Context, wire.AuditEntry)
	// Slow has whoever is wrong wait, and reports whether the connection is to be closed.
	Slow func(ctx context.Context, remote string) bool
	// Cut closes the connections of those who are not logged in any more.
	Cut func()
}

// The actions of the audit log.
const (
	actionLogin  = "users.login"
	actionLogout = "users.logout"
	actionChoose = "users.passwd"
)

// ServeWays tells how one can log in, and who is logged in.
func (h *Handler) ServeWays(w http.ResponseWriter, r *http.Request) {
	ways := wire.LoginWays{Users: h.Users.Any()}
	if h.OIDC != nil {
		ways.Provider = &wire.LoginProvider{Name: h.OIDC.Name(), URL: h.OIDC.Start()}
	}
	if who, err := h.Auth.Request(r); err == nil && who != nil && who.IsPerson() {
		ways.Who = who.Name
	}
	answer(w, http.StatusOK, ways)
}

// ServeLogin logs a user in.
func (h *Handler) ServeLogin(w http.ResponseWriter, r *http.Request) {
	var p wire.LoginRequest
	if !decode(w, r, &p) {
		return
	}
	u, err := h.Users.Check(r.Context(), p.Name, p.Password, r.RemoteAddr)
	if err != nil {
		h.refuse(w, r, actionLogin, p.Name, err)
		return
	}
	h.begin(w, r, u, !p.Token, p.ForMS)
}

// begin makes the session of a user, and answers with it.
func (h *Handler) begin(w http.ResponseWriter, r *http.Request, u users.User, browser bool, forMS int64) {
	attempt := audit.NewAttempt(u.Name, u.Role, r.RemoteAddr, actionLogin)
	secret, session, err := h.Users.Begin(audit.With(r.Context(), attempt), u, browser, r.RemoteAddr, forMS)
	if err != nil {
		h.refuse(w, r, actionLogin, u.Name, err)
		return
	}
	said := wire.LoginAnswer{Name: u.Name, Role: u.Role, EndsMS: session.EndsMS}
	if browser {
		auth.SetCookie(w, r, secret, time.UnixMilli(session.EndsMS))
	} else {
		said.Token = secret
	}
	answer(w, http.StatusOK, said)
}

// ServeLogout ends the session of whoever asks.
func (h *Handler) ServeLogout(w http.ResponseWriter, r *http.Request) {
	who := auth.Of(r.Context())
	if !who.IsPerson() {
		http.Error(w, "The credential "+who.Name+" is no user's: there is no session to end.", http.StatusConflict)
		return
	}
	attempt := audit.NewAttempt(who.Name, string(who.Role), r.RemoteAddr, actionLogout)
	if err := h.Users.End(audit.With(r.Context(), attempt), who.Session()); err != nil {
		h.refuse(w, r, actionLogout, who.Name, err)
		return
	}
	h.Cut()
	auth.DropCookie(w, r)
	w.WriteHeader(http.StatusNoContent)
}

// ServePassword takes the password of whoever has a link, and logs them in. Without a
// password it tells whom the link is for.
func (h *Handler) ServePassword(w http.ResponseWriter, r *http.Request) {
	var p wire.PasswordRequest
	if !decode(w, r, &p) {
		return
	}
	if p.Password == "" {
		name, err := h.Users.LinkFor(p.Link, r.RemoteAddr)
		if err != nil {
			h.refuse(w, r, actionChoose, "", err)
			return
		}
		answer(w, http.StatusOK, wire.LoginAnswer{Name: name})
		return
	}
	attempt := audit.NewAttempt("nobody", "none", r.RemoteAddr, actionChoose)
	u, err := h.Users.Choose(audit.With(r.Context(), attempt), p.Link, p.Name, p.Password, r.RemoteAddr)
	if err != nil {
		h.refuse(w, r, actionChoose, "", err)
		return
	}
	h.Cut()
	h.begin(w, r, u, true, 0)
}

// refuse answers with an error. A wrong attempt is slowed, and is in the audit log. The
// name is told there if it is a user's: others may be passwords that were typed in the
// wrong place.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, action, name string, err error) {
	status, text := http.StatusInternalServerError, "The master could not do it; its log says why."
	told, _ := errors.AsType[*rpc.Error](err)
	switch {
	case errors.Is(err, users.ErrRefused):
		if !h.Users.Has(name) {
			name = ""
		}
		h.Audit(context.WithoutCancel(r.Context()), wire.AuditEntry{
			AtMS: time.Now().UnixMilli(), Who: "nobody", Role: "none", From: r.RemoteAddr, Action: action, Subject: name, Outcome: err.Error(),
		})
		if h.Slow(r.Context(), r.RemoteAddr) {
			w.Header().Set("Connection", "close")
		}
		status, text = http.StatusUnauthorized, err.Error()
	case told != nil && told.Code == wire.CodeBusy:
		w.Header().Set("Retry-After", "1")
		status, text = http.StatusServiceUnavailable, told.Message
	case told != nil && told.Code == wire.CodeConflict:
		status, text = http.StatusConflict, told.Message
	case told != nil:
		status, text = http.StatusBadRequest, told.Message
	case r.Context().Err() != nil: // nobody waits for the answer
	default:
		h.Log.Error("somebody could not log in", "error", err)
	}
	http.Error(w, text, status)
}

// decode reads a request, or answers that it cannot. JSON alone is taken: a form of
// another site cannot send that without being asked about.
func decode(w http.ResponseWriter, r *http.Request, into any) bool {
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); strings.TrimSpace(strings.ToLower(kind)) != "application/json" {
		http.Error(w, "send JSON, with Content-Type: application/json", http.StatusUnsupportedMediaType)
		return false
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		http.Error(w, "cannot read the request: "+err.Error(), http.StatusBadRequest)
		return false
	}
	return true
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // whoever has gone needs no answer
}
