package plugins

import (
	"context"
	"fmt"
	"sync"
)

// nameLocks lets one caller at a time work on a name.
type nameLocks struct {
	mu   sync.Mutex
	held map[string]chan struct{} // closed when the name is free
}

func (l *nameLocks) lock(ctx context.Context, name string) (unlock func(), err error) {
	for {
		l.mu.Lock()
		busy := l.held[name]
		if busy == nil {
			free := make(chan struct{})
			if l.held == nil {
				l.held = make(map[string]chan struct{})
			}
			l.held[name] = free
			l.mu.Unlock()
			return func() {
				l.mu.Lock()
				delete(l.held, name)
				l.mu.Unlock()
				close(free)
			}, nil
		}
		l.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
		}
	}
}
