package inspectors

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// The states of a Nagios check, which are the exit statuses of its program.
const (
	NagiosOK = iota
	NagiosWarning
	NagiosCritical
	// NagiosUnknown is also any other status, and a program that was killed.
	NagiosUnknown
)

// Bounds of the result of one run of a check.
const (
	// MaxNagiosValues is how many values are taken from its performance data.
	MaxNagiosValues = 1000
	// MaxNagiosTextBytes is how much of its first line is kept.
	MaxNagiosTextBytes = 1024
)

// NagiosResult is the result of one run of a Nagios check.
type NagiosResult struct {
	// State is NagiosOK, NagiosWarning, NagiosCritical or NagiosUnknown.
	State int
	// Text is the first line without its performance data, cut at
	// MaxNagiosTextBytes.
	Text string
	// Values are the performance data, in their order.
	Values []NagiosValue
	// Faults say which performance data were left out, and why; the first ten.
	Faults []string
}

// NagiosValue is one item of performance data: 'label'=value[unit];warn;crit;min;max.
type NagiosValue struct {
	// Label says what the value measures, such as a path. It is never empty.
	Label string
	// Unit is "seconds", "bytes", "percent", "total" for a counter, "" for a
	// number without a unit, or else the unit as the check wrote it.
	Unit string
	// Value and everything below are in that unit: 5 ms are 0.005 seconds, 1 KB
	// is 1024 bytes.
	Value float64
	// Warning and Critical are nil if the check gives none.
	Warning, Critical *NagiosRange
	// Min and Max are nil if the check gives none.
	Min, Max *float64
}

// NagiosRange is the range of a threshold. A value outside it is bad, or inside
// it where Inside is true. Start and End may be infinite, and belong to the range.
type NagiosRange struct {
	Start, End float64
	Inside     bool
}

// Nagios runs a Nagios check and reports what it said. The script has to name the
// program in //vedette:needs exec:PATH; everything that Exec says holds here too.
// It reports
//
//	status    the state, from 0 for OK to 3 for unknown
//	value, seconds, bytes, percent, count_total
//	          its performance data by their unit, with the label "label", and
//	          "unit" where the unit is none of these
//	…_warning, …_critical
//	          their thresholds, with the label "bound": "above" and "below" for
//	          the values beyond which it warns, "from" and "to" for a range
//	          inside which it warns
//	…_min, …_max
//	          the least and the largest that the value can be
//
// A check that warns is no failed run. One that cannot be run, and one that does
// not end in time, is: its status is 3, and the error says why. Performance data
// that cannot be read are left out and named in the Faults of the result.
func Nagios(ctx context.Context, r *Report, path string, args ...string) (NagiosResult, error) {
	ctx, cancel := nagiosTime(ctx)
	defer cancel()
	output, err := Exec(ctx, path, args...)
	code := 0
	var exit *ExitError
	switch {
	case errors.As(err, &exit):
		code = exit.Code
	case err != nil:
		r.Gauge("status", NagiosUnknown)
		return NagiosResult{State: NagiosUnknown, Text: err.Error()}, err
	}
	result := ParseNagios(code, output)
	if exit != nil && result.Text == "" {
		result.Text = exit.Error()
	}
	result.report(r)
	return result, nil
}

// errNagiosTime is the cause of a check's end.
var errNagiosTime = errors.New("the check did not end in time; give it a longer timeout")

// nagiosTime returns a context that ends a little before the run does, so that a
// check that hangs still has a status.
func nagiosTime(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	left := time.Until(end)
	return context.WithDeadlineCause(ctx, end.Add(-min(left/10, time.Second)), errNagiosTime)
}

// report adds the result of the check to a report.
func (n *NagiosResult) report(r *Report) {
	r.Gauge("status", float64(n.State))
	seen := make(map[string]bool)
	for i := range n.Values {
		v := &n.Values[i]
		name, labels := v.series()
		series := name + "\x00" + EscapeValue(v.Label) + "\x00" + v.Unit
		switch {
		case len(EscapeValue(v.Label)) > MaxLabelValueBytes:
			n.fault("%s: the label is longer than %d bytes", Quote(v.Label), MaxLabelValueBytes)
			continue
		case seen[series]:
			n.fault("%s: the label is given twice", Quote(v.Label))
			continue
		}
		seen[series] = true
		if v.Unit == "total" {
			r.Counter(name+"_total", v.Value, labels...)
		} else {
			r.Gauge(name, v.Value, labels...)
		}
		v.Warning.report(r, name+"_warning", labels)
		v.Critical.report(r, name+"_critical", labels)
		for suffix, limit := range map[string]*float64{"_min": v.Min, "_max": v.Max} {
			if limit != nil {
				r.Gauge(name+suffix, *limit, labels...)
			}
		}
	}
}

// series returns the name of a value's series, and its labels.
func (v *NagiosValue) series() (name string, labels []string) {
	labels = []string{"label", v.Label}
	switch v.Unit {
	case "seconds", "bytes", "percent":
		return v.Unit, labels
	case "total":
		return "count", labels
	case "":
		return "value", labels
	}
	return "value", append(labels, "unit", v.Unit)
}

// report adds the bounds of a range. The range may be nil, and an infinite bound
// is left out.
func (g *NagiosRange) report(r *Report, name string, labels []string) {
	if g == nil {
		return
	}
	low, high := "below", "above"
	if g.Inside {
		low, high = "from", "to"
	}
	bound := func(which string, value float64) {
		if !isInfinite(value) {
			r.Gauge(name, value, append(labels[:len(labels):len(labels)], "bound", which)...)
		}
	}
	bound(low, g.Start)
	bound(high, g.End)
}

// fault records performance data that are left out.
func (n *NagiosResult) fault(format string, args ...any) {
	if len(n.Faults) < maxFaults {
		n.Faults = append(n.Faults, fmt.Sprintf(format, args...))
	}
}
