package alert

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/master/history"
	"github.com/vedettehq/vedette/master/state"
)

// BenchmarkThousandRules evaluates 1,000 rules over 100,000 series; one rule in a hundred
// fires. core_percent is the processor time of that every 15 s.
func BenchmarkThousandRules(b *testing.B) {
	const metrics, hosts = 1000, 100
	dir := b.TempDir()
	store, err := history.Open(history.Options{
		Dir: filepath.Join(dir, "history"), MinFreeBytes: 1, Retention: 24 * time.Hour, OutOfOrder: time.Hour, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	patience.Closed(b, "the history", store.Ready())
	var rules strings.Builder
	rules.WriteString("groups:\n")
	var samples []history.Sample
	now := time.Now()
	for m := range metrics {
		if m%50 == 0 {
			fmt.Fprintf(&rules, "- name: g%d\n  interval: 1h\n  rules:\n", m/50)
		}
		fmt.Fprintf(&rules, "  - { alert: a%d, expr: m%d_value > 90, labels: { severity: warning }, annotations: { summary: '{{ $labels.host }} {{ $value }}' } }\n", m, m)
		for h := range hosts {
			series := store.NewSeries(fmt.Sprintf("h%d", h), fmt.Sprintf("m%d/value", m), nil, inspectors.Gauge)
			samples = append(samples, history.Sample{Series: series, T: now.UnixMilli(), V: float64((m*37 + h) % hosts * 91 / 99)})
		}
	}
	if _, err := store.NewAppender().Append(b.Context(), samples); err != nil {
		b.Fatal(err)
	}
	file := filepath.Join(dir, "rules.yaml")
	if err := os.WriteFile(file, []byte(rules.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	alerts, err := New(Options{History: store, Link: func() string { return "http://master" }, Config: config.Alerts{Rules: []string{file}}})
	if err != nil {
		b.Fatal(err)
	}
	if err := alerts.Open(b.Context(), state.NewMemory()); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- alerts.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	}()
	patience.Closed(b, "the start", alerts.started)
	groups := alerts.ruleGroups()
	before := processorTime(b)
	for n := 0; b.Loop(); n++ {
		for _, g := range groups {
			g.Eval(b.Context(), now.Add(time.Duration(n)*time.Millisecond))
		}
	}
	took := (processorTime(b) - before) / time.Duration(b.N)
	firing := 0
	for _, g := range groups {
		for _, r := range g.AlertingRules() {
			firing += len(r.ActiveAlerts())
		}
	}
	b.ReportMetric(100*took.Seconds()/interval.Seconds(), "core_percent")
	b.ReportMetric(float64(firing), "firing")
}

// processorTime is what this process has taken so far.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
