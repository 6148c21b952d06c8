package check

import (
	"go/ast"
	"go/token"
	"go/types"
)

// facts are what rules need to know of the whole file before they look at its
// parts.
type facts struct {
	// owned are the types that the script declares.
	owned []*types.Named
	// structs are all struct types that the script writes, by name or not.
	structs []*types.Struct
	// boxed are the types of the script whose values become an any from which
	// the script may take them again: other than to be printed.
	boxed map[*types.Named]bool
	// held are the types of all values that become an any other than to be
	// printed.
	held []types.Type
	// writes are the places at which a variable is set, or a part of it is, or
	// its address is taken, other than by its declaration.
	writes map[*types.Var][]token.Pos
	// declared is how the variables came about.
	declared map[*types.Var]ast.Node
	// functions are the declarations of functions and methods.
	functions map[*types.Func]*ast.FuncDecl
	// recovered are the variables that hold what recover has returned.
	recovered map[*types.Var]bool
}

// gather makes the facts in one walk over the file.
func (p *pass) gather() {
	p.facts = facts{
		boxed:     make(map[*types.Named]bool),
		writes:    make(map[*types.Var][]token.Pos),
		declared:  make(map[*types.Var]ast.Node),
		functions: make(map[*types.Func]*ast.FuncDecl),
		recovered: make(map[*types.Var]bool),
	}
	p.walk(func(n ast.Node) {
		for _, c := range p.conversions(n) {
			if c.call != nil && p.prints(c.call) || c.how == byComparison {
				continue
			}
			p.facts.held = append(p.facts.held, c.from)
			if o := p.own(c.from); o != nil {
				p.facts.boxed[o] = true
			}
		}
		switch n := n.(type) {
		case *ast.TypeSpec:
			if o, ok := p.info.Defs[n.Name].(*types.TypeName); ok && !n.Assign.IsValid() {
				if named, ok := o.Type().(*types.Named); ok {
					p.facts.owned = append(p.facts.owned, named)
				}
			}
		case *ast.StructType:
			if s, ok := p.typeOf(n).(*types.Struct); ok {
				p.facts.structs = append(p.facts.structs, s)
			}
		case *ast.FuncDecl:
			if f, ok := p.info.Defs[n.Name].(*types.Func); ok {
				p.facts.functions[f] = n
			}
		case *ast.CallExpr:
			p.gatherCall(n)
		default:
			p.gatherWrites(n)
		}
	})
}

func (p *pass) gatherWrites(n ast.Node) {
	wrote := func(e ast.Expr) {
		if v := p.root(e); v != nil {
			p.facts.writes[v] = append(p.facts.writes[v], e.Pos())
		}
	}
	declare := func(e ast.Expr) {
		if id, ok := e.(*ast.Ident); ok {
			if v, ok := p.info.Defs[id].(*types.Var); ok {
				p.facts.declared[v] = n
				return
			}
		}
		wrote(e)
	}
	switch n := n.(type) {
	case *ast.AssignStmt:
		for i, l := range n.Lhs {
			if n.Tok == token.DEFINE {
				declare(l)
			} else {
				wrote(l)
			}
			if len(n.Rhs) == len(n.Lhs) && p.isRecover(n.Rhs[i]) {
				if v := p.variable(l); v != nil {
					p.facts.recovered[v] = true
				}
			}
		}
	case *ast.ValueSpec:
		for i, name := range n.Names {
			declare(name)
			if v := p.variable(name); v != nil && i < len(n.Values) && p.isRecover(n.Values[i]) {
				p.facts.recovered[v] = true
			}
		}
	case *ast.IncDecStmt:
		wrote(n.X)
	case *ast.RangeStmt:
		for _, e := range []ast.Expr{n.Key, n.Value} {
			if e == nil {
				continue
			}
			if n.Tok == token.DEFINE {
				declare(e)
			} else {
				wrote(e)
			}
		}
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			wrote(n.X)
		}
	case *ast.CaseClause:
		if v, ok := p.info.Implicits[n].(*types.Var); ok {
			p.facts.declared[v] = n
		}
	}
}

// gatherCall notes a variable that a call of a pointer's method may change.
func (p *pass) gatherCall(call *ast.CallExpr) {
	if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok {
		if s := p.info.Selections[sel]; s != nil && s.Kind() == types.MethodVal && !isPointer(p.typeOf(sel.X)) {
			if f, ok := s.Obj().(*types.Func); ok && isPointer(f.Signature().Recv().Type()) {
				if v := p.root(sel.X); v != nil {
					p.facts.writes[v] = append(p.facts.writes[v], call.Pos())
				}
			}
		}
	}
}

func (p *pass) isRecover(e ast.Expr) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	return ok && p.builtin(call) == "recover"
}

// writtenAfter reports whether a variable is set at or after a place, or may be,
// because the place stands in a loop.
func (p *pass) writtenAfter(v *types.Var, pos token.Pos) bool {
	for _, w := range p.facts.writes[v] {
		if w >= pos {
			return true
		}
	}
	return false
}

// written reports whether a variable is ever set after its declaration.
func (p *pass) written(v *types.Var) bool { return len(p.facts.writes[v]) > 0 }

// twin returns another type of the script that the interpreter cannot tell from
// the given one, because both have one representation, or nil.
func (p *pass) twin(n *types.Named) types.Type {
	for _, other := range p.facts.owned {
		if other != n && types.Identical(other.Underlying(), n.Underlying()) {
			return other
		}
	}
	if s, ok := n.Underlying().(*types.Struct); ok {
		count := 0
		for _, other := range p.facts.structs {
			if types.Identical(other, s) {
				count++
			}
		}
		if count > 1 {
			return s
		}
	}
	return nil
}

// alike returns a type of the script that becomes an any and that the
// interpreter cannot tell from t, which is not of the script, or nil.
func (p *pass) alike(t types.Type) *types.Named {
	for n := range p.facts.boxed {
		if types.Identical(n.Underlying(), t) {
			return n
		}
	}
	return nil
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
