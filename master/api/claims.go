package api

import (
	"sync"
	"time"
)

const (
	// claimsEvery is how often claims to be one host are logged: a refused agent
	// tries again for as long as it runs.
	claimsEvery = time.Minute
	// maxClaims bounds the hosts for which claims are remembered.
	maxClaims = 1000
)

// claims remembers when a claim to be another agent's host was last logged.
type claims struct {
	mu    sync.Mutex
	hosts map[string]*claim // guarded by mu
}

type claim struct {
	at   time.Time // when it was last logged
	more int       // since then
}

// log reports whether to log a claim now, and how many there have been since the
// last time.
func (c *claims) log(host string, now time.Time) (more int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.hosts[host]
	if known != nil && now.Before(known.at.Add(claimsEvery)) {
		known.more++
		return 0, false
	}
	if known != nil {
		more = known.more
	}
	if c.hosts == nil || len(c.hosts) >= maxClaims {
		c.hosts = make(map[string]*claim)
	}
	c.hosts[host] = &claim{at: now}
	return more, true
}

// claimed logs that an agent wants to report as a host and is refused: two
// machines have one name, or one has the token of another.
func (a *API) claimed(host, remote string, why error) {
	a.Desk.Claimed(host, remote, why)
	if more, ok := a.claims.log(host, time.Now()); ok {
		a.Log.Warn("an agent claims the name of another host, and is refused", "host", host, "remote", remote, "reason", why, "more_since_last_told", more)
	}
}
