package login

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/vedettehq/vedette/master/audit"
	"github.com/vedettehq/vedette/master/auth"
	"github.com/vedettehq/vedette/master/oidc"
	"github.com/vedettehq/vedette/master/users"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// The cookies of a log-in that is under way at the provider. A browser sends them when
// the provider sends it back here, which those of a session are not for.
const (
	secureTrip = "__Host-vedette-oidc"
	plainTrip  = "vedette-oidc"
)

func (h *Handler) tripCookie(value string, length time.Duration) *http.Cookie {
	c := &http.Cookie{Name: plainTrip, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: -1}
	if length > 0 {
		c.MaxAge = int(length.Seconds())
	}
	if h.OIDC.Secure() {
		c.Name, c.Secure = secureTrip, true
	}
	return c
}

// ServeBegin sends a browser to the provider.
func (h *Handler) ServeBegin(w http.ResponseWriter, r *http.Request) {
	if h.OIDC == nil {
		h.say(w, http.StatusNotFound, "This master has no provider at which people log in.")
		return
	}
	q := r.URL.Query()
	terminal, err := oidc.TerminalOf(q)
	if err != nil {
		h.say(w, http.StatusBadRequest, "This link is not whole. Run the command again, and copy all of the link that it prints.")
		return
	}
	at, cookie, good, err := h.OIDC.Begin(r.Context(), q.Get("next"), terminal)
	if err != nil {
		h.Log.Warn("nobody can log in at the provider now", "issuer", h.OIDC.Issuer(), "error", err)
		h.turnAway(w, terminal, http.StatusServiceUnavailable, h.OIDC.Name()+sayAway)
		return
	}
	http.SetCookie(w, h.tripCookie(cookie, good))
	h.send(w, at)
}

// ServeFinish logs in the person whom the provider has sent back.
func (h *Handler) ServeFinish(w http.ResponseWriter, r *http.Request) {
	if h.OIDC == nil {
		h.say(w, http.StatusNotFound, "This master has no provider at which people log in.")
		return
	}
	trip := h.tripCookie("", 0)
	cookie := onlyCookie(r, trip.Name)
	http.SetCookie(w, trip) // whatever comes of it
	who, landing, err := h.OIDC.Finish(r.Context(), r.URL.Query(), cookie)
	if err == nil && landing.Terminal != nil {
		h.askWhetherToConfirm(w, who, landing.Terminal)
		return
	}
	if err == nil {
		err = h.beginOutside(w, r, who)
	}
	if err != nil {
		h.refuseOutside(w, r, landing.Terminal, err)
		return
	}
	h.send(w, landing.Next)
}

// onlyCookie is the value of a cookie that was sent once, or "".
func onlyCookie(r *http.Request, name string) string {
	if sent := r.CookiesNamed(name); len(sent) == 1 {
		return sent[0].Value
	}
	return ""
}

// beginOutside makes the session of somebody whom the provider knows, in the browser.
func (h *Handler) beginOutside(w http.ResponseWriter, r *http.Request, who oidc.Person) error {
	_, secret, session, err := h.admit(r, who, true, 0)
	if err == nil {
		auth.SetCookieTo(w, h.OIDC.Secure(), secret, time.UnixMilli(session.EndsMS))
	}
	return err
}

// admit makes a session of somebody whom the provider knows.
func (h *Handler) admit(r *http.Request, who oidc.Person, browser bool, forMS int64) (u users.User, secret string, session users.Session, _ error) {
	changed := audit.NewAttempt(who.Name, who.Role, r.RemoteAddr, wire.UsersRole.Name)
	o := users.Outsider{Name: who.Name, Subject: who.Subject, Role: who.Role, Hosts: who.Hosts, Groups: who.Groups, GroupsKnown: who.GroupsKnown}
	u, err := h.Users.Admit(audit.With(r.Context(), changed), o)
	if err != nil {
		if told, ok := errors.AsType[*rpc.Error](err); ok {
			return u, "", session, &oidc.Refusal{Reason: "the user cannot be made here", Err: told}
		}
		return u, "", session, err
	}
	if changed.HasLine() {
		h.Cut() // those who have another role now connect again
	}
	if role, hosts, ok := h.OIDC.Grant(who.Groups); !ok || role != who.Role || hosts != who.Hosts {
		changed := errors.New("the configuration was read again")
		return u, "", session, &oidc.Refusal{Reason: "the roles have changed meanwhile", Err: changed, Person: who, Out: true}
	}
	attempt := audit.NewAttempt(u.Name, u.Role, r.RemoteAddr, actionLogin)
	secret, session, err = h.Users.Begin(audit.With(r.Context(), attempt), u, browser, r.RemoteAddr, forMS)
	return u, secret, session, err
}

