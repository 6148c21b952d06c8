package check

import (
	"errors"
	"go/ast"
	"go/constant"
	"go/types"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
)

// labelNames refuses labels that no report accepts, if the text alone shows it: reserved
// and malformed names, duplicate names, and names without a value. The run would leave the
// sample out.
func labelNames(p *pass, n ast.Node) {
	switch n := n.(type) {
	case *ast.CallExpr:
		if p.reports(n) {
			p.labelPairs(n)
		}
	case *ast.CompositeLit:
		if named, ok := types.Unalias(p.typeOf(n)).(*types.Named); ok && isLibraryType(named, "Label") {
			p.labelLiteral(n)
		}
	}
}

const apiPath = "github.com/vedettehq/vedette/inspectors"

func isLibraryType(n *types.Named, name string) bool {
	return n.Obj().Name() == name && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == apiPath
}

// reports reports a call of a report's Gauge or Counter.
func (p *pass) reports(call *ast.CallExpr) bool {
	f := p.callee(call)
	return f != nil && f.Pkg() != nil && f.Pkg().Path() == apiPath && (f.Name() == "Gauge" || f.Name() == "Counter") &&
		f.Signature().Recv() != nil
}

// labelPairs checks the labels of a call, or of the list that it spreads.
func (p *pass) labelPairs(call *ast.CallExpr) {
	const labelsAt = 2
	if len(call.Args) <= labelsAt {
		return
	}
	pairs := call.Args[labelsAt:]
	if call.Ellipsis.IsValid() {
		list, ok := ast.Unparen(pairs[0]).(*ast.CompositeLit)
		if !ok {
			return
		}
		pairs = list.Elts
	}
	seen := make(map[string]bool)
	for i := 0; i < len(pairs); i += 2 {
		name, ok := p.text(pairs[i])
		if ok {
			p.labelName(pairs[i], name)
		}
		switch {
		case i+1 == len(pairs):
			p.fault(pairs[i], "a label without a value: labels are name, value pairs", "give its value too: \"mount\", path")
		case ok && seen[name]:
			p.fault(pairs[i], "label "+name+" is given twice", "give each label once")
		}
		seen[name] = seen[name] || ok
	}
}

// labelLiteral checks a literal of type inspectors.Label.
func (p *pass) labelLiteral(lit *ast.CompositeLit) {
	for i, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if key, ok := kv.Key.(*ast.Ident); !ok || key.Name != "Name" {
				continue
			}
			e = kv.Value
		} else if i > 0 {
			continue
		}
		if name, ok := p.text(e); ok {
			p.labelName(e, name)
		}
	}
}

// labelName checks one name.
func (p *pass) labelName(at ast.Expr, name string) {
	err := inspectors.Labels{{Name: name}}.Validate()
	if err == nil {
		return
	}
	message := strings.TrimPrefix(strings.TrimPrefix(err.Error(), errors.Unwrap(err).Error()), ": ")
	if name == "host" || name == "key" {
		p.fault(at, "label "+name+" is reserved: the master sets it on every sample", "choose another name, such as target")
		return
	}
	p.fault(at, message, "name it with letters, digits and _")
}

// text returns the value of a constant string.
func (p *pass) text(e ast.Expr) (string, bool) {
	v := p.info.Types[e].Value
	if v == nil || v.Kind() != constant.String {
		return "", false
	}
	return constant.StringVal(v), true
}
