package lower

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"
)

// environment says what type parameters stand for. The zero environment leaves them, and
// takes out of a type what does not tell it from others.
type environment struct {
	params *types.TypeParamList
	args   []types.Type
	shown  string // the arguments as Go prints them
	pkg    *types.Package
	body   *ast.BlockStmt
	locals map[*types.Named]*types.Named // the types that body declares, as they are in this instance
	copied map[*types.TypeName]int       // all such types of all instances, numbered
}

// instance returns what the type parameters of a function stand for, or nil if it has none.
func (l *lowering) instance(f *types.Func, body *ast.BlockStmt, args []types.Type) *environment {
	sig := f.Signature()
	params := sig.TypeParams()
	if sig.Recv() != nil {
		params = sig.RecvTypeParams()
	}
	if params.Len() == 0 {
		return nil
	}
	var shown []string
	for _, a := range args {
		shown = append(shown, l.shownArgument(a))
	}
	return &environment{
		params: params, args: args, shown: "[" + strings.Join(shown, ",") + "]",
		pkg: f.Pkg(), body: body, locals: make(map[*types.Named]*types.Named), copied: l.copied,
	}
}

// subst puts types in the place of type parameters.
func (l *lowering) subst(t types.Type) types.Type {
	if l.fn == nil || l.fn.env == nil || t == nil {
		return t
	}
	return l.fn.env.subst(t)
}

func (e *environment) subst(t types.Type) types.Type {
	switch t := types.Unalias(t).(type) {
	case *types.TypeParam:
		for i := range e.params.Len() {
			if e.params.At(i) == t {
				return e.args[i]
			}
		}
	case *types.Pointer:
		return types.NewPointer(e.subst(t.Elem()))
	case *types.Slice:
		return types.NewSlice(e.subst(t.Elem()))
	case *types.Array:
		return types.NewArray(e.subst(t.Elem()), t.Len())
	case *types.Chan:
		return types.NewChan(t.Dir(), e.subst(t.Elem()))
	case *types.Map:
		return types.NewMap(e.subst(t.Key()), e.subst(t.Elem()))
	case *types.Tuple:
		return e.tuple(t)
	case *types.Signature:
		return types.NewSignatureType(nil, nil, nil, e.tuple(t.Params()), e.tuple(t.Results()), t.Variadic())
	case *types.Struct:
		var fields []*types.Var
		var tags []string
		for i := range t.NumFields() {
			f := t.Field(i)
			name, embedded := f.Name(), f.Embedded()
			if e.params == nil && embedded {
				name, embedded = mark+name, false // an alias gives the field its name
			}
			fields = append(fields, types.NewField(f.Pos(), f.Pkg(), name, e.subst(f.Type()), embedded))
			tags = append(tags, t.Tag(i))
		}
		return types.NewStruct(fields, tags)
	case *types.Interface:
		var methods []*types.Func
		for m := range t.Methods() {
			sig, _ := e.subst(m.Signature()).(*types.Signature)
			methods = append(methods, types.NewFunc(m.Pos(), m.Pkg(), m.Name(), sig))
		}
		return types.NewInterfaceType(methods, nil).Complete()
	case *types.Named:
		if t.TypeArgs().Len() == 0 {
			return e.local(t)
		}
		var args []types.Type
		for a := range t.TypeArgs().Types() {
			args = append(args, e.subst(a))
		}
		inst, err := types.Instantiate(nil, t.Origin(), args, false)
		if err != nil {
			return t
		}
		return inst
	}
	return types.Unalias(t)
}

// local returns a type that the body of the function declares as it is in this instance:
// each has its own. Such types have no methods.
func (e *environment) local(t *types.Named) *types.Named {
	o := t.Obj()
	if e.body == nil || o.Pkg() != e.pkg || e.copied[o] > 0 || o.Pos() < e.body.Pos() || o.Pos() >= e.body.End() {
		return t
	}
	own, ok := e.locals[t]
	if !ok {
		name := types.NewTypeName(o.Pos(), o.Pkg(), o.Name()+e.shown, nil)
		own = types.NewNamed(name, nil, nil)
		e.locals[t], e.copied[name] = own, len(e.copied)+1
		own.SetUnderlying(e.subst(t.Underlying()).Underlying())
	}
	return own
}

