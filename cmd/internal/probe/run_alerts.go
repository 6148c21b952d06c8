package probe

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/alerts"
)

// Bounds of the samples that are kept for the alerts.
const (
	alertsSpan    = time.Hour
	alertsSamples = 200_000
)

// remember keeps samples for the script's alerts.
func (p *runPrinter) remember(samples []inspectors.Sample) {
	p.seen = append(p.seen, samples...)
	if len(p.seen) == 0 {
		return
	}
	old := p.seen[len(p.seen)-1].Time.Add(-alertsSpan)
	from := slices.IndexFunc(p.seen, func(s inspectors.Sample) bool { return s.Time.After(old) })
	if from = max(from, len(p.seen)-alertsSamples); from > 0 {
		p.seen = slices.Delete(p.seen, 0, from)
	}
}

// alerts prints the state of the script's alerts after its runs.
func (p *runPrinter) alerts(ctx context.Context, d inspectors.Definition) error {
	said, err := d.Script.Directives()
	if err != nil || len(said.Alerts) == 0 || p.json || len(p.seen) == 0 {
		return nil
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	var b strings.Builder
	b.WriteString("\nAlerts, as a master would see them now:\n")
	for _, one := range alerts.Look(ctx, alerts.Probe{Name: d.Name, Said: said, Interval: d.Interval}, host, p.seen) {
		fmt.Fprintf(&b, "  %s (%s): %s\n", one.Name, one.Severity, stands(one))
		for _, h := range one.Fires {
			fmt.Fprintf(&b, "    %s: %s\n", seriesText(one, h), cli.OneLine(h.Summary))
		}
	}
	_, err = p.out.Write([]byte(b.String()))
	return err
}

// stands describes the state of an alert in one line.
func stands(one alerts.Now) string {
	after := "would fire at once"
	if one.For > 0 {
		after = "would fire after " + cli.Length(one.For)
	}
	switch {
	case one.Err != nil:
		return "cannot be evaluated: " + cli.OneLine(one.Err.Error())
	case len(one.Fires) > 0:
		return after
	case one.Operator != "" && len(one.Nearest) == 0:
		return "no value yet; it may need more runs, such as --interval 1s --count 10"
	case one.Operator != "":
		text := fmt.Sprintf("does not fire: %s, and it fires at %s %g", seriesText(alerts.Now{}, one.Nearest[0]), one.Operator, one.Threshold)
		if more := len(one.Nearest) - 1; more > 0 {
			text += fmt.Sprintf("; %d more", more)
		}
		return text
	}
	return "does not fire"
}

// seriesText is the labels of a series, and its value compared with the threshold.
func seriesText(one alerts.Now, h alerts.Holds) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(h.Labels)) {
		parts = append(parts, fmt.Sprintf("%s=%q", name, h.Labels[name]))
	}
	text := fmt.Sprintf("%.6g", h.Value)
	if len(parts) > 0 {
		text = "{" + strings.Join(parts, ", ") + "} " + text
	}
	if one.Operator != "" {
		text += fmt.Sprintf(" %s %g", one.Operator, one.Threshold)
	}
	return text
}
