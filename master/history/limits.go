package history

import (
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/chunks"
)

// aliveSeries is after how many series that are read back the store reports progress.
const aliveSeries = 1000

// limiter counts the active series of each host and refuses those beyond the
// limits. It implements tsdb.SeriesLifecycleCallback.
type limiter struct {
	perHost, all int
	alive        func() // called while series are read back

	mu       sync.Mutex
	enforced bool // series that are read back at the start are never refused
	total    int
	hosts    map[string]int
}

func newLimiter(perHost, all int, alive func()) *limiter {
	return &limiter{perHost: perHost, all: all, alive: alive, hosts: make(map[string]int)}
}

// MaxSeriesPerHost returns how many series of one host may be active at once.
func (s *Store) MaxSeriesPerHost() int { return s.opts.MaxSeriesPerHost }

// OutOfOrder returns how late a sample may come.
func (s *Store) OutOfOrder() time.Duration { return s.opts.OutOfOrder }

// reset forgets everything, before the database is read again.
func (l *limiter) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.enforced, l.total = false, 0
	clear(l.hosts)
}

// enforce applies the limits from now on.
func (l *limiter) enforce() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.enforced = true
}

// count returns the active series of all hosts and how many hosts have some.
func (l *limiter) count() (series, hosts int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total, len(l.hosts)
}

// PreCreation returns an error for a series that must not be made.
func (l *limiter) PreCreation(series labels.Labels) error {
	host := series.Get(labelHost)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case !l.enforced:
		return nil
	case l.total >= l.all:
		return &refusal{RefusedLimit, fmt.Errorf("there are %d active series, which is the limit (master.history.max_series)", l.total)}
	case l.hosts[host] >= l.perHost:
		return &refusal{RefusedLimit, fmt.Errorf("host %q has %d active series, which is the limit (master.history.max_series_per_host)", host, l.hosts[host])}
	}
	return nil
}

// PostCreation counts a series.
func (l *limiter) PostCreation(series labels.Labels) {
	host := series.Get(labelHost)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total++
	l.hosts[host]++
	if !l.enforced && l.total%aliveSeries == 0 {
		l.alive()
	}
}

// PostDeletion counts series that are no longer active.
func (l *limiter) PostDeletion(series map[chunks.HeadSeriesRef]labels.Labels) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, lset := range series {
		host := lset.Get(labelHost)
		l.total--
		if l.hosts[host]--; l.hosts[host] <= 0 {
			delete(l.hosts, host)
		}
	}
}
