package agent

import "github.com/vedettehq/vedette/rpc/wire"

// count is one count of an inspector. The series that the agent reports, its own
// measures at /metrics, and the table in docs/budgets.md follow from it.
type count struct {
	// field is its name in wire.InspectorStatus, as it is on the wire.
	field string
	// series is the key of the series that each run yields, or "" for none.
	series string
	// measure is its name at /metrics, after vedette_agent_inspector_, or "" if
	// another measure includes it.
	measure string
	// says is its help text at /metrics and its description in the documentation.
	says string

	value func(*wire.InspectorStatus) float64
}

// counts lists the counts of an inspector. Runs by outcome are counted separately,
// by tally. It is an array so that a run does not allocate it.
func counts() [7]count {
	return [...]count{
		{"runs", "", "", "Runs.", func(s *wire.InspectorStatus) float64 { return float64(s.Runs) }},
		{"failures", "", "failures_total", "Runs that did not end well.", func(s *wire.InspectorStatus) float64 { return float64(s.Failures) }},
		{"timeouts", "", "", "Runs that were cut off at their timeout.", func(s *wire.InspectorStatus) float64 { return float64(s.Timeouts) }},
		{"missed", keyMissed, "missed_total", "Ticks without a run.", func(s *wire.InspectorStatus) float64 { return float64(s.Missed) }},
		{"crashes", "", "", "Crashes of the process while this ran.", func(s *wire.InspectorStatus) float64 { return float64(s.Crashes) }},
		{"over_budget", "", "", "Runs that were cut off, or blamed, for taking too much.", func(s *wire.InspectorStatus) float64 { return float64(s.OverBudget) }},
		{"cpu_seconds", keyCPU, "cpu_seconds_total", "Processor time of all runs.", func(s *wire.InspectorStatus) float64 { return s.CPUSeconds }},
	}
}
