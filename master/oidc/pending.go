package oidc

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	// maxNext bounds the address to go to after a log-in: the cookie has it.
	maxNext = 1024
	// maxUsed bounds how many log-ins are known to have ended.
	maxUsed = 10_000
)

// pending is a log-in that has begun. A cookie has it, sealed.
type pending struct {
	State    string `json:"s"`
	Nonce    string `json:"n"`
	Verifier string `json:"v"`
	Next     string `json:"to"`
	EndsMS   int64  `json:"e"`
	// Terminal is the command that is to be logged in, or nil for the browser itself.
	Terminal *Terminal `json:"c,omitempty"`
}

// sealer seals cookies with a key that is as old as the process.
type sealer struct{ aead cipher.AEAD }

func newSealer() *sealer {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // it does not fail
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // of the length of the key alone
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // of the size of the block alone
	}
	return &sealer{aead}
}

func (s *sealer) close(p pending) string {
	data, err := json.Marshal(p)
	if err != nil {
		panic(fmt.Sprintf("cannot encode a log-in: %v", err)) // strings and numbers only
	}
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, data, nil))
}

func (s *sealer) open(cookie string, now time.Time) (p pending, _ error) {
	if cookie == "" {
		return p, errors.New("there is no cookie of a log-in; the page must be opened at master.oidc.url")
	}
	sealed, err := base64.RawURLEncoding.DecodeString(cookie)
	if err != nil {
		return p, errors.New("the cookie of the log-in cannot be read")
	}
	data, err := s.aead.Open(nil, nil, sealed, nil)
	if err != nil {
		return p, errors.New("the cookie of the log-in is not of this master, or of the time before its restart")
	}
	if err := json.Unmarshal(data, &p); err != nil {
		return p, fmt.Errorf("cannot read the cookie of the log-in: %w", err)
	}
	if now.UnixMilli() >= p.EndsMS {
		return p, fmt.Errorf("the log-in took longer than %v", pendingFor)
	}
	return p, nil
}

// used knows which log-ins have ended, so that none ends twice. The provider takes each
// code once, too. Where there are very many it forgets those that end soonest.
type used struct {
	mu   sync.Mutex
	ends map[string]int64 // guarded by mu: by state
}

func newUsed() *used { return &used{ends: make(map[string]int64)} }

func (u *used) first(state string, endsMS int64, now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, known := u.ends[state]; known {
		return false
	}
	if len(u.ends) >= maxUsed {
		soonest := ""
		for s, ends := range u.ends {
			if ends <= now.UnixMilli() {
				delete(u.ends, s)
			} else if soonest == "" || ends < u.ends[soonest] {
				soonest = s
			}
		}
		if len(u.ends) >= maxUsed {
			delete(u.ends, soonest)
		}
	}
	u.ends[state] = endsMS
	return true
}

// Local returns an address to go to after a log-in if it is one of the page itself, and
// the first page if not: whoever made the link must not choose another site.
func Local(next string) string {
	const first = "/"
	if len(next) > maxNext || !strings.HasPrefix(next, "/") || strings.ContainsFunc(next, func(c rune) bool { return c <= ' ' || c == '\\' || c == 0x7f }) {
		return first
	}
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" || strings.HasPrefix(next, "//") ||
		strings.HasPrefix(u.Path, "//") || strings.HasPrefix(u.Path, "/api/") {
		return first
	}
	return next
}
