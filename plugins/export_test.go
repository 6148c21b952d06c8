package plugins

import "time"

// SetRespite sets how long a process lives at least before it is replaced.
func (p *Pool) SetRespite(d time.Duration) { p.tuning.respite = d }

// SetStartTime sets how long a process may take to start.
func (p *Pool) SetStartTime(d time.Duration) { p.tuning.start = d }

// SetLoadTime sets how long the load of one script may take.
func (p *Pool) SetLoadTime(d time.Duration) { p.tuning.load = d }

// SetStandstill sets how long a process may be stopped by somebody else.
func (p *Pool) SetStandstill(d time.Duration) { p.tuning.standstill = d }

// SetPause sets how long the first quarantine lasts.
func (p *Pool) SetPause(d time.Duration) { p.tuning.pause = d }

// Build checks the inspectors of a plugin.
func (i Inspectors) Build() error {
	_, err := i.build()
	return err
}

// SetDelay sets how long a start waits after so many failures in a row.
func (p *Pool) SetDelay(delay func(failures int) time.Duration) { p.tuning.delay = delay }

// Backoff is the default of SetDelay.
func Backoff(failures int) time.Duration { return backoff(failures) }
