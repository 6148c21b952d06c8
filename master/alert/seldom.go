package alert

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
)

const (
	// sayEvery is how often a warning about the same rule is logged. A rule with a fault
	// fails at each evaluation.
	sayEvery = 10 * time.Minute
	mostSaid = 10_000 // warnings that are remembered
)

// seldom logs each warning about a rule at most once in sayEvery. The next one says how
// many there were in between.
type seldom struct {
	slog.Handler
	about string // what the logger has said of itself
	said  *said
}

// said are the warnings that were logged.
type said struct {
	mu   sync.Mutex
	last map[string]*lastSaid // guarded by mu
}

type lastSaid struct {
	at   time.Time
	more int
}

// seldomLog returns a logger of a rule manager that bounds its warnings.
func seldomLog(log *slog.Logger) *slog.Logger {
	return slog.New(&seldom{Handler: log.Handler(), said: &said{last: make(map[string]*lastSaid)}})
}

// Handle implements slog.Handler.
func (s *seldom) Handle(ctx context.Context, r slog.Record) error {
	if r.Level < slog.LevelWarn {
		return s.Handler.Handle(ctx, r)
	}
	about := s.about + "\x00" + r.Message
	r.Attrs(func(a slog.Attr) bool {
		about += naming(a)
		return true
	})
	more, now := s.said.due(about, r.Time)
	if !now {
		return nil
	}
	if more > 0 {
		r = r.Clone()
		r.AddAttrs(slog.Int("more", more))
	}
	return s.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (s *seldom) WithAttrs(attrs []slog.Attr) slog.Handler {
	about := s.about
	for _, a := range attrs {
		about += naming(a)
	}
	return &seldom{s.Handler.WithAttrs(attrs), about, s.said}
}

// WithGroup implements slog.Handler.
func (s *seldom) WithGroup(name string) slog.Handler {
	return &seldom{s.Handler.WithGroup(name), s.about + "\x00" + name, s.said}
}

// naming is the part of a warning that says which rule it is about.
func naming(a slog.Attr) string {
	switch a.Key {
	case "file", "group", "name", "alert", "index":
		return strings.Join([]string{"", a.Key, a.Value.String()}, "\x00")
	}
	return ""
}

// due reports whether a warning is to be logged now, and how many like it were not.
func (s *said) due(about string, at time.Time) (more int, now bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.last[about]
	switch {
	case last == nil:
		if len(s.last) >= mostSaid {
			clear(s.last)
		}
		s.last[about] = &lastSaid{at: at}
		return 0, true
	case at.Sub(last.at) < sayEvery && !at.Before(last.at):
		last.more++
		return 0, false
	}
	more = last.more
	*last = lastSaid{at: at}
	return more, true
}
