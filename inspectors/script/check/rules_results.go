package check

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/vedettehq/vedette/inspectors/script/internal/source"
)

// The interpreter keeps the results of a function where its caller is going to
// put them, and does not set them to zero when the function is called. Where a
// function defers nothing, the engine makes plain variables of its results
// (source.LocalResults); the others are the matter of these rules.

// namedResult refuses a return that reads a named result after another value
// of the same return was written to it, as "return hi, lo" does where the
// results are named lo and hi.
func namedResult(p *pass, n ast.Node) {
	ret, ok := n.(*ast.ReturnStmt)
	if !ok || len(ret.Results) < 2 {
		return
	}
	f, body := p.function()
	if f == nil || !source.Defers(body) {
		return
	}
	place := make(map[types.Object]int)
	for i, v := range p.results(f) {
		place[v] = i
	}
	for i, value := range ret.Results {
		ast.Inspect(value, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && p.info.Uses[id] != nil {
				if at, ok := place[p.info.Uses[id]]; ok && at < i {
					p.fault(id, "the interpreter has written the result "+id.Name+" before it reads it here", "take the values into variables of other names first")
				}
			}
			return true
		})
	}
}

// results returns the named results of a function.
func (p *pass) results(f *ast.FuncType) []*types.Var {
	if f.Results == nil {
		return nil
	}
	var list []*types.Var
	for _, field := range f.Results.List {
		for _, name := range field.Names {
			if v, ok := p.info.Defs[name].(*types.Var); ok {
				list = append(list, v)
			}
		}
	}
	return list
}

// staleResult refuses a function with a defer whose results are not set before
// they are read: what the interpreter reads is what the call before has returned.
// Where the function recovers from a panic, they must be set before the defer, or
// by what is deferred.
func staleResult(p *pass, n ast.Node) {
	var f *ast.FuncType
	var body *ast.BlockStmt
	switch n := n.(type) {
	case *ast.FuncDecl:
		f, body = n.Type, n.Body
	case *ast.FuncLit:
		f, body = n.Type, n.Body
	}
	if body == nil || f.Results.NumFields() == 0 || !source.Defers(body) {
		return
	}
	recovery := p.recovery(body)
	results := p.results(f)
	if len(results) == 0 {
		if recovery != nil {
			p.fault(f.Results, "after a panic that is recovered the interpreter returns here what the call before has returned", "give the results names, and set them before the defer: func f() (n int) { n = 0; defer …")
		}
		return
	}
	for _, r := range results {
		if r.Name() == "_" {
			continue
		}
		set := p.setFrom(r, body)
		if recovery != nil {
			if set < recovery.Pos() || p.setsAlone(r, recovery) {
				continue
			}
			p.fault(recovery, "after a panic that is recovered the interpreter returns as "+r.Name()+" what the call before has returned", "set it before the defer: "+r.Name()+" = …")
			continue
		}
		if at := p.readBefore(r, body, set); at != nil {
			p.fault(at, "the interpreter does not set the result "+r.Name()+" to zero when the function is called, and it is not set before", "set it first: "+r.Name()+" = …")
		}
	}
}

// recovery returns the deferred statement of a function that recovers, or nil.
func (p *pass) recovery(body *ast.BlockStmt) *ast.DeferStmt {
	var found *ast.DeferStmt
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.DeferStmt:
			ast.Inspect(n, func(inner ast.Node) bool {
				if call, ok := inner.(*ast.CallExpr); ok && p.builtin(call) == "recover" && found == nil {
					found = n
				}
				return true
			})
			return false
		}
		return true
	})
	return found
}

// setFrom returns the place from which on a result is set in every case: the end
// of the first assignment to it that is a statement of the body itself.
func (p *pass) setFrom(r *types.Var, body *ast.BlockStmt) token.Pos {
	for _, s := range body.List {
		a, ok := s.(*ast.AssignStmt)
		if !ok || a.Tok != token.ASSIGN && a.Tok != token.DEFINE {
			continue
		}
		for _, l := range a.Lhs {
			if p.variable(l) == r {
				return a.End()
			}
		}
	}
	return body.End()
}

// setsAlone reports whether what is deferred sets a result by an assignment of
// its own. Of several variables that are set together, the interpreter sets only
// those that it keeps in the function.
func (p *pass) setsAlone(r *types.Var, d *ast.DeferStmt) bool {
	found := false
	ast.Inspect(d, func(n ast.Node) bool {
		if a, ok := n.(*ast.AssignStmt); ok && len(a.Lhs) == 1 && p.variable(a.Lhs[0]) == r && a.Tok == token.ASSIGN {
			found = true
		}
		return true
	})
	return found
}

// readBefore returns the first use of a result before a place, other than to set
// it: an expression, a return without values, or nil. What is deferred comes
// later.
func (p *pass) readBefore(r *types.Var, body *ast.BlockStmt, set token.Pos) ast.Node {
	var at ast.Node
	targets := make(map[ast.Node]bool)
	ast.Inspect(body, func(n ast.Node) bool {
		if n == nil || at != nil || n.Pos() >= set {
			return false
		}
		switch n := n.(type) {
		case *ast.DeferStmt:
			return false
		case *ast.FuncLit:
			ast.Inspect(n, func(inner ast.Node) bool {
				if id, ok := inner.(*ast.Ident); ok && p.info.Uses[id] == r {
					at = id
				}
				return at == nil
			})
			return false
		case *ast.AssignStmt:
			if n.Tok == token.ASSIGN || n.Tok == token.DEFINE {
				for _, l := range n.Lhs {
					targets[l] = true
				}
			}
		case *ast.ReturnStmt:
			if len(n.Results) == 0 {
				at = n
			}
		case *ast.Ident:
			if p.info.Uses[n] == r && !targets[n] {
				at = n
			}
		}
		return true
	})
	return at
}

// nilAmongOthers refuses "n, err = 0, nil", at which the interpreter panics.
func nilAmongOthers(p *pass, n ast.Node) {
	a, ok := n.(*ast.AssignStmt)
	if !ok || len(a.Lhs) < 2 || a.Tok != token.ASSIGN || len(a.Rhs) != len(a.Lhs) {
		return
	}
	for _, v := range a.Rhs {
		if p.isNil(v) {
			p.fault(v, "the interpreter panics at a nil among several values that are assigned", "assign it in a line of its own")
			return
		}
	}
}

// callAmongOthers refuses "x, y = y, f()" where f is of the script: the interpreter
// has set x when it calls f, which may use it.
func callAmongOthers(p *pass, n ast.Node) {
	a, ok := n.(*ast.AssignStmt)
	if !ok || len(a.Rhs) < 2 || a.Tok != token.ASSIGN {
		return
	}
	for i, v := range a.Rhs {
		if !slices.ContainsFunc(a.Lhs[:min(i, len(a.Lhs))], func(l ast.Expr) bool { return p.variable(l) != nil || p.root(l) != nil }) {
			continue // nothing is set before it
		}
		ast.Inspect(v, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || p.builtin(call) != "" || p.info.Types[call.Fun].IsType() {
				return true
			}
			if f := p.callee(call); f == nil || f.Pkg() == p.pkg {
				p.fault(call, "the interpreter has set the variables before this one when it calls the function", "call it before, into a variable of its own")
				return false
			}
			return true
		})
	}
}
