package history

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	prommetadata "github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
)

// Rules reads and writes for the evaluation of rules. Its engine is separate from that of
// queries, so that queries do not delay alerts.
type Rules struct {
	store  *Store
	engine *engine
}

// Rules returns the store for rules. It may be used while the store is closed or being
// reopened: reading then fails for the moment.
func (s *Store) Rules() *Rules { return &Rules{store: s, engine: newEngine(s.opts.Log, nil)} }

// NewRuleEngine returns an engine like that of rules, for tests of rules on samples in
// another database, and the parser of its expressions.
func NewRuleEngine(log *slog.Logger) (*promql.Engine, parser.Parser) {
	e := newEngine(log, nil)
	return e.Engine, e.parser
}

// Parser reads the expressions that Query evaluates.
func (r *Rules) Parser() parser.Parser { return r.engine.parser }

// Query evaluates an expression at a time. A scalar is a vector of one sample.
func (r *Rules) Query(ctx context.Context, text string, at time.Time) (promql.Vector, error) {
	gen, release, err := r.store.acquire()
	if err != nil {
		return nil, err
	}
	defer release()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(gen.ctx, cancel)()
	query, err := r.engine.NewInstantQuery(ctx, gen.db, nil, text, at)
	if err != nil {
		return nil, err
	}
	defer query.Close()
	result := query.Exec(ctx)
	if result.Err != nil {
		return nil, result.Err
	}
	switch v := result.Value.(type) {
	case promql.Vector:
		return v, nil
	case promql.Scalar:
		return promql.Vector{{T: v.T, F: v.V}}, nil
	}
	return nil, fmt.Errorf("the expression gives a %s; a rule needs a vector or a scalar", result.Value.Type())
}

// Querier implements storage.Queryable.
func (r *Rules) Querier(mint, maxt int64) (storage.Querier, error) {
	gen, release, err := r.store.acquire()
	if err != nil {
		return nil, err
	}
	querier, err := gen.db.Querier(mint, maxt)
	if err != nil {
		release()
		return nil, err
	}
	return &lentQuerier{querier, release}, nil
}

// lentQuerier gives the database back when it is first closed.
type lentQuerier struct {
	storage.Querier
	release func()
}

func (q *lentQuerier) Close() error {
	defer q.release()
	return q.Querier.Close()
}

// Appender implements storage.Appendable.
func (r *Rules) Appender(ctx context.Context) storage.Appender {
	return &rulesAppender{ctx: ctx, store: r.store}
}

// rulesAppender collects the samples of one evaluation and passes them to the store's one
// writer.
type rulesAppender struct {
	ctx   context.Context
	store *Store
	batch []Sample
}

var errOnlyNumbers = errors.New("rules of the history give numbers only")

// Append implements storage.Appender.
func (a *rulesAppender) Append(_ storage.SeriesRef, l labels.Labels, t int64, v float64) (storage.SeriesRef, error) {
	a.batch = append(a.batch, Sample{Series: &Series{host: l.Get(labelHost), labels: l}, T: t, V: v})
	return 0, nil
}

// Commit implements storage.Appender.
func (a *rulesAppender) Commit() error {
	_, err := a.store.NewAppender().Append(a.ctx, a.batch)
	return err
}

// Rollback implements storage.Appender.
func (a *rulesAppender) Rollback() error {
	a.batch = nil
	return nil
}

// SetOptions implements storage.Appender: there are none.
func (a *rulesAppender) SetOptions(*storage.AppendOptions) {}

// AppendExemplar implements storage.Appender.
func (a *rulesAppender) AppendExemplar(storage.SeriesRef, labels.Labels, exemplar.Exemplar) (storage.SeriesRef, error) {
	return 0, errOnlyNumbers
}

// AppendHistogram implements storage.Appender.
func (a *rulesAppender) AppendHistogram(storage.SeriesRef, labels.Labels, int64, *histogram.Histogram, *histogram.FloatHistogram) (storage.SeriesRef, error) {
	return 0, errOnlyNumbers
}

// AppendHistogramSTZeroSample implements storage.Appender.
func (a *rulesAppender) AppendHistogramSTZeroSample(storage.SeriesRef, labels.Labels, int64, int64, *histogram.Histogram,
	*histogram.FloatHistogram,
) (storage.SeriesRef, error) {
	return 0, errOnlyNumbers
}

// AppendSTZeroSample implements storage.Appender.
func (a *rulesAppender) AppendSTZeroSample(storage.SeriesRef, labels.Labels, int64, int64) (storage.SeriesRef, error) {
	return 0, nil
}

// UpdateMetadata implements storage.Appender.
func (a *rulesAppender) UpdateMetadata(storage.SeriesRef, labels.Labels, prommetadata.Metadata) (storage.SeriesRef, error) {
	return 0, nil
}
