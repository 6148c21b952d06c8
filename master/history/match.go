package history

import (
	"slices"

	"github.com/prometheus/prometheus/promql/parser"
)

// keyless reads expressions for the engine, in which the label key is like the name:
// no operator compares it unless on () names it, and `without` takes it away. Series
// of two metrics always have different keys, so rules and dashboards that divide one
// by another, and know no such label, would match nothing.
type keyless struct{ parser.Parser }

// ParseExpr implements parser.Parser.
func (k keyless) ParseExpr(input string) (parser.Expr, error) {
	expr, err := k.Parser.ParseExpr(input)
	if err != nil {
		return nil, err
	}
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.BinaryExpr:
			if m := n.VectorMatching; m != nil && !m.On {
				m.MatchingLabels = withKey(m.MatchingLabels)
			}
		case *parser.AggregateExpr:
			if n.Without {
				n.Grouping = withKey(n.Grouping)
			}
		}
		return nil
	})
	return expr, nil
}

func withKey(names []string) []string {
	if slices.Contains(names, labelKey) {
		return names
	}
	return append(names, labelKey)
}
