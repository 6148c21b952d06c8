package lower

import (
	"fmt"
	"go/ast"
	"go/types"
	"strconv"
	"strings"
)

// dynamicType is a type of the script whose values are held in interfaces. The interpreter
// identifies values by their layout, so in Core a value of such a type goes into an
// interface together with its type.
type dynamicType struct {
	id    int
	t     types.Type
	name  string // the variable in Core that holds the host's Type
	setup string
}

// dynamicOf returns the entry of a type.
func (l *lowering) dynamicOf(t types.Type) *dynamicType {
	key := l.key(t)
	for _, d := range l.dynamic {
		if l.key(d.t) == key {
			return d
		}
	}
	d := &dynamicType{id: len(l.dynamic) + 1, t: t, name: l.fresh("type" + mark)}
	l.dynamic = append(l.dynamic, d)
	return d
}

// nativeMethods are the methods by which the library asks a value that it holds
// as any, with their types.
func nativeMethods() map[string]string {
	return map[string]string{
		"Error": "func() string", "String": "func() string", "GoString": "func() string", "Format": "func(f fmt.State, verb rune)",
		"Unwrap": "func() error", "Is": "func(error) bool", "As": "func(any) bool",
		"Timeout": "func() bool", "Temporary": "func() bool",
		"MarshalJSON": "func() ([]byte, error)", "MarshalText": "func() ([]byte, error)",
	}
}

// dynamicMethods tells the host about a type and those of its methods that the library may
// use.
func (l *lowering) dynamicMethods(d *dynamicType) {
	var b strings.Builder
	set := types.NewMethodSet(d.t)
	methods := nativeMethods()
	isError := types.Implements(d.t, errorInterface())
	fmt.Fprintf(&b, "%s = %s.NewType(%d, %q, %v)\n", d.name, l.host(), d.id, l.shown(d.t), isError)
	b.WriteString(l.shape(d))
	for _, name := range sortedKeys(methods) {
		s := set.Lookup(nil, name)
		if s == nil {
			continue
		}
		sig, ok := s.Obj().Type().(*types.Signature)
		if !ok || plainSignature(sig) != methods[name] && (name != "Unwrap" || plainSignature(sig) != "func() []error") && name != "Format" && name != "Is" &&
			name != "As" {
			continue
		}
		fmt.Fprintf(&b, "%s.Method(%s, %q, %s)\n", l.host(), d.name, name, l.nativeMethod(d.t, s.Obj().(*types.Func), sig))
	}
	d.setup = b.String()
}

// shape tells the host the structure of a type's values.
func (l *lowering) shape(d *dynamicType) string {
	part := func(t types.Type) string {
		if types.IsInterface(t) || !l.mentions(t) {
			return "nil"
		}
		return l.dynamicOf(t).name
	}
	var parts []string
	switch u := d.t.Underlying().(type) {
	case *types.Struct:
		for i := range u.NumFields() {
			f := u.Field(i)
			parts = append(parts, strconv.Quote(f.Name()))
			if f.Embedded() {
				parts = append(parts, "true")
			}
			parts = append(parts, part(f.Type()))
			if l.erased(d.t, i) {
				l.empty(f.Type())
			}
		}
	case *types.Map:
		parts = []string{part(u.Key()), part(u.Elem())}
	case *types.Slice:
		parts = []string{part(u.Elem())}
	case *types.Array:
		parts = []string{part(u.Elem())}
	case *types.Pointer:
		parts = []string{part(u.Elem())}
	}
	if len(parts) == 0 {
		return ""
	}
	// The types of the parts may be made after this one.
	l.shapes = append(l.shapes, l.host()+".Shape("+d.name+", "+strings.Join(parts, ", ")+")\n")
	return ""
}

// empty tells the host how an erased field prints, and its nil.
func (l *lowering) empty(t types.Type) {
	kind := ""
	switch t.Underlying().(type) {
	case *types.Slice:
		kind = "slice"
	case *types.Map:
		kind = "map"
	default:
		return
	}
	l.shapes = append(l.shapes, fmt.Sprintf("%s.Empty(%s, %q)\n", l.host(), l.dynamicOf(t).name, kind))
}

func plainSignature(sig *types.Signature) string {
	return types.TypeString(types.NewSignatureType(nil, nil, nil, sig.Params(), sig.Results(), sig.Variadic()), func(p *types.Package) string { return p.Name() })
}

