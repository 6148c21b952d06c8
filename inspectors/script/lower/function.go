package lower

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"
)

// function is one function of the source while it is translated, with the
// function literals in it. The names of its variables are told apart, so that
// none of them hides another.
type function struct {
	pkg   *types.Package
	info  *types.Info
	env   *environment // the types of the type parameters, or nil
	names map[types.Object]string
	used  map[string]bool
	out   *strings.Builder
	pos   token.Pos // that was written last

	// Of the innermost literal, or the function itself.
	literal ast.Node // *ast.FuncLit or *ast.FuncDecl
	sig     *types.Signature
	results []string // places of the results of a function that defers, or nil
	defers  string   // name of what its deferred calls are put on, or ""
	targets []target
	temps   *int

	made map[ast.Expr]code // what callsFirst has in variables, until it is used
}

// begin starts a function.
func (l *lowering) begin(pkg *types.Package, info *types.Info, env *environment) {
	l.fn = &function{
		pkg: pkg, info: info, env: env, names: make(map[types.Object]string), used: make(map[string]bool),
		out: new(strings.Builder), temps: new(int), made: make(map[ast.Expr]code),
	}
}

// end returns the text written since begin.
func (l *lowering) end() string {
	text := l.fn.out.String()
	if len(l.fn.made) > 0 { // somebody has written a call a second time
		panic("a value that was made is not used")
	}
	l.fn = nil
	return text
}

// line writes one statement.
func (l *lowering) line(text string) {
	l.fn.out.WriteString(text)
	l.fn.out.WriteByte('\n')
}

// place says that what follows stands there in the source.
func (l *lowering) place(pos token.Pos) {
	if !pos.IsValid() || l.fn.info != l.Info {
		return
	}
	at := l.Fset.PositionFor(pos, false)
	fmt.Fprintf(l.fn.out, "/*line :%d:%d*/", at.Line, at.Column)
}

// apart collects what write writes.
func (l *lowering) apart(write func()) string {
	out := l.fn.out
	l.fn.out = new(strings.Builder)
	write()
	text := l.fn.out.String()
	l.fn.out = out
	return text
}

// block writes statements in braces after head.
func (l *lowering) block(head string, write func()) {
	l.line(head + " {")
	write()
	l.line("}")
}

// temp returns a name that nothing else has in the function.
func (l *lowering) temp() string {
	*l.fn.temps++
	return "t" + mark + strconv.Itoa(*l.fn.temps)
}

// hold puts a value into a new variable and returns that.
func (l *lowering) hold(c code, t types.Type) code {
	name := l.temp()
	if c.text == "nil" || c.p == constantCode {
		l.line("var " + name + " " + l.typ(t) + " = " + c.text)
	} else {
		l.line(name + " := " + c.text)
	}
	return code{name, atom}
}

// name returns the name in Core of a local variable.
func (l *lowering) name(o types.Object) string {
	if name, ok := l.fn.names[o]; ok {
		return name
	}
	name := o.Name()
	for i := 1; l.fn.used[name] || l.top[name] || name == "_"; i++ {
		name = fmt.Sprintf("%s%s%d", strings.TrimPrefix(o.Name(), "_"), "_"+mark, i)
		if strings.HasPrefix(name, "_") {
			name = "v" + name
		}
	}
	l.fn.used[name], l.fn.names[o] = true, name
	return name
}

// funcDecl translates a function or method that is declared, now or, where it
// has type parameters, for each instance that comes up. It returns its name.
func (l *lowering) funcDecl(d *ast.FuncDecl) string {
	o, _ := l.Info.Defs[d.Name].(*types.Func)
	sig := o.Signature()
	if sig.TypeParams().Len() > 0 || sig.RecvTypeParams().Len() > 0 {
		return ""
	}
	name := l.funcName(o, nil)
	return name
}

