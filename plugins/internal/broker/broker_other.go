//go:build !linux

package broker

import (
	"errors"
	"log/slog"
	"os"
)

// Broker answers one script host. There is none on this system.
type Broker struct{}

// New returns an error: there is no broker on this system.
func New(*slog.Logger, []string, Reach) (*Broker, *os.File, error) {
	return nil, nil, errors.ErrUnsupported
}

// Run returns.
func (b *Broker) Run() {}

// Close does nothing.
func (b *Broker) Close() {}
