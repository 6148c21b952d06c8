package rpc

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// Client keeps a connection to one server: it connects, and connects again whenever the
// connection is lost. Its fields must be set before Run.
type Client struct {
	URL  string // as for Dial
	Dial DialOptions

	// OnConnect, or nil, is called for each connection, with a context that
	// ends with it. An error closes the connection, which is then tried again;
	// a *PermanentError ends Run. When it returns nil the connection stays.
	OnConnect func(ctx context.Context, p *Peer) error
	// OnDown, or nil, is told why a connection was lost or could not be made,
	// and when it is tried again.
	OnDown func(err error, retryIn time.Duration)

	Backoff Backoff
}

// Backoff is how long a Client waits: "full jitter", a uniformly random time up
// to a bound that doubles with each failure. Zero values stand for the defaults.
type Backoff struct {
	First time.Duration // the first bound; 1 s
	Max   time.Duration // the last bound; 30 s
	// Lived is how long a connection must have been up for the bound to begin
	// again; 10 s.
	Lived time.Duration
	// Random returns numbers in [0, 1); nil is math/rand/v2.
	Random func() float64
}

func (b Backoff) withDefaults() Backoff {
	if b.First <= 0 {
		b.First = time.Second
	}
	if b.Max <= 0 {
		b.Max = 30 * time.Second
	}
	if b.Lived <= 0 {
		b.Lived = 10 * time.Second
	}
	if b.Random == nil {
		b.Random = rand.Float64
	}
	return b
}

// delay returns the time to wait after so many failures in a row; err was the last. If
// the other end named a time, that is added to the jitter, so that many clients that
// were told the same time do not come back at once.
func (b Backoff) delay(failures int, err error) time.Duration {
	bound := b.First
	for range failures - 1 {
		if bound = min(2*bound, b.Max); bound == b.Max {
			break
		}
	}
	jitter := time.Duration(b.Random() * float64(bound))
	if after, ok := RetryAfter(err); ok {
		return max(after+time.Duration(b.Random()*float64(b.First)), jitter)
	}
	return jitter
}

// Run connects at once and stays connected until ctx ends, when it closes the
// connection and returns nil, or until the server refuses for good: with HTTP
// 401, 403 or 426 or the close codes 4401, 4403 or 4426. Then it returns a
// *PermanentError. Every goroutine is gone when it returns.
func (c *Client) Run(ctx context.Context) error {
	b := c.Backoff.withDefaults()
	failures := 0
	for {
		lived, err := c.connectOnce(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if pe, ok := errors.AsType[*PermanentError](err); ok {
			return pe
		}
		if isPermanent(err) {
			return &PermanentError{Err: err}
		}
		if lived >= b.Lived {
			failures = 0
		}
		failures++
		wait := b.delay(failures, err)
		if c.OnDown != nil {
			c.OnDown(err, wait)
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
	}
}

// connectOnce makes one connection and returns how long it lived and why it
// ended.
func (c *Client) connectOnce(ctx context.Context) (lived time.Duration, err error) {
	p, err := Dial(ctx, c.URL, c.Dial)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	stop := context.AfterFunc(ctx, func() { _ = p.Close(CloseNormal, "") })
	defer stop()
	if c.OnConnect != nil {
		err = c.OnConnect(p.ctx, p)
	}
	if err != nil {
		_ = p.Close(CloseNormal, "")
	}
	p.Wait()
	lived = time.Since(began)
	// Why the other end closed says more than what failed because of it.
	if ce, ok := errors.AsType[*CloseError](p.Err()); (ok && !ce.Local) || err == nil {
		return lived, p.Err()
	}
	return lived, err
}