func (e *environment) tuple(t *types.Tuple) *types.Tuple {
	var list []*types.Var
	for v := range t.Variables() {
		name := v.Name()
		if e.params == nil {
			name = ""
		}
		list = append(list, types.NewParam(v.Pos(), v.Pkg(), name, e.subst(v.Type())))
	}
	return types.NewTuple(list...)
}

// own reports a named type that the script declares, or what is translated with
// it, and no interface.
func (l *lowering) own(t types.Type) *types.Named {
	n, ok := types.Unalias(t).(*types.Named)
	if !ok || n.Obj().Pkg() == nil || l.infos[n.Obj().Pkg()] == nil {
		return nil
	}
	return n
}

// ownInterface reports an interface that is any in Core: every one but error and
// those of the library that have methods.
func (l *lowering) ownInterface(t types.Type) bool {
	if !types.IsInterface(t) {
		return false
	}
	return !l.libraryInterface(t)
}

// libraryInterface reports an interface of the library with methods.
func (l *lowering) libraryInterface(t types.Type) bool {
	n, ok := types.Unalias(t).(*types.Named)
	if !ok || !types.IsInterface(t) || l.own(t) != nil {
		return false
	}
	i, _ := n.Underlying().(*types.Interface)
	return i.NumMethods() > 0
}

// mentions reports a type that the interpreter cannot tell from others: one that
// the script declares, or that is made of such.
func (l *lowering) mentions(t types.Type) bool {
	t = types.Unalias(t)
	switch t := t.(type) {
	case *types.Named:
		if l.own(t) != nil {
			return true
		}
		for a := range t.TypeArgs().Types() {
			if l.mentions(a) {
				return true
			}
		}
		return false
	case *types.Pointer:
		return l.mentions(t.Elem())
	case *types.Slice:
		return l.mentions(t.Elem())
	case *types.Array:
		return l.mentions(t.Elem())
	case *types.Chan:
		return l.mentions(t.Elem())
	case *types.Map:
		return l.mentions(t.Key()) || l.mentions(t.Elem())
	case *types.Struct:
		return t.NumFields() > 0
	case *types.Interface:
		return t.NumMethods() > 0
	case *types.Signature:
		for _, tuple := range []*types.Tuple{t.Params(), t.Results()} {
			for v := range tuple.Variables() {
				if l.mentions(v.Type()) {
					return true
				}
			}
		}
	}
	return false
}

// key tells types apart as Go does: neither aliases nor the names of parameters matter.
func (l *lowering) key(t types.Type) string {
	key, ok := l.keys[t]
	if !ok {
		key = types.TypeString(new(environment).subst(t), func(p *types.Package) string { return p.Path() }) + l.localKey(t)
		l.keys[t] = key
	}
	return key
}

// localKey tells types of one name apart that are declared in functions.
func (l *lowering) localKey(t types.Type) string {
	var b strings.Builder
	eachNamed(t, func(n *types.Named) {
		if o := n.Obj(); o.Pkg() != nil && o.Parent() != o.Pkg().Scope() {
			fmt.Fprintf(&b, "@%d", o.Pos())
			if n := l.copied[o]; n > 0 {
				fmt.Fprintf(&b, "#%d", n)
			}
		}
	}, make(map[types.Type]bool))
	return b.String()
}

