package agent

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// sparseEvery is how often a lasting fault is logged.
const sparseEvery = time.Minute

// sparse logs a fault that may come with every report: at once, and then at most
// once in sparseEvery, with the number of samples that it has affected since. Its
// zero value is ready. It is safe for use from many goroutines.
type sparse struct {
	mu      sync.Mutex
	told    time.Time
	samples int // since told
}

func (s *sparse) log(log *slog.Logger, level slog.Level, what string, samples int, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.samples += samples
	now := time.Now()
	if !s.told.IsZero() && now.Sub(s.told) < sparseEvery {
		return
	}
	log.Log(context.Background(), level, what, "count", s.samples, "reason", reason)
	s.told, s.samples = now, 0
}
