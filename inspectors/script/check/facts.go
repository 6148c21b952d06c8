package check

import (
	"go/ast"
	"go/types"
)

// facts are what rules must know about the whole file before they look at its parts.
type facts struct {
	// boxed are the types of the script whose values become an any from which the script
	// may take them again, and not only to be printed.
	boxed map[*types.Named]bool
}

// gather collects the facts in one walk over the file.
func (p *pass) gather() {
	p.facts = facts{boxed: make(map[*types.Named]bool)}
	p.walk(func(n ast.Node) {
		for _, c := range p.conversions(n) {
			if c.call != nil && p.prints(c.call) || c.how == byComparison {
				continue
			}
			if o := p.own(c.from); o != nil {
				p.facts.boxed[o] = true
			}
		}
	})
}

// walk visits every node of the file, parents first, with path set.
func (p *pass) walk(visit func(ast.Node)) {
	p.path = p.path[:0]
	ast.Inspect(p.File, func(n ast.Node) bool {
		if n == nil {
			p.path = p.path[:len(p.path)-1]
			return true
		}
		p.path = append(p.path, n)
		visit(n)
		return true
	})
}