// What people are told of a log-in that has not ended well.
const (
	sayRefused = "The log-in was refused. " + sayWhere
	sayWhere   = "Whoever runs this master finds more in its audit log and its log."
	sayAway    = " cannot be asked now. Try again in a while, or log in with a password or a token."
)

// refuseOutside answers a browser whose log-in has not ended well, for itself or for a
// command.
func (h *Handler) refuseOutside(w http.ResponseWriter, r *http.Request, t *oidc.Terminal, err error) {
	if !h.noteRefusal(w, r, err) {
		h.turnAway(w, t, http.StatusServiceUnavailable, h.OIDC.Name()+sayAway)
		return
	}
	text := sayRefused
	if no, ok := errors.AsType[*oidc.Refusal](err); ok && no.Tell {
		text = "The log-in was refused: " + no.Reason + ". " + sayWhere
	}
	h.turnAway(w, t, http.StatusForbidden, text)
}

// turnAway tells a browser that nobody is logged in. Where a command waits for that, the
// browser brings the text to the command, which shows it too.
func (h *Handler) turnAway(w http.ResponseWriter, t *oidc.Terminal, status int, text string) {
	if t == nil {
		h.say(w, status, text)
		return
	}
	code := wire.OIDCDenied
	if status != http.StatusForbidden {
		code = wire.OIDCAway
	}
	h.send(w, t.Denied(code, describable(text)))
}

// describable is a text of the characters that RFC 6749 allows in error_description.
func describable(text string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c == '"' || c == '\\':
			return '\''
		case c < ' ' || c > '~':
			return '?'
		}
		return c
	}, text)
}

// noteRefusal notes why a log-in has not ended well: the log says what was wrong, and so
// does the audit log, without anything that a stranger has sent. It reports whether it was
// refused; otherwise it could not be decided.
func (h *Handler) noteRefusal(w http.ResponseWriter, r *http.Request, err error) (refused bool) {
	refusal, refused := errors.AsType[*oidc.Refusal](err)
	if errors.Is(err, users.ErrRefused) { // changed while it was checked
		refusal, refused = &oidc.Refusal{Reason: "the user has changed meanwhile", Err: err}, true
	}
	if !refused {
		if r.Context().Err() == nil {
			h.Log.Warn("somebody could not log in at the provider", "issuer", h.OIDC.Issuer(), "from", r.RemoteAddr, "error", err)
		}
		return false
	}
	h.Log.Warn("somebody was not let in at the provider", "issuer", h.OIDC.Issuer(), "from", r.RemoteAddr, "reason", refusal.Reason, "error", refusal.Err)
	ctx := context.WithoutCancel(r.Context())
	h.Audit(ctx, wire.AuditEntry{
		AtMS: time.Now().UnixMilli(), Who: "nobody", Role: "none", From: r.RemoteAddr, Action: actionLogin,
		Subject: refusal.Person.Name, Detail: "by " + h.OIDC.Issuer(), Outcome: "refused: " + refusal.Reason,
	})
	if refusal.Out {
		h.dismiss(ctx, refusal.Person, r.RemoteAddr)
	}
	if h.Slow(r.Context(), r.RemoteAddr) {
		w.Header().Set("Connection", "close")
	}
	return true
}

// dismiss ends what somebody has here who has no role any more.
func (h *Handler) dismiss(ctx context.Context, who oidc.Person, from string) {
	attempt := audit.NewAttempt(audit.Master, audit.Master, from, actionLogout)
	n, err := h.Users.Dismiss(audit.With(ctx, attempt), who.Subject)
	if err != nil {
		h.Log.Error("the sessions of somebody without a role stay", "user", who.Name, "error", err)
	}
	if n > 0 {
		h.Cut()
	}
}

// send sends a browser to another address, which is nowhere else in what it sends.
func (h *Handler) send(w http.ResponseWriter, at string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Location", at)
	w.WriteHeader(http.StatusSeeOther)
}

// say answers somebody in a browser with a page of one sentence.
func (h *Handler) say(w http.ResponseWriter, status int, text string) {
	home := "/"
	if h.OIDC != nil {
		if u, err := url.Parse(h.OIDC.Start()); err == nil {
			home = u.Scheme + "://" + u.Host + "/"
		}
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `<!doctype html><html lang="en"><meta charset="utf-8"><title>Log in</title><p>%s</p><p><a href="%s">Back to the first page</a></p></html>`+"\n",
		html.EscapeString(text), html.EscapeString(home)) // whoever has gone needs no answer
}
