package collect

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

// probe checks whether services are up.
type probe struct {
	name   string
	of     *inspectors.Collector
	client *client        // of http, or nil
	body   *regexp.Regexp // that http or tcp expects, or nil
	ask    func(ctx context.Context, target string, to *answer) error
}

func newProbe(d *inspectors.Definition) (*probe, error) {
	p := &probe{name: d.Name, of: d.Collector}
	params := &p.of.Params
	expect := params.Body
	if p.of.Kind == inspectors.ProbeTCP {
		expect = params.Expect
	}
	if expect != "" {
		var err error
		if p.body, err = regexp.Compile(expect); err != nil {
			return nil, err
		}
	}
	switch p.of.Kind {
	case inspectors.ProbeHTTP:
		c, err := newClient(&p.of.Client)
		if err != nil {
			return nil, err
		}
		c.transport.DisableKeepAlives = true // each run makes a new connection, like a visitor
		p.client, p.ask = c, p.askHTTP
	case inspectors.ProbeTLS:
		p.ask = p.askTLS
	case inspectors.ProbeDNS:
		p.ask = p.askDNS
	case inspectors.ProbeTCP:
		p.ask = p.askTCP
	case inspectors.ProbePing:
		p.ask = p.askPing
	default:
		return nil, fmt.Errorf("there is no probe %q", p.of.Kind)
	}
	return p, nil
}

func (p *probe) close() {
	if p.client != nil {
		p.client.close()
	}
}

// answer is the result of a probe for one target.
type answer struct {
	probe   *probe
	labels  map[string]string
	at      time.Time
	samples []inspectors.Sample
}

// gauge adds a value, with further labels as name, value pairs.
func (a *answer) gauge(name string, value float64, pairs ...string) {
	labels := a.labels
	if len(pairs) > 0 {
		labels = maps.Clone(labels)
		for i := 0; i+1 < len(pairs); i += 2 {
			labels[pairs[i]] = pairs[i+1]
		}
	}
	own, _ := inspectors.Bearable(inspectorsLabels(labels))
	a.samples = append(a.samples, inspectors.Sample{Key: inspectors.JoinKey(a.probe.name, name), Labels: own, Time: a.at, Value: value})
}

// seconds adds a duration.
func (a *answer) seconds(name string, d time.Duration, pairs ...string) {
	a.gauge(name, d.Seconds(), pairs...)
}

// collect asks every target. A target that is down is an error, and its value up is 0.
func (p *probe) collect(ctx context.Context, run run) ([]inspectors.Sample, error) {
	targets := slices.Compact(slices.Sorted(slices.Values(p.of.Targets)))
	samples := make([][]inspectors.Sample, len(targets))
	err := each(ctx, len(targets), func(ctx context.Context, i int) error {
		to := &answer{probe: p, at: run.at, labels: map[string]string{"target": targets[i]}}
		for name, value := range p.of.Labels {
			to.labels[name] = value
		}
		begin := time.Now()
		err := p.ask(ctx, targets[i], to)
		up := 1.0
		if err != nil {
			up, err = 0, fmt.Errorf("%s %s: %w", p.of.Kind, targets[i], err)
		}
		to.gauge("up", up)
		to.seconds("duration_seconds", time.Since(begin))
		samples[i] = to.samples
		return err
	})
	return slices.Concat(samples...), err
}
