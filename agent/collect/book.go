package collect

import (
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"

	"github.com/vedettehq/vedette/inspectors"
)

// maxToldFaults is how many faults of one answer an error names.
const maxToldFaults = 3

// book knows the series of one target by the text in which it gives them. An answer has
// mostly the same series as the one before.
type book struct {
	symbols *labels.SymbolTable
	byText  map[string]*page
	bySelf  map[string]*page // by key and labels
	abouts  map[string]*inspectors.About
	said    map[string]*inspectors.About // what the last answer said of its families
	round   uint64
}

// page is one series, or why its text is none.
type page struct {
	key    string
	labels inspectors.Labels
	kind   inspectors.Kind
	about  *inspectors.About
	err    error
	round  uint64 // in which it was last seen
}

// read takes the samples of an answer. It fails as a whole if the answer has more series
// than the budget allows, or cannot be read. If its error wraps inspectors.ErrSamples, the
// returned samples are good. scraped is how many samples the answer had, including those
// that were not taken, for example because their values are not finite.
func (b *book) read(body []byte, contentType string, t *target, run run) (samples []inspectors.Sample, scraped int, err error) {
	if b.byText == nil || b.round%symbolRounds == 0 {
		b.symbols = labels.NewSymbolTable()
	}
	if b.byText == nil {
		b.byText, b.bySelf, b.abouts = make(map[string]*page), make(map[string]*page), make(map[string]*inspectors.About)
	}
	parser, err := b.parser(body, contentType)
	if err != nil {
		return nil, 0, err
	}
	b.round++
	r := reading{book: b, target: t, run: run, parser: parser, families: make(map[string]*inspectors.About)}
	err = r.all()
	b.forget()
	if err != nil {
		return nil, r.scraped, err
	}
	b.follow(r.families)
	return r.samples, r.scraped, r.err()
}

// symbolRounds is after how many answers the table of symbols is rebuilt.
const symbolRounds = 500

// parser returns the parser for the format of an answer. An answer that does not say its
// format is read as the text format.
func (b *book) parser(body []byte, contentType string) (textparse.Parser, error) {
	media, _, err := mime.ParseMediaType(contentType)
	if contentType != "" && err != nil {
		media = "text/plain"
	}
	switch media {
	case "", "text/plain", "application/openmetrics-text", "application/octet-stream":
	default:
		return nil, fmt.Errorf("it answers %s, which is not the text format of Prometheus; is the path right?", inspectors.Quote(media))
	}
	parser, err := textparse.New(body, contentType, b.symbols, textparse.ParserOptions{FallbackContentType: "text/plain", OpenMetricsSkipSTSeries: true})
	if parser == nil {
		return nil, err
	}
	return parser, nil
}

// forget drops series that the last answer did not have.
func (b *book) forget() {
	for text, p := range b.byText {
		if p.round != b.round {
			delete(b.byText, text)
		}
	}
	for self, p := range b.bySelf {
		if p.round != b.round {
			delete(b.bySelf, self)
		}
	}
	if len(b.abouts) > len(b.bySelf)+100 {
		clear(b.abouts)
	}
}

// follow forgets all series if an answer describes a family otherwise than the answer before
// it, for example because the exporter was upgraded, so that the next answer makes them as
// they are described now.
func (b *book) follow(families map[string]*inspectors.About) {
	for name, about := range families {
		if before := b.said[name]; b.said != nil && (before == nil || *before != *about) {
			clear(b.byText)
			clear(b.bySelf)
			break
		}
	}
	b.said = families
}

// reading is one answer while it is read.
type reading struct {
	*book
	target   *target
	run      run
	parser   textparse.Parser
	families map[string]*inspectors.About // that this answer has described

	samples []inspectors.Sample
	scraped int
	refused int
	faults  []error
	lset    labels.Labels
}

// all reads to the end.
func (r *reading) all() error {
	for {
		entry, err := r.parser.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("cannot read the answer: %s", inspectors.ShortenQuotes(err.Error(), maxCut))
		}
		switch entry {
		case textparse.EntryHelp:
			name, text := r.parser.Help()
			r.family(string(name)).Help = strings.ToValidUTF8(cut(string(text)), "\uFFFD")
		case textparse.EntryType:
			name, kind := r.parser.Type()
			r.family(string(name)).Type = string(kind)
		case textparse.EntryUnit:
			name, unit := r.parser.Unit()
			r.family(string(name)).Unit = strings.ToValidUTF8(cut(string(unit)), "\uFFFD")
		case textparse.EntrySeries:
			if err := r.sample(); err != nil {
				return err
			}
		case textparse.EntryHistogram:
			r.refuse(errors.New("native histograms are not taken"))
		}
	}
}