// funcName returns the name in Core of a declared function or method, or of an
// instance of one, and has it translated.
func (l *lowering) funcName(f *types.Func, args []types.Type) string {
	origin := f.Origin()
	key := fmt.Sprintf("%p", origin)
	for _, t := range args {
		key += "," + l.key(t)
	}
	if name, ok := l.funcs[key]; ok {
		return name
	}
	name := origin.Name()
	if recv := origin.Signature().Recv(); recv != nil {
		name = types.TypeString(deref(recv.Type()), func(*types.Package) string { return "" })
		name, _, _ = strings.Cut(name, "[")
		name += mark + origin.Name()
	}
	if static, ok := l.statics[origin]; ok && len(args) == 0 {
		name = static
	} else {
		if origin.Pkg() != l.Pkg {
			name = origin.Pkg().Name() + mark + name
		}
		name = l.fresh(name)
	}
	l.funcs[key] = name
	d := l.declaration(origin)
	if d == nil || d.Body == nil {
		l.refuse(f.Pos(), "the function "+f.Name()+" has no body", "write one")
	}
	l.queue = append(l.queue, func() {
		l.begin(origin.Pkg(), l.infos[origin.Pkg()], l.instance(origin, d.Body, args))
		l.declared(name, d, origin.Signature())
	})
	return name
}

// declaration returns where a function is declared, which may be in a package
// that is translated with the script.
func (l *lowering) declaration(f *types.Func) *ast.FuncDecl {
	if l.infos[f.Pkg()] == nil && l.Source != nil {
		if s := l.Source(f.Pkg()); s != nil {
			l.infos[f.Pkg()] = s.Info
			for _, file := range s.Files {
				l.gather(file, s.Info)
			}
		}
	}
	return l.decls[f]
}

// declared writes a function that is declared.
func (l *lowering) declared(name string, d *ast.FuncDecl, sig *types.Signature) {
	var params []string
	var entry strings.Builder
	l.fn.literal, l.fn.sig = d, sig
	if d.Recv != nil {
		params = append(params, l.params(d.Recv, &entry, l.formal)...)
	}
	params = append(params, l.params(d.Type.Params, &entry, l.formal)...)
	l.place(d.Pos())
	head := l.fn.out.String()
	l.fn.out.Reset()
	l.fn.out.WriteString(entry.String())
	l.body(d.Type, d.Body)
	text := head + "func " + name + "(" + strings.Join(params, ", ") + ") " + l.results(sig) + " {\n" + l.end() + "}\n"
	l.tops = append(l.tops, text)
}

// params returns the parameters of a function in Core, which has formal types. entry gives
// a place to those that need their own.
func (l *lowering) params(list *ast.FieldList, entry *strings.Builder, formal func(types.Type) string) []string {
	var params []string
	if list == nil {
		return nil
	}
	for _, field := range list.List {
		t := l.typeOf(field.Type)
		if _, ok := field.Type.(*ast.Ellipsis); ok {
			t = types.NewSlice(l.typeOf(field.Type.(*ast.Ellipsis).Elt))
		}
		names := field.Names
		if len(names) == 0 {
			params = append(params, l.temp()+" "+formal(t))
			continue
		}
		for _, id := range names {
			o := l.fn.info.Defs[id]
			if o == nil || id.Name == "_" {
				params = append(params, l.temp()+" "+formal(t))
				continue
			}
			name := l.name(o)
			typ := formal(t)
			if l.boxed(o) || typ != l.typ(t) {
				value := code{l.temp(), atom}
				params = append(params, value.text+" "+typ)
				if typ != l.typ(t) {
					value = code{value.text + ".(" + l.typ(t) + ")", call}
				}
				entry.WriteString(l.apart(func() { l.declare(name, t, value, l.boxed(o)) }))
				continue
			}
			params = append(params, name+" "+l.typ(t))
		}
	}
	return params
}

// results returns the results of a function in Core, without names.
func (l *lowering) results(sig *types.Signature) string {
	var list []string
	for v := range sig.Results().Variables() {
		list = append(list, l.typ(v.Type()))
	}
	if len(list) == 1 {
		return list[0]
	}
	if len(list) == 0 {
		return ""
	}
	return "(" + strings.Join(list, ", ") + ")"
}

