package collect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

// accept asks for the text formats, OpenMetrics first, because it has units.
const accept = "application/openmetrics-text;version=1.0.0;q=0.7,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"

// scrape scrapes Prometheus exporters.
type scrape struct {
	name   string
	of     *inspectors.Collector
	client *client
	files  *targetFiles

	targets map[string]*target // those of the last run, by their labels
}

// target is one exporter. It remembers the series of its last answer.
type target struct {
	url    string
	shown  string            // the address, as errors give it
	labels map[string]string // of every series
	honor  bool
	book   book
	up     reported
}

// reported are the series about the scrape itself.
type reported struct {
	labels inspectors.Labels
}

func newScrape(d *inspectors.Definition) (*scrape, error) {
	c, err := newClient(&d.Collector.Client)
	if err != nil {
		return nil, err
	}
	return &scrape{name: d.Name, of: d.Collector, client: c, files: newTargetFiles(d.Collector.TargetFiles), targets: make(map[string]*target)}, nil
}

func (s *scrape) close() { s.client.close() }

// collect scrapes every target. A target that could not be scraped is an error; the
// samples of the others are kept.
func (s *scrape) collect(ctx context.Context, run run) ([]inspectors.Sample, error) {
	targets, faults := s.current()
	told, samples := make([][]inspectors.Sample, len(targets)), make([][]inspectors.Sample, len(targets))
	err := each(ctx, len(targets), func(ctx context.Context, i int) (err error) {
		told[i], samples[i], err = s.scrapeOne(ctx, targets[i], run)
		return err
	})
	return slices.Concat(append(told, samples...)...), errors.Join(append(faults, err)...)
}

// isStopped reports whether a run was cut short because the agent stops, which says
// nothing about its targets.
func isStopped(ctx context.Context) bool { return errors.Is(ctx.Err(), context.Canceled) }

// current returns the present targets, sorted by address. Targets that were there before
// are kept, with everything that they remember.
func (s *scrape) current() (list []*target, faults []error) {
	now := make(map[string]*target)
	add := func(address string, labels map[string]string) error {
		made, err := s.target(address, labels)
		if err != nil {
			return err
		}
		id := inspectorsLabels(made.labels).String() + made.url
		if known := s.targets[id]; known != nil {
			made = known
		}
		now[id] = made
		return nil
	}
	for _, address := range s.of.Targets {
		if err := add(address, nil); err != nil {
			faults = append(faults, fmt.Errorf("a target: %w", err))
		}
	}
	found, err := s.files.read()
	if err != nil {
		faults = append(faults, err)
	}
	for _, f := range found {
		if err := add(f.address, f.labels); err != nil {
			faults = append(faults, fmt.Errorf("file_sd: %q: target %q: %w", f.file, f.target, err))
		}
	}
	s.targets = now
	for _, id := range slices.SortedFunc(maps.Keys(now), strings.Compare) {
		list = append(list, now[id])
	}
	return list, faults
}

// target makes a target of an address and the labels that a file gives it.
func (s *scrape) target(address string, found map[string]string) (*target, error) {
	if err := inspectors.ValidateURL(address); err != nil {
		return nil, err
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	labels := map[string]string{"job": s.name, "instance": withPort(u)}
	maps.Copy(labels, s.of.Labels)
	for name, value := range found {
		if !strings.HasPrefix(name, "__") {
			labels[name] = value
		}
	}
	t := &target{url: address, shown: u.Redacted(), labels: labels, honor: s.of.HonorLabels}
	if t.up.labels, _ = inspectors.Bearable(inspectorsLabels(labels)); t.up.labels.Validate() != nil {
		return nil, t.up.labels.Validate()
	}
	return t, nil
}

// withPort is the label "instance" of an address.
func withPort(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Host
	case u.Scheme == "https":
		return u.Host + ":443"
	}
	return u.Host + ":80"
}

// inspectorsLabels returns labels in order, without those that have no value.
func inspectorsLabels(m map[string]string) inspectors.Labels {
	var list inspectors.Labels
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if m[name] != "" {
			list = append(list, inspectors.Label{Name: name, Value: m[name]})
		}
	}
	return list
}

// scrapeOne scrapes one target. The series about the scrape come before all others, so
// that no budget takes them away.
func (s *scrape) scrapeOne(ctx context.Context, t *target, run run) (told, samples []inspectors.Sample, err error) {
	begin := time.Now()
	body, contentType, err := s.client.get(ctx, t.url, accept, run.budget.Output)
	scraped := 0
	if err == nil {
		samples, scraped, err = t.book.read(body, contentType, t, run)
	}
	if err != nil && isStopped(ctx) {
		return nil, nil, err
	}
	up := 1.0
	if err != nil && !errors.Is(err, inspectors.ErrSamples) {
		up, samples = 0, nil
	}
	if err != nil {
		err = fmt.Errorf("cannot scrape %s: %w", t.shown, err)
	}
	own := func(key string, value float64) inspectors.Sample {
		return inspectors.Sample{Key: key, Labels: t.up.labels, Time: run.at, Value: value}
	}
	told = []inspectors.Sample{
		own("up", up), own("scrape_duration_seconds", time.Since(begin).Seconds()), own("scrape_samples_scraped", float64(scraped)),
	}
	return told, samples, err
}

// readBounded reads at most the given number of bytes, and refuses more.
func readBounded(r io.Reader, most int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("the answer is longer than %s (budget.output)", inspectors.FormatBytes(most))
	}
	return text, err
}

var _ collector = (*scrape)(nil)

// statusError says that the answer is not the expected one.
func statusError(r *http.Response) error {
	return fmt.Errorf("it answers %s", inspectors.EscapeText(r.Status, maxCut))
}