// eachNamed visits the names in a type, not the types that they stand for.
func eachNamed(t types.Type, visit func(*types.Named), seen map[types.Type]bool) {
	t = types.Unalias(t)
	if seen[t] {
		return
	}
	seen[t] = true
	tuple := func(list *types.Tuple) {
		for v := range list.Variables() {
			eachNamed(v.Type(), visit, seen)
		}
	}
	switch t := t.(type) {
	case *types.Named:
		visit(t)
		for a := range t.TypeArgs().Types() {
			eachNamed(a, visit, seen)
		}
	case *types.Pointer:
		eachNamed(t.Elem(), visit, seen)
	case *types.Slice:
		eachNamed(t.Elem(), visit, seen)
	case *types.Array:
		eachNamed(t.Elem(), visit, seen)
	case *types.Chan:
		eachNamed(t.Elem(), visit, seen)
	case *types.Map:
		eachNamed(t.Key(), visit, seen)
		eachNamed(t.Elem(), visit, seen)
	case *types.Signature:
		tuple(t.Params())
		tuple(t.Results())
	case *types.Struct:
		for f := range t.Fields() {
			eachNamed(f.Type(), visit, seen)
		}
	}
}

// typ returns a type in Core: there are the types of the library, structs by
// their names, and what is made of those. Every interface without methods, and
// every interface of the script, is the host's Any: the interpreter's own
// interfaces share what they hold, and lose its type. Other named types are what
// they stand for.
func (l *lowering) typ(t types.Type) string {
	if a, ok := t.(*types.Alias); ok && l.aliased(a) {
		return l.pkg(a.Obj().Pkg().Path(), a.Obj().Pkg().Name()) + "." + a.Obj().Name()
	}
	t = l.subst(t)
	switch t := types.Unalias(t).(type) {
	case *types.Basic:
		return basicName(t)
	case *types.Named:
		return l.namedType(t)
	case *types.Pointer:
		return "*" + l.typ(t.Elem())
	case *types.Slice:
		return "[]" + l.typ(t.Elem())
	case *types.Array:
		return fmt.Sprintf("[%d]%s", t.Len(), l.typ(t.Elem()))
	case *types.Map:
		return "map[" + l.typ(t.Key()) + "]" + l.typ(t.Elem())
	case *types.Chan:
		switch t.Dir() {
		case types.SendOnly:
			return "chan<- " + l.typ(t.Elem())
		case types.RecvOnly:
			return "<-chan " + l.typ(t.Elem())
		}
		return "chan " + l.typ(t.Elem())
	case *types.Interface:
		return l.host() + ".Any"
	case *types.Struct:
		return l.structType(t, t)
	case *types.Signature:
		var params []string
		for v := range t.Params().Variables() {
			params = append(params, l.typ(v.Type()))
		}
		return "func(" + strings.Join(params, ", ") + ") " + l.results(t)
	case *types.Tuple:
		return "tuple"
	}
	return "unknown"
}

func basicName(t *types.Basic) string {
	switch t.Kind() {
	case types.UntypedBool:
		return "bool"
	case types.UntypedInt:
		return "int"
	case types.UntypedRune:
		return "rune"
	case types.UntypedFloat:
		return "float64"
	case types.UntypedComplex:
		return "complex128"
	case types.UntypedString:
		return "string"
	}
	return t.Name()
}

func (l *lowering) namedType(t *types.Named) string {
	o := t.Obj()
	switch {
	case o.Pkg() == nil && o.Name() == "error":
		return o.Name()
	case o.Pkg() == nil || l.own(t) != nil && types.IsInterface(t):
		return l.host() + ".Any"
	case l.own(t) == nil:
		return l.libraryType(t)
	}
	s, isStruct := t.Underlying().(*types.Struct)
	key := l.key(t)
	if name, ok := l.named[key]; ok {
		return name
	}
	if !isStruct && !recursive(t) {
		return l.typ(t.Underlying())
	}
	if _, ok := t.Underlying().(*types.Signature); ok {
		return l.host() + ".Any" // the interpreter has no types of functions that mention themselves
	}
	if !isStruct {
		l.refuse(o.Pos(), "type "+o.Name()+" is made of itself, without a struct between", "make it a struct with a field for what it holds")
	}
	short, _, _ := strings.Cut(o.Name(), "[")
	name := l.fresh(short + mark)
	l.named[key] = name
	at := len(l.types)
	l.types = append(l.types, "")
	l.types[at] = "type " + name + " " + l.structType(t, s) + "\n"
	return name
}