// reflected writes a type as package reflect does.
func reflected(t types.Type) string {
	tuple := func(list *types.Tuple, variadic bool) string {
		var parts []string
		for i, v := range vars(list) {
			text := reflected(v.Type())
			if variadic && i == list.Len()-1 {
				text = "..." + strings.TrimPrefix(text, "[]")
			}
			parts = append(parts, text)
		}
		return strings.Join(parts, ", ")
	}
	switch t := types.Unalias(t).(type) {
	case *types.Basic:
		return types.Typ[t.Kind()].Name() // byte is uint8
	case *types.Pointer:
		return "*" + reflected(t.Elem())
	case *types.Slice:
		return "[]" + reflected(t.Elem())
	case *types.Array:
		return fmt.Sprintf("[%d]%s", t.Len(), reflected(t.Elem()))
	case *types.Map:
		return "map[" + reflected(t.Key()) + "]" + reflected(t.Elem())
	case *types.Signature:
		text := "func(" + tuple(t.Params(), t.Variadic()) + ")"
		switch results := tuple(t.Results(), false); t.Results().Len() {
		case 0:
			return text
		case 1:
			return text + " " + results
		default:
			return text + " (" + results + ")"
		}
	case *types.Interface:
		if t.NumMethods() == 0 {
			return "interface {}"
		}
	}
	return types.TypeString(t, func(p *types.Package) string { return p.Name() })
}

// shown is the name of a type as Go prints it.
func (l *lowering) shown(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p == l.Pkg {
			return l.File.Name.Name
		}
		return p.Name()
	})
}

// shownArgument is the name of a type argument as Go prints it.
func (l *lowering) shownArgument(t types.Type) string {
	if i, ok := types.Unalias(t).(*types.Interface); ok && i.NumMethods() == 0 {
		return "interface {}"
	}
	return l.shown(t)
}

func errorInterface() *types.Interface {
	i, _ := types.Universe.Lookup("error").Type().Underlying().(*types.Interface)
	return i
}

// nativeMethod makes a function of a method, for the host to call with a value.
func (l *lowering) nativeMethod(t types.Type, f *types.Func, sig *types.Signature) string {
	l.begin(l.Pkg, l.Info, nil)
	params, args := []string{"x " + l.host() + ".Any"}, []code{}
	for i, v := range vars(sig.Params()) {
		name := fmt.Sprintf("a%d", i)
		params = append(params, name+" "+l.typ(v.Type()))
		args = append(args, code{name, atom})
	}
	l.fn.out.WriteString(l.returning(sig, func() string { return l.callMethod(l.takeOut("x", t), t, f.Name(), f.Pkg(), args) }))
	text := l.fn.out.String()
	result := l.maker(nil, strings.Join(params, ", "), l.results(sig), text)
	l.fn = nil
	return result
}

// returning writes a call and returns its results.
func (l *lowering) returning(sig *types.Signature, call func() string) string {
	return l.apart(func() {
		text := call()
		switch n := sig.Results().Len(); n {
		case 0:
			l.line(text)
			l.line("return")
		case 1:
			t := l.temp()
			l.line(t + " := " + text)
			l.line("return " + t)
		default:
			var names []string
			for range n {
				names = append(names, l.temp())
			}
			l.line(strings.Join(names, ", ") + " := " + text)
			l.line("return " + strings.Join(names, ", "))
		}
	})
}

// open returns the value of a type of the script that an interface holds with
// its type.
func (l *lowering) open(x string, t types.Type) code {
	if zeroSize(t) {
		return l.takeOut(x, t)
	}
	raw := l.temp()
	l.line(raw + " := " + l.host() + ".Value(" + x + ")")
	return l.takeOut(raw, t)
}

// takeOut returns the value that an interface holds without its type.
func (l *lowering) takeOut(x string, t types.Type) code {
	v := l.temp()
	if zeroSize(t) {
		l.line("var " + v + " " + l.typ(t))
		return code{v, atom}
	}
	l.line(v + " := " + x + ".(" + l.typ(t) + ")")
	return code{v, atom}
}

// zeroSize reports a struct without fields, which the interpreter cannot take out of an
// interface, and need not.
func zeroSize(t types.Type) bool {
	s, ok := t.Underlying().(*types.Struct)
	return ok && s.NumFields() == 0
}

func vars(t *types.Tuple) []*types.Var {
	var all []*types.Var
	for v := range t.Variables() {
		all = append(all, v)
	}
	return all
}

// renames reports a struct that gets a name, or loses it, by an assignment. The interpreter
// would leave the value its old type, which shows in interfaces.
func (l *lowering) renames(from, to types.Type) bool {
	if from == nil || to == nil || types.Identical(from, to) {
		return false
	}
	_, is := from.Underlying().(*types.Struct)
	_, will := to.Underlying().(*types.Struct)
	return is && will && l.typ(from) != l.typ(to) && !l.mentionsErased(from) && !l.mentionsErased(to)
}

