package check

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/vedettehq/vedette/inspectors/script/internal/own"
)

// sharedVariable refuses changes of anything that the scripts of a process may share: the
// variables of imported packages, what those point to, and values that the library hands to
// everybody. Each script has its own copies of the variables; this rule is a second line of
// defence, and the only one for values that cannot be copied.
func sharedVariable(p *pass, n ast.Node) {
	switch n := n.(type) {
	case *ast.File:
		p.aliases = p.findAliases()
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			for _, e := range n.Lhs {
				p.changes(e, e)
			}
		}
	case *ast.IncDecStmt:
		p.changes(n.X, n.X)
	case *ast.RangeStmt:
		if n.Tok == token.ASSIGN {
			p.changes(n.Key, n.Key)
			p.changes(n.Value, n.Value)
		}
	case *ast.UnaryExpr:
		if _, literal := ast.Unparen(n.X).(*ast.CompositeLit); n.Op == token.AND && !literal {
			p.changes(n.X, n.X)
		}
	case *ast.CallExpr:
		p.callChanges(n)
	case *ast.SelectorExpr:
		p.sharingMethod(n)
	}
}

// changes records a fault if setting an expression, or taking its address, changes
// something shared.
func (p *pass) changes(at ast.Node, e ast.Expr) {
	for e != nil {
		var inner ast.Expr
		through := false // inner refers to the place of e
		switch x := ast.Unparen(e).(type) {
		case *ast.SelectorExpr:
			if v := p.ofLibrary(x); v != nil {
				p.sharedFault(at, variableOf(v))
				return
			}
			inner = x.X
			if s := p.info.Selections[x]; s != nil {
				through = s.Indirect() || isReference(p.typeOf(x.X))
			}
		case *ast.IndexExpr:
			inner, through = x.X, isReference(p.typeOf(x.X))
		case *ast.StarExpr:
			inner, through = x.X, true
		default:
			return
		}
		if shared := p.sharedBy(inner); through && shared != nil {
			p.sharedFault(at, shared)
			return
		}
		e = inner
	}
}

func (p *pass) sharedFault(at ast.Node, s *sharing) {
	if s.variable != nil {
		p.fault(at, fmt.Sprintf("%s.%s is a variable of package %q, which other inspectors share", s.variable.Pkg().Name(), s.variable.Name(),
			s.variable.Pkg().Path()),
			"make a value of your own, as: client := &http.Client{}")
		return
	}
	p.fault(at, fmt.Sprintf("other inspectors share this %s, which must stay as it is", s.name), "copy what you need of it into variables of your own")
}

// sharing is something that an expression shares with other scripts: a variable of a
// package, or a value of a type that the library hands to everybody.
type sharing struct {
	variable *types.Var // or nil
	name     string     // of the type, if there is no variable
}

func variableOf(v *types.Var) *sharing { return &sharing{variable: v} }

// ofLibrary returns the variable of an imported package that a selector names,
// or nil.
func (p *pass) ofLibrary(x *ast.SelectorExpr) *types.Var {
	if v, ok := p.info.Uses[x.Sel].(*types.Var); ok && !v.IsField() && v.Pkg() != p.pkg {
		return v
	}
	return nil
}

// sharedBy returns what the value of an expression refers to and shares with other scripts,
// or nil.
func (p *pass) sharedBy(e ast.Expr) *sharing {
	t := p.typeOf(e)
	if !refers(t, 0) {
		return nil
	}
	if name := sharedType(t); name != "" {
		return &sharing{name: name}
	}
	switch x := ast.Unparen(e).(type) {
	case *ast.Ident:
		return p.aliases[p.info.ObjectOf(x)]
	case *ast.SelectorExpr:
		if v := p.ofLibrary(x); v != nil {
			return variableOf(v)
		}
		if s := p.aliases[p.info.Uses[x.Sel]]; s != nil {
			return s
		}
		if p.info.Selections[x] == nil {
			return nil
		}
		return p.sharedBy(x.X)
	case *ast.IndexExpr:
		return p.sharedBy(x.X)
	case *ast.SliceExpr:
		return p.sharedBy(x.X)
	case *ast.StarExpr:
		return p.sharedBy(x.X)
	case *ast.TypeAssertExpr:
		return p.sharedBy(x.X)
	case *ast.UnaryExpr:
		return p.sharedBy(x.X)
	case *ast.CallExpr:
		return p.sharedByCall(x)
	}
	return nil
}