// body writes the body of a function.
//
// Results with names become variables, which the interpreter would not set to
// zero. A function that defers is two: the outer keeps the results, the inner is
// the body, and the host runs what it defers. The interpreter's own defer hangs,
// reads arguments late, and forgets all but the last of a loop.
func (l *lowering) body(ft *ast.FuncType, body *ast.BlockStmt) {
	if defers(body) {
		l.deferring(ft, body)
		return
	}
	l.namedResults(ft)
	l.stmts(body.List)
	if n := len(body.List); l.fn.sig.Results().Len() > 0 && n > 0 && !returns(body.List[n-1]) {
		l.line("panic(\"unreachable\")")
	}
}

// namedResults declares the results that have names as variables.
func (l *lowering) namedResults(ft *ast.FuncType) {
	if ft.Results == nil {
		return
	}
	for _, field := range ft.Results.List {
		for _, id := range field.Names {
			if o := l.fn.info.Defs[id]; o != nil {
				l.declare(l.name(o), l.typeOf(field.Type), code{}, l.boxed(o))
			}
		}
	}
}

// deferring writes a function that defers.
func (l *lowering) deferring(ft *ast.FuncType, body *ast.BlockStmt) {
	fn := l.fn
	results := l.resultPlaces(ft)
	stack := l.temp()
	l.line(stack + " := " + l.host() + ".NewDefers()")
	outerResults, outerDefers, outerTargets := fn.results, fn.defers, fn.targets
	captured := slices.DeleteFunc(l.free(body), func(c capture) bool {
		return slices.ContainsFunc(results, func(r resultPlace) bool { return r.name == c.name })
	})
	for _, r := range results {
		captured = append(captured, capture{name: r.name, typ: r.place})
	}
	captured = append(captured, capture{name: stack, typ: "*" + l.host() + ".Defers"})
	fn.defers, fn.targets, fn.results = stack, nil, []string{}
	for _, r := range results {
		fn.results = append(fn.results, r.value)
	}
	inner := l.apart(func() { l.stmts(body.List) })
	fn.results, fn.defers, fn.targets = outerResults, outerDefers, outerTargets
	l.line(stack + ".Run(" + l.maker(captured, "", "", inner) + ")")
	var values []string
	for _, r := range results {
		values = append(values, r.value)
	}
	if len(values) > 0 {
		l.line("return " + strings.Join(values, ", "))
	}
}

// resultPlace is where a result of a function that defers is kept.
type resultPlace struct{ name, place, value string }

// resultPlaces makes places for the results of a function that defers, zero at
// first: they are what it returns after a panic that is recovered.
func (l *lowering) resultPlaces(ft *ast.FuncType) []resultPlace {
	var list []resultPlace
	if ft.Results == nil {
		return nil
	}
	for _, field := range ft.Results.List {
		t := l.typeOf(field.Type)
		for i := range max(1, len(field.Names)) {
			name := ""
			if len(field.Names) > 0 && field.Names[i].Name != "_" {
				o := l.fn.info.Defs[field.Names[i]]
				l.variable(o).addr = true
				name = l.name(o)
			} else {
				name = l.temp()
			}
			l.declare(name, t, code{}, true)
			list = append(list, resultPlace{name, "*" + l.box(t), l.unbox(name, t)})
		}
	}
	return list
}

// capture is a variable that a function literal uses: its name, its type in Core,
// and whether its value may be a negative zero.
type capture struct {
	name, typ string
	signed    bool
}

// capture is a variable that is used by its value.
func (l *lowering) capture(name string, t types.Type) capture {
	return capture{name, l.typ(t), l.signed(t)}
}

// maker returns a call of a function that makes a function literal. Literals are
// made nowhere else: what a literal uses is handed to the maker, values that
// never change as they are and all others by their boxes, so that the literal
// shares with its surroundings what it is meant to, and no more.
func (l *lowering) maker(captured []capture, params, results, body string) string {
	name := l.fresh("func" + mark)
	var formal, actual []string
	entry := ""
	for _, c := range captured {
		actual = append(actual, c.name)
		if c.signed {
			param := l.temp()
			formal = append(formal, param+" "+l.host()+".Any")
			entry += c.name + " := " + param + ".(" + c.typ + ")\n"
			continue
		}
		formal = append(formal, c.name+" "+c.typ)
	}
	sig := "func(" + params + ") " + results
	l.tops = append(l.tops, "func "+name+"("+strings.Join(formal, ", ")+") "+typeOfLiteral(params, results)+
		" {\n"+entry+"return "+sig+" {\n"+body+"}\n}\n")
	return name + "(" + strings.Join(actual, ", ") + ")"
}