// convert converts a value to another type to which Go can assign it.
func (l *lowering) convert(c code, from, to types.Type, e ast.Expr) code {
	from, to = l.subst(from), l.subst(to)
	if !types.IsInterface(to) {
		if l.renames(from, to) {
			return l.hold(code{l.typ(to) + "(" + c.text + ")", call}, to)
		}
		return c
	}
	if b, ok := from.(*types.Basic); ok && b.Kind() == types.UntypedNil {
		return c
	}
	if types.IsInterface(from) {
		return l.convertInterface(c, from, to)
	}
	if b, ok := from.(*types.Basic); ok && b.Info()&types.IsUntyped != 0 {
		from = types.Default(from)
	}
	if e != nil {
		if tv := l.fn.info.Types[e]; tv.Value != nil {
			c = l.constant(tv.Value, from, true)
		}
	}
	if c.p < primary || c.p == call {
		c = l.hold(c, from) // the interpreter loses an operator when it becomes an interface
	}
	switch {
	case !l.mentions(from):
		return c
	case !l.libraryInterface(to):
		return code{l.host() + ".Box(" + l.dynamicOf(from).name + ", " + c.text + ")", call}
	}
	return l.wrap(c, from, to)
}

// steady returns a value as a variable or a constant.
func (l *lowering) steady(c code, t types.Type) code {
	if c.p == atom || c.p == constantCode {
		return c
	}
	return l.hold(c, t)
}

// convertInterface converts an interface to another one.
func (l *lowering) convertInterface(c code, from, to types.Type) code {
	if !l.libraryInterface(to) {
		if l.libraryInterface(from) {
			return l.steady(c, from)
		}
		return c
	}
	if l.libraryInterface(from) {
		return c
	}
	x := l.steady(c, from)
	v := l.temp()
	if isError(to) {
		l.line(v + ", _ := " + l.host() + ".AsError(" + x.text + ")")
	} else {
		l.line(v + ", _ := " + l.coercion(to) + "(" + x.text + ")")
	}
	return code{v, atom}
}

func isError(t types.Type) bool { return types.Identical(t, types.Universe.Lookup("error").Type()) }

// assert writes the test whether an interface holds a type, and returns the value and the
// result.
func (l *lowering) assert(x code, from, to types.Type) (v, ok string) {
	v, ok = l.temp(), l.temp()
	h := l.host()
	switch {
	case types.IsInterface(to) && isError(to):
		l.line(v + ", " + ok + " := " + h + ".AsError(" + x.text + ")")
	case types.IsInterface(to) && l.libraryInterface(to):
		l.line(v + ", " + ok + " := " + l.coercion(to) + "(" + x.text + ")")
	case types.IsInterface(to):
		l.line("var " + v + " " + h + ".Any")
		l.line(ok + " := " + l.implements(x, to))
		l.block("if "+ok, func() { l.line(v + " = " + x.text) })
	case l.mentions(to):
		l.line("var " + v + " " + l.typ(to))
		l.line(ok + " := " + h + ".Is(" + x.text + ", " + l.dynamicOf(to).name + ")")
		l.block("if "+ok, func() { l.line(v + " = " + l.open(x.text, to).text) })
	default:
		l.ask(v, ok, to, x.text+".("+l.typ(to)+")")
	}
	return v, ok
}

// implements returns the test whether the value in an interface has the methods of an
// interface of the script.
func (l *lowering) implements(x code, to types.Type) string {
	i, _ := to.Underlying().(*types.Interface)
	if i.NumMethods() == 0 {
		return l.host() + ".Holds(" + x.text + ")"
	}
	return l.late("is", l.key(to), func(name string) *lateFunc {
		var methods []string
		for m := range i.Methods() {
			methods = append(methods, fmt.Sprintf("%q", m.Name()), fmt.Sprintf("%q", reflected(m.Signature())))
		}
		return &lateFunc{
			head: "func " + name + "(x " + l.host() + ".Any) bool {\nid := " + l.host() + ".ID(x)\n",
			tail: "if id == 0 {\nreturn " + l.host() + ".Implements(x, " + strings.Join(methods, ", ") + ")\n}\nreturn false\n}\n",
			part: func(d *dynamicType) string {
				if !types.Implements(d.t, i) {
					return ""
				}
				return fmt.Sprintf("if id == %d {\nreturn true\n}\n", d.id)
			},
		}
	}) + "(" + x.text + ")"
}

