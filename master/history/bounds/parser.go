package bounds

import (
	"errors"
	"fmt"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// Limits of the text of expressions.
const (
	// MaxBytes bounds one expression, and all the selectors of one request.
	MaxBytes = 16 << 10
	// MaxLevels bounds the nesting: brackets, and operators in a row, where each takes
	// everything to its left as its operand.
	MaxLevels = 200
	// MaxSelectors bounds the selectors of one request.
	MaxSelectors = 200
)

// ErrText is wrapped by the errors for text that is not even parsed.
var ErrText = errors.New("too much to parse")

// Parser returns a parser that looks at the size of a text before it parses it.
func Parser(p parser.Parser) parser.Parser { return bounded{p} }

type bounded struct{ parser.Parser }

// ParseExpr implements parser.Parser.
func (b bounded) ParseExpr(input string) (parser.Expr, error) {
	if err := Text(input); err != nil {
		return nil, err
	}
	return b.Parser.ParseExpr(input)
}

// ParseMetric implements parser.Parser.
func (b bounded) ParseMetric(input string) (labels.Labels, error) {
	if err := Text(input); err != nil {
		return labels.Labels{}, err
	}
	return b.Parser.ParseMetric(input)
}

// ParseMetricSelector implements parser.Parser.
func (b bounded) ParseMetricSelector(input string) ([]*labels.Matcher, error) {
	if err := Text(input); err != nil {
		return nil, err
	}
	return b.Parser.ParseMetricSelector(input)
}

// ParseMetricSelectors implements parser.Parser.
func (b bounded) ParseMetricSelectors(inputs []string) ([][]*labels.Matcher, error) {
	if len(inputs) > MaxSelectors {
		return nil, fmt.Errorf("%w: there are %d selectors; ask for at most %d at once", ErrText, len(inputs), MaxSelectors)
	}
	all := 0
	for _, input := range inputs {
		if err := Text(input); err != nil {
			return nil, err
		}
		if all += len(input); all > MaxBytes {
			return nil, fmt.Errorf("%w: the selectors together have more than %d bytes; ask for some of them at a time", ErrText, MaxBytes)
		}
	}
	return b.Parser.ParseMetricSelectors(inputs)
}

// ParseSeriesDesc implements parser.Parser.
func (b bounded) ParseSeriesDesc(input string) (labels.Labels, []parser.SequenceValue, error) {
	if err := Text(input); err != nil {
		return labels.Labels{}, nil, err
	}
	return b.Parser.ParseSeriesDesc(input)
}

// Text returns an error for an expression that is too long or too deeply nested to be
// parsed. It takes time in proportion to the length alone. Text that is not an expression
// passes: the parser explains better what is wrong with it.
func Text(input string) error {
	if len(input) > MaxBytes {
		return fmt.Errorf("%w: the expression has %d bytes, and at most %d are allowed; ask for its parts one by one", ErrText, len(input), MaxBytes)
	}
	lexer := parser.Lex(input)
	depth := levels{open: []bracket{{}}}
	for {
		var item parser.Item
		lexer.NextItem(&item)
		if item.Typ == parser.EOF || item.Typ == parser.ERROR {
			return nil
		}
		if depth.add(item.Typ) > MaxLevels {
			return fmt.Errorf("%w: from byte %d on the expression is more than %d levels deep, brackets and operators in a row counted; "+
				"ask for its parts one by one", ErrText, item.Pos, MaxLevels)
		}
	}
}

// levels computes how deep the tree of an expression can get. The tree may be less deep:
// an operator is counted on top of both of its sides.
type levels struct {
	open  []bracket // the text itself is the first
	outer int       // the levels of all of open but the last
}

// bracket is one that is open.
type bracket struct {
	operators int // since it was opened, or since the last comma
	closed    int // the levels of the deepest bracket in there that is closed
	before    int // the levels of the deepest part before the last comma
}

func (b bracket) levels() int { return 1 + max(b.operators+b.closed, b.before) }

// add takes the next item of the text and returns the depth so far.
func (l *levels) add(item parser.ItemType) int {
	last := &l.open[len(l.open)-1]
	switch item {
	case parser.LEFT_BRACKET:
		last.operators++ // what is left of it is its operand
		l.push()
	case parser.LEFT_PAREN, parser.LEFT_BRACE:
		l.push()
	case parser.RIGHT_PAREN, parser.RIGHT_BRACE, parser.RIGHT_BRACKET:
		l.pop()
	case parser.COMMA:
		last.before = max(last.before, last.operators+last.closed)
		last.operators, last.closed = 0, 0
	case parser.OFFSET, parser.AT:
		last.operators++
	default:
		if item.IsOperator() {
			last.operators++
		}
	}
	return l.outer + l.open[len(l.open)-1].levels()
}

func (l *levels) push() {
	l.outer += 1 + l.open[len(l.open)-1].operators
	l.open = append(l.open, bracket{})
}

func (l *levels) pop() {
	last := len(l.open) - 1
	if last == 0 {
		return // one too many; the parser says so
	}
	inner := l.open[last].levels()
	l.open = l.open[:last]
	outer := &l.open[last-1]
	l.outer -= 1 + outer.operators
	outer.closed = max(outer.closed, inner)
}
