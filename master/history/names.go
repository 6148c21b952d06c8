package history

import (
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/vedettehq/vedette/inspectors"
)

// Labels that the master gives to every series, beside __name__.
const (
	labelHost = "host"
	labelKey  = "key"
)

// seriesLabels returns the stored labels of a series, whose names must be valid.
func seriesLabels(host, key string, own inspectors.Labels) labels.Labels {
	return namedLabels(inspectors.MetricName(key), host, key, own)
}

func namedLabels(name, host, key string, own inspectors.Labels) labels.Labels {
	b := labels.NewScratchBuilder(len(own) + 3)
	b.Add(model.MetricNameLabel, name)
	if host != "" { // the master's own series belong to no host
		b.Add(labelHost, host)
	}
	b.Add(labelKey, key)
	for _, label := range own {
		// An empty value is not a label in Prometheus.
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
	shown, _ := inspectors.BearableStored(own)
	return shown.Map()
}