// coercion returns the function that converts the value in an interface to an interface of
// the library, if it has the methods.
func (l *lowering) coercion(to types.Type) string {
	i, _ := to.Underlying().(*types.Interface)
	return l.late("to", l.key(to), func(name string) *lateFunc {
		text := l.typ(to)
		return &lateFunc{
			head: "func " + name + "(x " + l.host() + ".Any) (" + text + ", bool) {\nvar none " + text + "\nid := " + l.host() +
				".ID(x)\nif id < 0 {\nreturn none, false\n}\n",
			tail: "if id > 0 {\nreturn none, false\n}\nv, ok := x.(" + text + ")\nreturn v, ok\n}\n",
			part: func(d *dynamicType) string {
				if !types.Implements(d.t, i) {
					return ""
				}
				l.begin(l.Pkg, l.Info, nil)
				l.block(fmt.Sprintf("if id == %d", d.id), func() {
					l.line("return " + l.wrap(l.open("x", d.t), d.t, to).text + ", true")
				})
				return l.end()
			},
		}
	})
}

// dispatch returns the function that calls a method of the value in an interface.
func (l *lowering) dispatch(m *types.Func, sig *types.Signature) string {
	sig, _ = l.subst(sig).(*types.Signature)
	plain := types.NewSignatureType(nil, nil, nil, sig.Params(), sig.Results(), sig.Variadic())
	return l.late("call", m.Name()+" "+l.key(plain), func(name string) *lateFunc {
		params := []string{"x " + l.host() + ".Any"}
		var args []code
		var argTexts []string
		entry := ""
		for i, v := range vars(sig.Params()) {
			p := fmt.Sprintf("a%d", i)
			if l.signed(v.Type()) {
				held := fmt.Sprintf("h%d", i)
				params = append(params, held+" "+l.host()+".Any")
				entry += p + " := " + held + ".(" + l.typ(v.Type()) + ")\n"
			} else {
				params = append(params, p+" "+l.typ(v.Type()))
			}
			args = append(args, code{p, atom})
			argTexts = append(argTexts, p)
		}
		results := l.results(sig)
		tail := l.host() + ".NoMethod(x)\npanic(\"unreachable\")\n}\n"
		if !l.mentions(plain) {
			invoke := "f(" + strings.Join(argTexts, ", ") + ")"
			if sig.Results().Len() > 0 {
				invoke = "return " + invoke
			} else {
				invoke += "\nreturn"
			}
			tail = "f := " + l.host() + ".Native(x, \"" + m.Name() + "\").(" + l.typ(plain) + ")\n" + invoke + "\n}\n"
		}
		return &lateFunc{
			head: "func " + name + "(" + strings.Join(params, ", ") + ") " + results + " {\n" + entry + "id := " + l.host() + ".ID(x)\n",
			tail: tail,
			part: func(d *dynamicType) string {
				o, _, _ := types.LookupFieldOrMethod(d.t, false, m.Pkg(), m.Name())
				f, ok := o.(*types.Func)
				if !ok || types.NewMethodSet(d.t).Lookup(m.Pkg(), m.Name()) == nil ||
					!types.Identical(types.NewSignatureType(nil, nil, nil, f.Signature().Params(), f.Signature().Results(), f.Signature().Variadic()), plain) {
					return ""
				}
				l.begin(l.Pkg, l.Info, nil)
				l.block(fmt.Sprintf("if id == %d", d.id), func() {
					l.fn.out.WriteString(l.returning(sig, func() string { return l.callMethod(l.open("x", d.t), d.t, m.Name(), m.Pkg(), args) }))
				})
				return l.end()
			},
		}
	})
}

// lateFunc is a function with a part for each dynamic type. It is written when all of them
// are known.
type lateFunc struct {
	head, tail string
	parts      strings.Builder
	part       func(*dynamicType) string
	done       int // dynamic types that have their part
}

// late returns the name of a late function, which is made once for each key.
func (l *lowering) late(kind, key string, make func(name string) *lateFunc) string {
	key = kind + " " + key
	if name, ok := l.once[key]; ok {
		return name
	}
	name := l.fresh(kind + mark)
	l.once[key] = name
	l.lates = append(l.lates, make(name))
	return name
}

// dispatchers writes the late functions. The functions that they call may add more dynamic
// types and late functions.
func (l *lowering) dispatchers() {
	for again := true; again; {
		again = false
		for i := 0; i < len(l.lates); i++ {
			f := l.lates[i]
			for f.done < len(l.dynamic) {
				again = true
				f.parts.WriteString(f.part(l.dynamic[f.done]))
				f.done++
				l.drain()
			}
		}
		for i := range l.dynamic {
			if l.dynamic[i].setup == "" {
				again = true
				l.dynamicMethods(l.dynamic[i])
				l.drain()
			}
		}
	}
	for _, f := range l.lates {
		l.tops = append(l.tops, f.head+f.parts.String()+f.tail)
	}
}

// equal compares two values of interfaces, or of an interface and another type.
func (l *lowering) equal(x, y code) string {
	return l.host() + ".Equal(" + x.text + ", " + y.text + ")"
}