// sharedByCall is sharedBy for conversions, append, and functions of the script.
func (p *pass) sharedByCall(call *ast.CallExpr) *sharing {
	if len(call.Args) > 0 && (p.info.Types[call.Fun].IsType() || p.builtin(call) == "append") {
		return p.sharedBy(call.Args[0])
	}
	if f := p.callee(call); f != nil {
		return p.aliases[f]
	}
	return nil
}

// findAliases returns the variables, fields and functions of the script that may hold or
// return something shared with other scripts, however they get it.
func (p *pass) findAliases() map[types.Object]*sharing {
	p.aliases = make(map[types.Object]*sharing)
	for grown := true; grown; {
		grown = false
		note := func(to types.Object, from ast.Expr) {
			if to == nil || p.aliases[to] != nil || to.Pkg() != p.pkg {
				return
			}
			_, function := to.(*types.Func)
			if s := p.sharedBy(from); s != nil && (function || refers(to.Type(), 0)) {
				p.aliases[to] = s
				grown = true
			}
		}
		var function types.Object
		ast.Inspect(p.File, func(n ast.Node) bool {
			if f, ok := n.(*ast.FuncDecl); ok {
				function = p.info.Defs[f.Name]
			}
			p.noteAliases(n, function, note)
			return true
		})
	}
	return p.aliases
}

// noteAliases records the values that a node passes from one place to another.
func (p *pass) noteAliases(n ast.Node, function types.Object, note func(types.Object, ast.Expr)) {
	pairs := func(to, from []ast.Expr) {
		for i, e := range to {
			if len(to) == len(from) {
				note(p.holder(e), from[i])
			} else if len(from) == 1 {
				note(p.holder(e), from[0])
			}
		}
	}
	switch n := n.(type) {
	case *ast.AssignStmt:
		pairs(n.Lhs, n.Rhs)
	case *ast.ValueSpec:
		names := make([]ast.Expr, len(n.Names))
		for i, name := range n.Names {
			names[i] = name
		}
		pairs(names, n.Values)
	case *ast.RangeStmt:
		note(p.holder(n.Key), n.X)
		note(p.holder(n.Value), n.X)
	case *ast.KeyValueExpr:
		if field, ok := n.Key.(*ast.Ident); ok {
			if v, ok := p.info.Uses[field].(*types.Var); ok && v.IsField() {
				note(v, n.Value)
			}
		}
	case *ast.CompositeLit:
		p.noteLiteral(n, note)
	case *ast.TypeSwitchStmt:
		p.noteTypeSwitch(n, note)
	case *ast.ReturnStmt:
		for _, e := range n.Results {
			note(function, e)
		}
	case *ast.CallExpr:
		if sig, ok := p.typeOf(n.Fun).Underlying().(*types.Signature); ok {
			for i := range min(sig.Params().Len(), len(n.Args)) {
				note(sig.Params().At(i), n.Args[i])
			}
		}
	}
}

// noteLiteral notes the fields of a struct literal without their names.
func (p *pass) noteLiteral(n *ast.CompositeLit, note func(types.Object, ast.Expr)) {
	s, ok := p.typeOf(n).Underlying().(*types.Struct)
	if !ok {
		return
	}
	for i, e := range n.Elts {
		if _, named := e.(*ast.KeyValueExpr); !named && i < s.NumFields() {
			note(s.Field(i), e)
		}
	}
}

// noteTypeSwitch notes the variables of the clauses of a type switch.
func (p *pass) noteTypeSwitch(n *ast.TypeSwitchStmt, note func(types.Object, ast.Expr)) {
	assign, ok := n.Assign.(*ast.AssignStmt)
	if !ok {
		return
	}
	value, ok := assign.Rhs[0].(*ast.TypeAssertExpr)
	if !ok {
		return
	}
	for _, clause := range n.Body.List {
		note(p.info.Implicits[clause], value.X)
	}
}

// holder returns the variable or field that an expression on the left names, or nil. It
// does not follow elements.
func (p *pass) holder(e ast.Expr) types.Object {
	switch x := e.(type) {
	case *ast.Ident:
		return p.info.ObjectOf(x)
	case *ast.SelectorExpr:
		return p.info.Uses[x.Sel]
	case *ast.ParenExpr:
		return p.holder(x.X)
	}
	return nil
}

