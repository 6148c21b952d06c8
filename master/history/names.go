package history

import (
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/vedettehq/vedette/inspectors"
)

// Labels that the master gives to every series, beside __name__.
const (
	labelHost = "host"
	labelKey  = "key"
)

// MetricName returns the name under which a key is stored: every byte that a
// Prometheus metric name cannot hold becomes "_", and a name that would start
// with a digit gets one in front. load/average-1 is load_average_1. Keys that
// give one name are told apart by the label "key".
func MetricName(key string) string {
	var b strings.Builder
	b.Grow(len(key) + 1)
	if key == "" || '0' <= key[0] && key[0] <= '9' {
		b.WriteByte('_')
	}
	for i := range len(key) {
		c := key[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' {
			b.WriteByte(c)
		} else {
			b.WriteByte('_')
		}
	}
	return b.String()
}

// seriesLabels returns the stored labels of a series, whose names must be valid.
func seriesLabels(host, key string, own inspectors.Labels) labels.Labels {
	return namedLabels(MetricName(key), host, key, own)
}

func namedLabels(name, host, key string, own inspectors.Labels) labels.Labels {
	b := labels.NewScratchBuilder(len(own) + 3)
	b.Add(model.MetricNameLabel, name)
	b.Add(labelHost, host)
	b.Add(labelKey, key)
	for _, label := range own {
		// An empty value is no label in Prometheus.
		if label.Value != "" {
			b.Add(label.Name, label.Value)
		}
	}
	b.Sort()
	return b.Labels()
}

// ownLabels returns the labels that seriesLabels was given as own, in the form that is
// shown.
func ownLabels(stored labels.Labels) map[string]string {
	var own inspectors.Labels
	stored.Range(func(l labels.Label) {
		if l.Name != model.MetricNameLabel && l.Name != labelHost && l.Name != labelKey {
			own = append(own, inspectors.Label{Name: l.Name, Value: l.Value})
		}
	})
	shown, _ := Shown(own)
	return shown.Map()
}
