package bounds

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

// Limits of the subqueries of an expression.
const (
	// maxSubquerySteps bounds how often the insides of subqueries are evaluated, for all
	// subqueries of an expression together. A point takes 16 bytes.
	maxSubquerySteps = 2_000_000
	// maxNestedSteps bounds the product of the steps of nested subqueries.
	maxNestedSteps = 50_000_000
	// maxWindowPoints bounds the points that functions look at: the points in the window
	// of a subquery times the number of windows. The engine does not check its context in
	// between.
	maxWindowPoints = 500_000_000
)

// sortWeight is how much longer sorting a window takes than adding it up.
const sortWeight = 20

// ErrSteps is wrapped by the errors of Steps.
var ErrSteps = errors.New("too much to evaluate")

// Range is the time for which a query is evaluated: from Start to End, both included,
// every Step. Step is 0 for an instant.
type Range struct {
	Start, End time.Time
	Step       time.Duration
}

// Steps returns an error that wraps ErrSteps for an expression whose subqueries would be
// evaluated too often. defaultStep is that of a subquery that names none. The expression
// must not be used afterwards.
func Steps(expr parser.Expr, r Range, defaultStep time.Duration) error {
	expr, err := promql.PreprocessExpr(expr, r.Start, r.End, r.Step)
	if err != nil {
		return nil //nolint:nilerr // the engine says what is wrong
	}
	c := stepCounter{defaultStep: defaultStep}
	outer := level{evaluations: 1, product: 1, weight: 1}
	if r.Step > 0 {
		outer.span = r.End.Sub(r.Start).Seconds()
		outer.evaluations += outer.span / r.Step.Seconds()
	}
	c.visit(expr, outer)
	return c.err
}

// level is how an expression within subqueries is evaluated.
type level struct {
	evaluations float64 // how often
	span        float64 // from the first to the last, in seconds
	product     float64 // of the steps of the subqueries around it
	weight      float64 // of a point in the window of the function around it
}

type stepCounter struct {
	defaultStep time.Duration
	steps       float64
	points      float64
	err         error
}

func (c *stepCounter) visit(node parser.Node, at level) {
	if c.err != nil {
		return
	}
	weight := at.weight
	at.weight = 1
	switch node := node.(type) {
	case *parser.StepInvariantExpr:
		at.evaluations, at.span, at.weight = 1, 0, weight
	case *parser.ParenExpr:
		at.weight = weight
	case *parser.Call:
		if sorts(node.Func.Name) {
			at.weight = sortWeight
		}
	case *parser.SubqueryExpr:
		at = c.subquery(node, at, weight)
	}
	for child := range parser.ChildrenIter(node) {
		c.visit(child, at)
	}
}

// subquery counts a subquery and returns the level of its inside.
func (c *stepCounter) subquery(node *parser.SubqueryExpr, at level, weight float64) level {
	step := node.Step
	if step <= 0 {
		step = c.defaultStep
	}
	window := node.Range.Seconds() / step.Seconds()
	inner := level{
		span:        at.span + node.Range.Seconds(),
		evaluations: (at.span+node.Range.Seconds())/step.Seconds() + 1,
		product:     at.product * max(window, 1),
		weight:      1,
	}
	c.steps += inner.evaluations
	c.points += at.evaluations * window * weight
	begins := node.PositionRange().Start
	switch {
	case c.steps > maxSubquerySteps:
		c.err = fmt.Errorf("%w: with the subquery that begins at byte %d its subqueries have %.0f steps, and at most %d are allowed; "+
			"choose a wider step or a shorter range", ErrSteps, begins, c.steps, maxSubquerySteps)
	case inner.product > maxNestedSteps:
		c.err = fmt.Errorf("%w: the subquery that begins at byte %d has %.0f steps, those of the subqueries around it multiplied, and at most %d are allowed; "+
			"choose a wider step or a shorter range", ErrSteps, begins, inner.product, maxNestedSteps)
	case c.points > maxWindowPoints:
		c.err = fmt.Errorf("%w: with the subquery that begins at byte %d functions look at %.0f points, and at most %d are allowed; "+
			"choose a wider step or a shorter range", ErrSteps, begins, c.points, maxWindowPoints)
	}
	return inner
}

// sorts reports whether a function over a range of time sorts the points, or is as slow.
func sorts(function string) bool {
	switch function {
	case "quantile_over_time", "mad_over_time", "double_exponential_smoothing", "holt_winters":
		return true
	}
	return false
}