// callChanges records a fault if a call changes, or could change, something shared that one
// of its arguments refers to.
func (p *pass) callChanges(call *ast.CallExpr) {
	if len(call.Args) == 0 || p.info.Types[call.Fun].IsType() {
		return
	}
	switch p.builtin(call) {
	case "copy", "delete", "clear":
		if s := p.sharedBy(call.Args[0]); s != nil {
			p.sharedFault(call.Args[0], s)
		}
		return
	case "":
	default:
		return
	}
	if f := p.callee(call); f != nil && f.Pkg() != nil && fillsArguments(f) {
		for _, a := range call.Args {
			if s := p.sharedBy(a); s != nil {
				p.sharedFault(a, s)
				return
			}
		}
	}
	for _, c := range p.conversions(call) {
		name := heldShared(c.from, 0)
		if name == "" || !isAny(c.to) || p.prints(call) || p.calls(call, "errors") {
			continue
		}
		p.fault(c.value, fmt.Sprintf("other inspectors share this %s, and as %s it could be changed", name, types.TypeString(c.to, nil)),
			"hand on the fields that are needed")
	}
}

// fillsArguments reports a function of the library that writes into what its
// arguments refer to.
func fillsArguments(f *types.Func) bool {
	name := f.Name()
	switch f.Pkg().Path() {
	case "sort":
		return !strings.HasPrefix(name, "Search") && !strings.HasSuffix(name, "AreSorted") && !strings.HasSuffix(name, "IsSorted")
	case "encoding/json", "encoding/xml", "encoding/hex", "encoding/base64", "encoding/binary":
		for _, start := range []string{"Unmarshal", "Decode", "Read", "Put", "Encode"} {
			if strings.HasPrefix(name, start) && !strings.HasSuffix(name, "ToString") {
				return true
			}
		}
	case "fmt":
		return strings.Contains(name, "can")
	case "io", "crypto/rand", "math/rand":
		return strings.HasPrefix(name, "Read")
	}
	return false
}

// sharingMethod refuses methods that get at, or change, something that all scripts share.
func (p *pass) sharingMethod(sel *ast.SelectorExpr) {
	f, ok := p.info.Uses[sel.Sel].(*types.Func)
	if !ok || f.Signature().Recv() == nil {
		return
	}
	t := f.Signature().Recv().Type()
	if ptr, ok := t.(*types.Pointer); ok {
		t = ptr.Elem()
	}
	if fix, refused := own.Methods()[types.TypeString(t, nil)+"."+f.Name()]; refused {
		p.fault(sel.Sel, "method "+f.Name()+" reaches what other inspectors share", fix)
	}
}

// sharedType returns the name of the type to which t is a pointer, if the library hands its
// values to everybody, or "". A type with the same representation counts as that type,
// because pointers can be converted.
func sharedType(t types.Type) string {
	ptr, ok := t.Underlying().(*types.Pointer)
	if !ok {
		return ""
	}
	n, ok := types.Unalias(ptr.Elem()).(*types.Named)
	if !ok || n.Obj().Pkg() == nil {
		return ""
	}
	name := n.Obj().Pkg().Path() + "." + n.Obj().Name()
	for _, shared := range own.Shared() {
		if name == shared {
			return n.Obj().Pkg().Name() + "." + n.Obj().Name()
		}
	}
	return ""
}

// heldShared returns the name of a shared type that can be reached from a value of type t
// by settable reflection, or "".
func heldShared(t types.Type, depth int) string {
	if depth > 6 {
		return ""
	}
	if name := sharedType(t); name != "" && name != "time.Location" {
		return name
	}
	switch u := t.Underlying().(type) {
	case *types.Pointer:
		return heldShared(u.Elem(), depth+1)
	case *types.Slice:
		return heldShared(u.Elem(), depth+1)
	case *types.Array:
		return heldShared(u.Elem(), depth+1)
	case *types.Map:
		return heldShared(u.Elem(), depth+1)
	case *types.Struct:
		for i := range u.NumFields() {
			if f := u.Field(i); f.Exported() {
				if name := heldShared(f.Type(), depth+1); name != "" {
					return name
				}
			}
		}
	}
	return ""
}

// isReference reports a type whose parts are stored elsewhere, so setting a part does not
// set the value.
func isReference(t types.Type) bool {
	switch t.Underlying().(type) {
	case *types.Pointer, *types.Slice, *types.Map:
		return true
	}
	return false
}

// refers reports whether a value of type t may refer to something that can be changed.
func refers(t types.Type, depth int) bool {
	if t == nil || depth > 6 {
		return depth > 6
	}
	switch u := t.Underlying().(type) {
	case *types.Pointer, *types.Slice, *types.Map, *types.Interface:
		return !isError(t)
	case *types.Array:
		return refers(u.Elem(), depth+1)
	case *types.Tuple:
		for i := range u.Len() {
			if refers(u.At(i).Type(), depth+1) {
				return true
			}
		}
	case *types.Struct:
		for i := range u.NumFields() {
			if f := u.Field(i); f.Exported() && refers(f.Type(), depth+1) {
				return true
			}
		}
	}
	return false
}
