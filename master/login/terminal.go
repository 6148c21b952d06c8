package login

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/vedettehq/vedette/master/oidc"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// The cookies of a browser that is asked whether a command is to be logged in. Only our
// page may send them.
const (
	secureConfirm = "__Host-vedette-confirm"
	plainConfirm  = "vedette-confirm"
)

func (h *Handler) confirmCookie(value string, length time.Duration) *http.Cookie {
	c := &http.Cookie{Name: plainConfirm, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: -1}
	if length > 0 {
		c.MaxAge = int(length.Seconds())
	}
	if h.OIDC.Secure() {
		c.Name, c.Secure = secureConfirm, true
	}
	return c
}

const confirmStyle = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 4rem auto; padding: 0 1rem; color: #1b1f24; background: #fff; color-scheme: light dark }
@media (prefers-color-scheme: dark) { body { color: #e6e9ee; background: #14171c } }
h1 { font-size: 1.3rem } dt { float: left; width: 7rem; opacity: .7 } dd { margin: 0 0 0 7rem; overflow-wrap: anywhere }
.code { font: 600 1.6rem/1.6 ui-monospace, monospace; letter-spacing: .08em }
button { font: inherit; font-weight: 600; padding: .5rem 1.2rem; border: 0; border-radius: 6px; color: #fff; background: #1257b8; cursor: pointer }
`

// confirmPage asks somebody. Its parts are escaped where they stand.
func confirmPage() *template.Template {
	return template.Must(template.New("").Parse(`<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
		`<title>Log in the command line</title><style>` + confirmStyle + `</style>
<h1>Log in the command line?</h1>
<p>A command on this machine, <code>vedette login --oidc</code>, asks to act in your name.</p>
<dl><dt>Master</dt><dd>{{.Master}}</dd><dt>You are</dt><dd>{{.Name}}</dd><dt>Role</dt><dd>{{.Role}}{{with .Hosts}}, for hosts with {{.}}{{end}}</dd></dl>
<p>The command has printed this code:</p>
<p class="code">{{.Code}}</p>
<p>If it has printed another one, or if you have run no such command, close this page: somebody who sent you here would get in as you.</p>
<form method="post" action="{{.Action}}"><button>Log in the command line</button></form>
</html>
`))
}

// askWhetherToConfirm asks somebody who has come from the provider whether a command is
// to be logged in. Without an answer nothing is.
func (h *Handler) askWhetherToConfirm(w http.ResponseWriter, who oidc.Person, t *oidc.Terminal) {
	secret, good := h.OIDC.Ask(who, t)
	http.SetCookie(w, h.confirmCookie(secret, good))
	style := sha256.Sum256([]byte(confirmStyle))
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	// A browser asks form-action about the redirect to the command, too.
	header.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' "+t.Address()+
		"; style-src 'sha256-"+base64.StdEncoding.EncodeToString(style[:])+"'")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "same-origin") // with less, a browser does not say where the form comes from
	header.Set("Cache-Control", "no-store")
	master := h.OIDC.Start()
	if u, err := url.Parse(master); err == nil {
		master = u.Host
	}
	action := strings.TrimSuffix(h.OIDC.Start(), wire.OIDCPath) + wire.OIDCConfirmPath
	_ = confirmPage().Execute(w, map[string]string{ // whoever has gone needs no answer
		"Master": master, "Name": who.Name, "Role": who.Role, "Hosts": who.Hosts, "Code": wire.OIDCCode(t.Challenge), "Action": action,
	})
}

// ServeConfirm sends a browser to the command, with a code, when somebody has confirmed.
func (h *Handler) ServeConfirm(w http.ResponseWriter, r *http.Request) {
	if h.OIDC == nil {
		h.say(w, http.StatusNotFound, "This master has no provider at which people log in.")
		return
	}
	confirm := h.confirmCookie("", 0)
	at, terminal, err := h.OIDC.Confirm(onlyCookie(r, confirm.Name))
	http.SetCookie(w, confirm)
	if err != nil {
		h.refuseOutside(w, r, terminal, err)
		return
	}
	h.send(w, at)
}

// ServeToken gives a command its token, for the code that a browser has brought it.
func (h *Handler) ServeToken(w http.ResponseWriter, r *http.Request) {
	var p wire.OIDCTokenRequest
	if !decode(w, r, &p) {
		return
	}
	if h.OIDC == nil {
		http.Error(w, "this master has no provider at which people log in", http.StatusNotFound)
		return
	}
	who, err := h.OIDC.Redeem(p.Code, p.Verifier)
	if err != nil {
		h.refuseToken(w, r, err)
		return
	}
	u, secret, session, err := h.admit(r, who, false, p.ForMS)
	if err != nil {
		h.refuseToken(w, r, err)
		return
	}
	answer(w, http.StatusOK, wire.LoginAnswer{Name: u.Name, Role: u.Role, EndsMS: session.EndsMS, Token: secret})
}

// refuseToken answers a command whose log-in has not ended well.
func (h *Handler) refuseToken(w http.ResponseWriter, r *http.Request, err error) {
	if told, ok := errors.AsType[*rpc.Error](err); ok && told.Code == rpc.CodeInvalidParams {
		http.Error(w, told.Message, http.StatusBadRequest)
		return
	}
	if !h.noteRefusal(w, r, err) {
		http.Error(w, "the master could not do it; its log says why", http.StatusServiceUnavailable)
		return
	}
	http.Error(w, "refused: "+sayRefused, http.StatusUnauthorized)
}
