package oidc

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/vedettehq/vedette/rpc/wire"
)

// This file has a command log in that runs on the machine of the browser, as RFC 8252
// describes: it listens on a port of loopback and sends the browser here. What the
// browser brings back to it is a code, of use only with the verifier that the command
// has kept to itself (RFC 7636). So neither another user of that machine nor anybody who
// sees the link or the code gets anything by it.
//
// The reverse is a link that somebody sends to another person: what it begins would end
// in the sender's hands, if the sender listens on that machine. So a person is asked
// first, with the code that the command has printed.

const (
	// consentWithin is how long a person may think, and codeFor how long the command may
	// take to come for its token.
	consentWithin = 5 * time.Minute
	codeFor       = time.Minute
	// maxTickets bounds those who are asked, or whose command has not come yet. Only
	// people whom the provider has let in get one.
	maxTickets = 1000
)

// Terminal is a command that waits for somebody to log in.
type Terminal struct {
	Port      int    `json:"port"`      // of 127.0.0.1
	Challenge string `json:"challenge"` // SHA-256 of the verifier that it has
	State     string `json:"state"`     // by which it knows the answer
}

// opaque is the form of a challenge and of a state: 32 bytes in base64.
var opaque = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// TerminalOf returns the command that a request is for, or nil if it is for none.
func TerminalOf(q url.Values) (*Terminal, error) {
	if !q.Has("port") && !q.Has("challenge") {
		return nil, nil
	}
	port, err := strconv.ParseUint(q.Get("port"), 10, 16)
	t := &Terminal{Port: int(port), Challenge: q.Get("challenge"), State: q.Get("state")}
	if err != nil || port == 0 || !opaque.MatchString(t.Challenge) || !opaque.MatchString(t.State) {
		return nil, errors.New("the link of the command is not whole")
	}
	return t, nil
}

// Address is where the browser finds the command.
func (t *Terminal) Address() string { return fmt.Sprintf("http://127.0.0.1:%d", t.Port) }

// Denied is where a browser tells the command that nobody is logged in, as RFC 6749
// (4.1.2.1) has it: with one of its codes, and a description in ASCII without quotes.
func (t *Terminal) Denied(code, description string) string {
	return t.answer(url.Values{"error": {code}, "error_description": {description}})
}

func (t *Terminal) answer(q url.Values) string {
	q.Set("state", t.State)
	return t.Address() + "/?" + q.Encode()
}

// ticket is somebody who is asked, or whose command may come for a token.
type ticket struct {
	who      Person
	terminal *Terminal
	code     bool // the command may come
	ends     time.Time
}

// tickets are those that are out, by the checksum of their secret.
type tickets struct {
	mu  sync.Mutex
	all map[[sha256.Size]byte]ticket // guarded by mu
}

// give returns the secret of a ticket, which is good once.
func (all *tickets) give(t ticket, now time.Time) string {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // it does not fail
	text := base64.RawURLEncoding.EncodeToString(secret)
	all.mu.Lock()
	defer all.mu.Unlock()
	var soonest [sha256.Size]byte
	for sum, one := range all.all {
		if now.After(one.ends) {
			delete(all.all, sum)
		} else if first, ok := all.all[soonest]; !ok || one.ends.Before(first.ends) {
			soonest = sum
		}
	}
	if len(all.all) >= maxTickets {
		delete(all.all, soonest)
	}
	if all.all == nil {
		all.all = make(map[[sha256.Size]byte]ticket)
	}
	all.all[sha256.Sum256([]byte(text))] = t
	return text
}

// take returns the ticket of a secret, once. It is not ok if its time is over.
func (all *tickets) take(secret string, code bool, now time.Time) (ticket, bool) {
	sum := sha256.Sum256([]byte(secret))
	all.mu.Lock()
	defer all.mu.Unlock()
	t, ok := all.all[sum]
	if !ok || t.code != code {
		return ticket{}, false
	}
	delete(all.all, sum)
	return t, now.Before(t.ends)
}

// Ask returns the secret by which a browser confirms that somebody wants a command to be
// logged in, and how long it is good.
func (p *Provider) Ask(who Person, t *Terminal) (secret string, good time.Duration) {
	now := time.Now()
	return p.tickets.give(ticket{who: who, terminal: t, ends: now.Add(consentWithin)}, now), consentWithin
}

// Confirm returns the address of the command, with the code for it, to a browser that has
// confirmed. The error is a *Refusal; then the terminal is the command that waits, or nil
// where no one knows.
func (p *Provider) Confirm(secret string) (at string, _ *Terminal, _ error) {
	now := time.Now()
	t, ok := p.tickets.take(secret, false, now)
	if !ok {
		return "", t.terminal, refuse("this browser has nothing to confirm",
			"the log-in of the command was confirmed already, or it took longer than %v", consentWithin)
	}
	code := p.tickets.give(ticket{who: t.who, terminal: t.terminal, code: true, ends: now.Add(codeFor)}, now)
	return t.terminal.answer(url.Values{"code": {code}}), t.terminal, nil
}

// Redeem returns who has logged in, to the command that has the verifier. A code is good
// once, whatever comes with it. The error is a *Refusal.
func (p *Provider) Redeem(code, verifier string) (Person, error) {
	t, ok := p.tickets.take(code, true, time.Now())
	if !ok {
		return Person{}, refuse("the code of the command is not good", "it is of no log-in, was used before, or is older than %v", codeFor)
	}
	if subtle.ConstantTimeCompare([]byte(wire.OIDCChallenge(verifier)), []byte(t.terminal.Challenge)) != 1 {
		no := refuse("the command is another one", "the verifier is not that of the command that %q has confirmed", t.who.Name)
		no.Person = t.who
		return Person{}, no
	}
	return t.who, nil
}
