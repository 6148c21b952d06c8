package oidc

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/rpc/wire"
)

// A ticket is good once, for its purpose and its time, and there is a limit to them: those
// that end soonest make room.
func TestTickets(t *testing.T) {
	var all tickets
	now := time.Now()
	asked := all.give(ticket{ends: now.Add(time.Minute)}, now)
	code := all.give(ticket{code: true, ends: now.Add(time.Minute)}, now)
	late := all.give(ticket{ends: now.Add(time.Minute)}, now)
	for _, c := range []struct {
		secret string
		code   bool
		at     time.Duration
		good   bool
	}{
		{asked, true, 0, false},
		{code, false, 0, false},
		{asked, false, 0, true},
		{asked, false, 0, false},
		{code, true, 59 * time.Second, true},
		{code, true, 59 * time.Second, false},
		{late, false, time.Minute, false},
		{late, false, 0, false},
		{"", false, 0, false},
	} {
		if _, ok := all.take(c.secret, c.code, now.Add(c.at)); ok != c.good {
			t.Errorf("%q as a code %v after %v: %v", c.secret, c.code, c.at, ok)
		}
	}
	var secrets []string
	for i := range maxTickets + 10 {
		secrets = append(secrets, all.give(ticket{ends: now.Add(time.Hour + time.Duration(i)*time.Second)}, now))
	}
	for i, secret := range secrets {
		if _, ok := all.take(secret, false, now); ok != (i >= 10) {
			t.Errorf("ticket %d: %v", i, ok)
		}
	}
}

// Whatever a link has, the browser is sent to loopback or nowhere.
func FuzzTerminalOf(f *testing.F) {
	f.Add("80", strings.Repeat("a", 43), strings.Repeat("b", 43))
	f.Add("80@evil.example", wire.OIDCChallenge("x"), "")
	f.Fuzz(func(t *testing.T, port, challenge, state string) {
		c, err := TerminalOf(url.Values{"port": {port}, "challenge": {challenge}, "state": {state}})
		if err != nil {
			return
		}
		p := &Provider{}
		secret, _ := p.Ask(Person{Name: "alice"}, c)
		at, _, err := p.Confirm(secret)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(at)
		if err != nil || u.Scheme != "http" || u.Host != fmt.Sprintf("127.0.0.1:%d", c.Port) || u.User != nil || u.Query().Get("state") != state {
			t.Errorf("%q leads to %v, %v", port, u, err)
		}
		denied, err := url.Parse(c.Denied("access_denied", "no, not you"))
		if q := denied.Query(); err != nil || denied.Scheme != u.Scheme || denied.Host != u.Host || q.Get("state") != state || q.Has("code") ||
			q.Get("error") != "access_denied" || q.Get("error_description") != "no, not you" {
			t.Errorf("%q is told no at %v, %v", port, denied, err)
		}
		no, err := p.Redeem(u.Query().Get("code"), "made up")
		if _, ok := errors.AsType[*Refusal](err); !ok && challenge != wire.OIDCChallenge("made up") {
			t.Errorf("a made-up verifier gets %+v, %v", no, err)
		}
	})
}
