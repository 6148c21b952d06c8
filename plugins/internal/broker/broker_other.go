//go:build !linux

package broker

import (
	"errors"
	"log/slog"
	"os"
)

// Broker answers one script host. There is none on this system.
type Broker struct{}

// New says that there is none.
func New(*slog.Logger, []string, Reach) (*Broker, *os.File, error) {
	return nil, nil, errors.ErrUnsupported
}

// Run returns.
func (b *Broker) Run() {}

// Close does nothing.
func (b *Broker) Close() {}