// recursive reports a type that is made of itself without a struct between.
func recursive(t *types.Named) bool {
	found := false
	seen := make(map[types.Type]bool)
	var look func(types.Type)
	look = func(part types.Type) {
		eachNamed(part, func(n *types.Named) {
			if types.Identical(n, t) {
				found = true
				return
			}
			if _, isStruct := n.Underlying().(*types.Struct); !isStruct && !types.IsInterface(n) && !seen[n.Underlying()] {
				look(n.Underlying())
			}
		}, seen)
	}
	look(t.Underlying())
	return found
}

// aliased reports another name that a package of the library gives to a type,
// and that the interpreter knows.
func (l *lowering) aliased(a *types.Alias) bool {
	o := a.Obj()
	return o.Pkg() != nil && l.infos[o.Pkg()] == nil && a.TypeArgs().Len() == 0 && l.Importable != nil && l.Importable(o.Pkg().Path(), o.Name())
}

// nameable reports a type that can be written in Core. Of those of the library
// some cannot: the interpreter has no name for them.
func (l *lowering) nameable(t types.Type) bool {
	good := !strings.Contains(types.TypeString(t, nil), "unsafe.Pointer")
	if a, ok := t.(*types.Alias); ok && l.aliased(a) {
		return true
	}
	if p, ok := t.(*types.Pointer); ok {
		return l.nameable(p.Elem())
	}
	eachNamed(l.subst(t), func(n *types.Named) {
		if o := n.Obj(); o.Pkg() != nil && l.own(n) == nil && l.Importable != nil && !l.Importable(o.Pkg().Path(), o.Name()) {
			good = false
		}
	}, make(map[types.Type]bool))
	return good
}

func (l *lowering) libraryType(t *types.Named) string {
	o := t.Obj()
	path := o.Pkg().Path()
	if l.Importable != nil && !l.Importable(path, o.Name()) {
		l.refuse(l.fn.pos, "the type "+path+"."+o.Name()+" has no name that is available to inspectors",
			"use the value at once, without a variable or function that holds it")
	}
	return l.pkg(path, o.Pkg().Name()) + "." + o.Name()
}

// structType writes the struct that is, or underlies, a type. Embedded fields are named,
// and promoted fields are written out where they are used. The interpreter exports fields
// that start with a lower-case letter; a tag hides them from the encoders.
func (l *lowering) structType(t types.Type, s *types.Struct) string {
	var b strings.Builder
	b.WriteString("struct {")
	for i := range s.NumFields() {
		f := s.Field(i)
		tag := s.Tag(i)
		if !f.Exported() && !f.Embedded() {
			tag = `json:"-" xml:"-"`
		}
		typ := l.host() + ".Any"
		if !l.erased(t, i) {
			typ = l.typ(f.Type())
		}
		fmt.Fprintf(&b, " %s %s", l.fieldName(s, i), typ)
		if tag != "" {
			fmt.Fprintf(&b, " %q", tag)
		}
		b.WriteString(";")
	}
	b.WriteString(" }")
	return b.String()
}

// fieldName returns the name of a field in Core.
func (l *lowering) fieldName(s *types.Struct, i int) string {
	name := s.Field(i).Name()
	if name == "_" {
		return fmt.Sprintf("blank%s%d", mark, i)
	}
	for j := range s.NumFields() {
		if s.Field(j).Name() == "X"+name {
			return name + mark // the interpreter exports the one as the other
		}
	}
	return name
}

func deref(t types.Type) types.Type {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		return p.Elem()
	}
	return t
}

func isPointer(t types.Type) bool {
	_, ok := t.Underlying().(*types.Pointer)
	return ok
}

// typeOf returns the type of an expression, with types in the place of type
// parameters.
func (l *lowering) typeOf(e ast.Expr) types.Type {
	t := l.fn.info.TypeOf(e)
	if t == nil {
		return types.Typ[types.Invalid]
	}
	return l.subst(t)
}
