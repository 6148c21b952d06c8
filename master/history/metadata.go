package history

import (
	"cmp"
	"maps"
	"strings"
	"sync"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/master/history/promapi"
)

// metadata is everything known about each metric since the process started: agents declare
// their series again on every connection.
type metadata struct {
	mu    sync.Mutex
	names map[string]promapi.Metadata // by metric name
	// told has the descriptions of exporters, by the names that they give to metrics: no
	// series of a histogram has the histogram's own name.
	told map[string]promapi.Metadata
}

// Bounds of exporters' descriptions.
const (
	maxTold      = 100_000 // metrics
	maxTypeBytes = 32
	maxUnitBytes = 64
	maxHelpBytes = 1024
)

// Describe records an exporter's description of a metric; "" stands for unknown parts.
// Parts that are impossible or too long are ignored.
func (s *Store) Describe(metric, kind, unit, help string) {
	if !inspectors.IsMetricName(metric) || len(metric) > inspectors.MaxKeyBytes ||
		len(kind) > maxTypeBytes || len(unit) > maxUnitBytes || len(help) > maxHelpBytes {
		return
	}
	s.meta.describe(metric, promapi.Metadata{
		Type: cmp.Or(inspectors.EscapeValue(kind), "unknown"), Help: inspectors.EscapeValue(help),
		Unit: cmp.Or(inspectors.EscapeValue(unit), unitOf(metric)),
	})
}

func (m *metadata) describe(metric string, about promapi.Metadata) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.told[metric]; !known && len(m.told) >= maxTold {
		return
	}
	if m.told == nil {
		m.told = make(map[string]promapi.Metadata)
	}
	m.told[metric] = about
}

func (m *metadata) note(name, key string, kind inspectors.Kind) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if known, ok := m.names[name]; ok && known.Type == kind.String() {
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
	all := maps.Clone(m.names)
	if all == nil {
		all = make(map[string]promapi.Metadata)
	}
	maps.Copy(all, m.told)
	return all
}

// kind returns the declared kind of a metric. If it was not declared since the start, its
// name decides.
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

// unitOf reads the unit from a name that follows the conventions.
func unitOf(name string) string {
	name = strings.TrimSuffix(name, "_total")
	for _, unit := range []string{"seconds", "bytes", "percent", "celsius", "ratio", "volts", "amperes", "watts", "joules", "hertz"} {
		if strings.HasSuffix(name, "_"+unit) {
			return unit
		}
	}
	return ""
}