// maxCut is how many bytes are kept of a text that comes from elsewhere.
const maxCut = 400

// cut shortens a text that comes from elsewhere.
func cut(text string) string {
	if len(text) > maxCut {
		return strings.ToValidUTF8(text[:maxCut], "") + "…"
	}
	return text
}

func (r *reading) family(name string) *inspectors.About {
	if len(r.families) > r.run.budget.Series {
		return &inspectors.About{} // more than the budget of series
	}
	if r.families[name] == nil {
		r.families[name] = &inspectors.About{Family: name}
	}
	return r.families[name]
}

// sample takes one sample.
func (r *reading) sample() error {
	text, _, value := r.parser.Series()
	if r.scraped++; r.scraped > r.run.budget.Series {
		return fmt.Errorf("it has more than %d series, so none is taken; raise budget.series, or have the exporter show less", r.run.budget.Series)
	}
	p := r.byText[string(text)]
	if p == nil {
		p = r.page(string(text))
	}
	switch {
	case p.err != nil:
		p.round = r.round
		r.refuse(p.err)
		return nil
	case p.round == r.round:
		r.refuse(fmt.Errorf("%s%s is given twice", p.key, p.labels))
		return nil
	}
	p.round = r.round
	if !math.IsNaN(value) && !math.IsInf(value, 0) {
		r.samples = append(r.samples, inspectors.Sample{Key: p.key, Labels: p.labels, Kind: p.kind, Time: r.run.at, Value: value, About: p.about})
	}
	return nil
}

// page makes the page of a new series, or finds the page of the same series under another
// text.
func (r *reading) page(text string) *page {
	r.parser.Labels(&r.lset)
	name := r.lset.Get(model.MetricNameLabel)
	p := &page{key: inspectors.MetricKey(name)}
	if p.labels, p.err = r.target.combine(r.lset); p.err != nil {
		p.err = fmt.Errorf("%s: %w", p.key, p.err)
		r.byText[text] = p
		return p
	}
	self := p.key + p.labels.String()
	if known := r.bySelf[self]; known != nil {
		r.byText[text] = known
		return known
	}
	p.kind, p.about = r.describe(name)
	r.byText[text], r.bySelf[self] = p, p
	return p
}

// describe returns the kind of a series from the name of its metric, and the description
// of that metric in the answer.
func (r *reading) describe(name string) (inspectors.Kind, *inspectors.About) {
	family, suffix := inspectors.Family(name, func(family string) bool { return r.families[family] != nil })
	if family == "" {
		return inspectors.MetricKind(name), nil
	}
	about := r.families[family]
	kind := inspectors.FamilyKind(about.Type, name, suffix)
	if known := r.abouts[about.Family]; known != nil && *known == *about {
		return kind, known
	}
	shared := *about // the answer may describe it later
	r.abouts[about.Family] = &shared
	return kind, &shared
}

// combine puts the labels of a scraped series and of its target together.
func (t *target) combine(scraped labels.Labels) (inspectors.Labels, error) {
	own := make(map[string]string, scraped.Len()+len(t.labels))
	scraped.Range(func(l labels.Label) {
		if l.Name != model.MetricNameLabel {
			own[l.Name] = l.Value
		}
	})
	return inspectors.CombineLabels(own, t.labels, t.honor)
}

// refuse counts a sample that is not taken.
func (r *reading) refuse(err error) {
	if r.refused++; len(r.faults) < maxToldFaults {
		r.faults = append(r.faults, err)
	}
}

// err describes the samples that were not taken.
func (r *reading) err() error {
	if r.refused == 0 {
		return nil
	}
	err := fmt.Errorf("%w: %w", inspectors.ErrSamples, errors.Join(r.faults...))
	if more := r.refused - len(r.faults); more > 0 {
		return fmt.Errorf("%w; and %d more", err, more)
	}
	return err
}