// typeOfLiteral is the type of a function literal, without names.
func typeOfLiteral(params, results string) string {
	return "func(" + params + ") " + results
}

// funcLit translates a function literal.
func (l *lowering) funcLit(f *ast.FuncLit) code {
	sig, _ := l.typeOf(f).Underlying().(*types.Signature)
	return code{l.literal(f, f.Type, f.Body, sig), call}
}

func (l *lowering) literal(node ast.Node, ft *ast.FuncType, body *ast.BlockStmt, sig *types.Signature) string {
	fn := l.fn
	literal, outerSig, results, stack, targets := fn.literal, fn.sig, fn.results, fn.defers, fn.targets
	fn.literal, fn.sig, fn.results, fn.defers, fn.targets = node, sig, nil, "", nil
	var params []string
	var entry strings.Builder
	params = l.params(ft.Params, &entry, l.typ)
	text := entry.String() + l.apart(func() { l.body(ft, body) })
	captured := l.free(node)
	result := l.results(sig)
	fn.literal, fn.sig, fn.results, fn.defers, fn.targets = literal, outerSig, results, stack, targets
	return l.maker(captured, strings.Join(params, ", "), result, text)
}

// free returns the variables around a part of a function that it uses.
func (l *lowering) free(n ast.Node) []capture {
	var list []capture
	seen := make(map[types.Object]bool)
	ast.Inspect(n, func(n2 ast.Node) bool {
		id, ok := n2.(*ast.Ident)
		if !ok {
			return true
		}
		v, ok := l.fn.info.Uses[id].(*types.Var)
		if !ok || seen[v] || v.IsField() || v.Parent() == l.fn.pkg.Scope() || v.Pkg() != l.fn.pkg || v.Pos() >= n.Pos() && v.Pos() < n.End() {
			return true
		}
		if _, known := l.fn.names[v]; !known {
			return true
		}
		seen[v] = true
		t := l.subst(v.Type())
		if l.boxed(v) {
			list = append(list, capture{name: l.name(v), typ: "*" + l.box(t)})
		} else {
			list = append(list, l.capture(l.name(v), t))
		}
		return true
	})
	return list
}

// box returns the type whose pointer is the place of a variable: of a struct
// the struct itself, otherwise a struct of one field.
func (l *lowering) box(t types.Type) string {
	text := l.typ(t)
	if _, ok := l.subst(t).Underlying().(*types.Struct); ok {
		return text
	}
	if name, ok := l.boxes[text]; ok {
		return name
	}
	name := l.fresh("box" + mark)
	l.boxes[text] = name
	l.types = append(l.types, "type "+name+" struct { V "+text+" }\n")
	return name
}

// unbox returns the value of a variable that has a box.
func (l *lowering) unbox(name string, t types.Type) string {
	if _, ok := l.subst(t).Underlying().(*types.Struct); ok {
		return "*" + name
	}
	return name + ".V"
}

// declare declares a variable, with a value or zero, in a box where it needs
// one. Each time it is reached the variable is another.
func (l *lowering) declare(name string, t types.Type, value code, boxed bool) {
	switch _, isStruct := l.subst(t).Underlying().(*types.Struct); {
	case !boxed && value.text == "":
		l.line("var " + name + " " + l.typ(t))
	case !boxed && value.p == call:
		l.line(name + " := " + value.text)
	case !boxed:
		l.line(l.variableLine(name, value, t))
	case isStruct:
		l.line(name + " := new(" + l.box(t) + ")")
		if value.text != "" {
			l.line("*" + name + " = " + value.text)
		}
	default:
		l.line(name + " := new(" + l.box(t) + ")")
		if value.text != "" {
			l.line(name + ".V = " + value.text)
		}
	}
}
