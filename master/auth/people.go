package auth

import (
	"crypto/sha256"
	"net/http"
	"strings"
	"time"
)

// Person is a user who has logged in.
type Person struct {
	Name string
	// Key is by what the person is known, whatever the name is at the time.
	Key  string
	Role Role
	// Hosts selects the hosts that the role is for; "" is all.
	Hosts string
}

// People knows who has logged in.
type People interface {
	// Session returns whose session has a secret with that checksum, and has it in
	// use. browser tells whether the secret has come as a cookie; one that was given
	// for the one is no good as the other.
	Session(sum [sha256.Size]byte, browser bool) (Person, bool)
	// Person returns the user of that name, where nothing has changed since a count of
	// changes that makes those worthless who have logged in before.
	Person(name string, changes int) (Person, bool)
}

// SetPeople has users known who have logged in. It is to be called before anything is
// asked.
func (a *Authenticator) SetPeople(p People) { a.people = p }

// LoggedIn is who has given a name and a password on a connection, which is as long as
// that is valid.
func LoggedIn(p Person, changes int) Identity {
	return Identity{Name: p.Name, Role: p.Role, Hosts: p.Hosts, person: true, changes: changes, behind: p.Key}
}

// Since returns the caller after a change that the caller has made: a user without a
// session is known by the count of changes, and stays logged in where it was made. If
// somebody else has made a change since the caller logged in, nothing makes up for that.
func (i Identity) Since(changes int) Identity {
	if i.person && i.session == [sha256.Size]byte{} && changes == i.changes+1 {
		i.changes = changes
	}
	return i
}

func (a *Authenticator) loggedIn(sum [sha256.Size]byte, browser bool) (Identity, bool) {
	if a.people == nil {
		return Identity{}, false
	}
	p, ok := a.people.Session(sum, browser)
	if !ok {
		return Identity{}, false
	}
	return Identity{Name: p.Name, Role: p.Role, Hosts: p.Hosts, session: sum, browser: browser, person: true, behind: p.Key}, true
}

// personOf returns the user whose program sends that header, or nil.
func (a *Authenticator) personOf(header string) *Identity {
	token, ok := strings.CutPrefix(header, "Bearer ")
	if !ok {
		return nil
	}
	if identity, ok := a.loggedIn(sha256.Sum256([]byte(token)), false); ok {
		return &identity
	}
	return nil
}

func (a *Authenticator) validPerson(i *Identity) bool {
	if i.session != [sha256.Size]byte{} {
		now, ok := a.loggedIn(i.session, i.browser)
		return ok && now == *i
	}
	p, ok := a.people.Person(i.Name, i.changes)
	return ok && LoggedIn(p, i.changes) == *i
}

// The names of the cookie of a session. A browser takes the first over TLS alone,
// from this very host, and never from a page that is not encrypted.
const (
	secureCookie = "__Host-vedette"
	plainCookie  = "vedette"
)

// ofCookie returns who has sent the cookie of a session, or nil. One that is not known
// (any more) is as none: browsers keep sending it.
//
// A browser adds its cookies to whatever a page asks for, so a request that may change
// something, or opens a WebSocket, must say which page it is of. All browsers do, and
// CheckOrigin refuses those of other origins.
func (a *Authenticator) ofCookie(r *http.Request) *Identity {
	reads := (r.Method == http.MethodGet || r.Method == http.MethodHead) && r.Header.Get("Upgrade") == ""
	if !reads && r.Header.Get("Origin") == "" && r.Header.Get("Sec-Fetch-Site") == "" {
		return nil
	}
	names := []string{secureCookie}
	if r.TLS == nil {
		names = append(names, plainCookie)
	}
	for _, name := range names {
		for _, cookie := range r.CookiesNamed(name) {
			if identity, ok := a.loggedIn(sha256.Sum256([]byte(cookie.Value)), true); ok {
				return &identity
			}
		}
	}
	return nil
}

// SetCookie gives the browser that has sent a request the secret of a session that ends
// at a time. No script sees it, and no page of another site has it sent along.
func SetCookie(w http.ResponseWriter, r *http.Request, secret string, ends time.Time) {
	SetCookieTo(w, IsSecure(r), secret, ends)
}

// SetCookieTo is SetCookie for a request that does not tell whether the page is reached
// over TLS: one that another site has sent the browser to.
func SetCookieTo(w http.ResponseWriter, secure bool, secret string, ends time.Time) {
	setCookie(w, secure, &http.Cookie{Value: secret, MaxAge: max(int(time.Until(ends).Seconds()), 1)})
}

// DropCookie has a browser forget its session.
func DropCookie(w http.ResponseWriter, r *http.Request) {
	setCookie(w, IsSecure(r), &http.Cookie{MaxAge: -1})
}

func setCookie(w http.ResponseWriter, secure bool, c *http.Cookie) {
	c.Name, c.Path, c.HttpOnly, c.SameSite = plainCookie, "/", true, http.SameSiteStrictMode
	if secure {
		c.Name, c.Secure = secureCookie, true
	}
	http.SetCookie(w, c)
}

// IsSecure reports whether a browser has sent a request encrypted: to the master, or
// to a proxy in front, as the page that sends it says.
func IsSecure(r *http.Request) bool {
	return r.TLS != nil || strings.HasPrefix(strings.ToLower(r.Header.Get("Origin")), "https://")
}
