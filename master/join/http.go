package join

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/vedettehq/vedette/rpc/wire"
)

// MaxBody bounds a request to join or renew, in bytes.
const MaxBody = 16 << 10

// Handler answers hosts that join and renew. It identifies them itself.
type Handler struct {
	Log  *slog.Logger
	Desk *Desk
	// Wrong is called for each invalid token and certificate, before the answer.
	Wrong func(r *http.Request)
	// Audit adds a line to the audit log.
	Audit func(context.Context, wire.AuditEntry)
}

// ServeJoin answers wire.JoinPath.
func (h Handler) ServeJoin(w http.ResponseWriter, r *http.Request) {
	var request wire.JoinRequest
	if !h.read(w, r, &request) {
		return
	}
	if err := h.Desk.CheckSecret(request.Token); err != nil {
		h.Wrong(r)
		h.refuse(w, http.StatusUnauthorized, err)
		return
	}
	result, err := h.Desk.join(r.Context(), request, r.RemoteAddr)
	if err == nil {
		h.Log.Info("a host joins", "host", result.Host, "remote", r.RemoteAddr, "state", result.State)
	}
	h.answer(w, r, request.Host, Action, result, err)
}

// ServeRenew answers wire.RenewPath.
func (h Handler) ServeRenew(w http.ResponseWriter, r *http.Request) {
	var request wire.RenewRequest
	if !h.read(w, r, &request) {
		return
	}
	if len(r.TLS.PeerCertificates) == 0 {
		http.Error(w, "a certificate is renewed over a connection that was made with it; this one has none", http.StatusBadRequest)
		return
	}
	host, result, err := h.Desk.renew(r.Context(), r.TLS.PeerCertificates[0], request)
	h.answer(w, r, host, "hosts.renew", result, err)
}

// read reads a request, and answers one that cannot be read.
func (h Handler) read(w http.ResponseWriter, r *http.Request, into any) bool {
	if r.TLS == nil {
		http.Error(w, "this master speaks no TLS, so no host can join it; set master.tls.own, or give it a certificate", http.StatusBadRequest)
		return false
	}
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		http.Error(w, fmt.Sprintf("the request is not the JSON that is expected here: %v", err), http.StatusBadRequest)
		return false
	}
	return true
}

func (h Handler) answer(w http.ResponseWriter, r *http.Request, host, action string, result wire.JoinResult, err error) {
	switch {
	case err == nil:
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		if result.State == wire.MemberWaiting {
			w.WriteHeader(http.StatusAccepted)
		}
		_ = json.NewEncoder(w).Encode(result) // if the host has gone it asks again
	case errors.Is(err, ErrRefused):
		h.Log.Warn("a host is refused", "host", host, "remote", r.RemoteAddr, "action", action, "reason", err)
		h.Audit(context.WithoutCancel(r.Context()), wire.AuditEntry{
			AtMS: time.Now().UnixMilli(), Who: "nobody", Role: "none", From: r.RemoteAddr, Action: action, Subject: host, Outcome: err.Error(),
		})
		h.refuse(w, http.StatusForbidden, err)
	default:
		h.Log.Error("cannot answer a host", "host", host, "remote", r.RemoteAddr, "action", action, "error", err)
		w.Header().Set("Retry-After", "5")
		http.Error(w, "the master cannot do that now; try again", http.StatusServiceUnavailable)
	}
}

func (h Handler) refuse(w http.ResponseWriter, status int, err error) {
	http.Error(w, err.Error(), status)
}
