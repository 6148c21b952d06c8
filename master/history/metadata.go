package history

import (
	"maps"
	"strings"
	"sync"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/master/history/promapi"
)

// metadata is what is known of each metric since the process started: agents
// declare their series again on every connection.
type metadata struct {
	mu    sync.Mutex
	names map[string]promapi.Metadata // by metric name
}

func (m *metadata) note(name, key string, kind inspectors.Kind) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.names[name]; known {
		return
	}
	if m.names == nil {
		m.names = make(map[string]promapi.Metadata)
	}
	m.names[name] = promapi.Metadata{Type: kind.String(), Help: "Samples of the key " + key + ".", Unit: unitOf(name)}
}

func (m *metadata) all() map[string]promapi.Metadata {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.names)
}

// kind returns what a metric was declared as. One that was not declared since
// the start is taken for what its name says.
func (m *metadata) kind(name string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if known, ok := m.names[name]; ok {
		return known.Type
	}
	if strings.HasSuffix(name, "_total") {
		return inspectors.Counter.String()
	}
	return inspectors.Gauge.String()
}

// unitOf reads the unit off a name that follows the conventions.
func unitOf(name string) string {
	name = strings.TrimSuffix(name, "_total")
	for _, unit := range []string{"seconds", "bytes", "percent", "celsius", "ratio", "volts", "amperes", "watts", "joules", "hertz"} {
		if strings.HasSuffix(name, "_"+unit) {
			return unit
		}
	}
	return ""
}
