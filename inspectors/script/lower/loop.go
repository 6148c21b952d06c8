package lower

import (
	"go/ast"
	"go/token"
	"go/types"
	"strconv"
)

// target is a statement that break or continue may mean.
type target struct {
	stmt  ast.Stmt
	label types.Object // or nil
	loop  bool
	core  string // its label in Core, or ""
	used  *bool  // the label in Core is used
	again func() // writes the code before the next round, or nil
}

// enter makes a statement a target while body is written, and puts a label before it if one
// is needed. Head and tail are written around the body.
func (l *lowering) enter(s ast.Stmt, label types.Object, loop bool, again func(), write func()) {
	used := false
	t := target{stmt: s, label: label, loop: loop, core: l.fresh("loop" + mark), used: &used, again: again}
	l.fn.targets = append(l.fn.targets, t)
	text := l.apart(write)
	l.fn.targets = l.fn.targets[:len(l.fn.targets)-1]
	if used {
		l.line(t.core + ":")
	}
	l.fn.out.WriteString(text)
}

// branch translates break, continue and goto.
func (l *lowering) branch(s *ast.BranchStmt) {
	switch s.Tok {
	case token.GOTO:
		l.line("goto " + authorsLabel(s.Label))
		return
	case token.FALLTHROUGH:
		return // its switch knows
	}
	var label types.Object
	if s.Label != nil {
		label = l.fn.info.Uses[s.Label]
	}
	for i := len(l.fn.targets) - 1; i >= 0; i-- {
		t := l.fn.targets[i]
		if label != nil && t.label != label || label == nil && s.Tok == token.CONTINUE && !t.loop {
			continue
		}
		if s.Tok == token.CONTINUE && t.again != nil {
			t.again()
		}
		if i == len(l.fn.targets)-1 {
			l.line(s.Tok.String())
		} else {
			*t.used = true
			l.line(s.Tok.String() + " " + t.core)
		}
		return
	}
	l.refuse(s.Pos(), "a jump that cannot be translated", "write it otherwise")
}

// authorsLabel is the name in Core of a label to which a goto jumps. It begins with the
// mark, unlike generated labels.
func authorsLabel(label *ast.Ident) string { return mark + label.Name }

// labeled translates a statement with a label.
func (l *lowering) labeled(s *ast.LabeledStmt) {
	label := l.fn.info.Defs[s.Label]
	if l.gone(label) {
		l.line(authorsLabel(s.Label) + ":")
	}
	switch inner := s.Stmt.(type) {
	case *ast.ForStmt:
		l.forStmt(inner, label)
	case *ast.RangeStmt:
		l.rangeStmt(inner, label)
	case *ast.SwitchStmt:
		l.switchStmt(inner, label)
	case *ast.TypeSwitchStmt:
		l.typeSwitch(inner, label)
	case *ast.SelectStmt:
		l.selectStmt(inner, label)
	case *ast.BlockStmt:
		l.leavable(inner, label, func() { l.stmt(inner) })
	default:
		l.stmt(inner)
	}
}

// gone reports a label to which a goto jumps.
func (l *lowering) gone(label types.Object) bool {
	found := false
	ast.Inspect(l.fn.literal, func(n ast.Node) bool {
		if b, ok := n.(*ast.BranchStmt); ok && b.Tok == token.GOTO && l.fn.info.Uses[b.Label] == label {
			found = true
		}
		return true
	})
	return found
}

// leavable writes a statement that break may leave. If a break does, it is a loop of one
// round.
func (l *lowering) leavable(s ast.Stmt, label types.Object, write func()) {
	if !l.left(s, label) {
		write()
		return
	}
	l.enter(s, label, false, nil, func() {
		l.block("for", func() {
			write()
			l.line("break")
		})
	})
}

// left reports whether a break leaves a statement that is no loop.
func (l *lowering) left(s ast.Stmt, label types.Object) bool {
	found := false
	var look func(n ast.Node, nested bool)
	look = func(n ast.Node, nested bool) {
		ast.Inspect(n, func(inner ast.Node) bool {
			switch x := inner.(type) {
			case *ast.FuncLit:
				return false
			case *ast.BranchStmt:
				if x.Tok == token.BREAK && (x.Label == nil && !nested || x.Label != nil && label != nil && l.fn.info.Uses[x.Label] == label) {
					found = true
				}
			case *ast.ForStmt, *ast.RangeStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
				if inner != n && !nested {
					look(inner, true)
					return false
				}
			}
			return true
		})
	}
	_, block := s.(*ast.BlockStmt)
	look(s, block)
	return found
}

// forStmt translates a for with a condition. Statements that its parts need go into the
// body. Loop variables that a function literal or a pointer refers to are different in each
// round.
func (l *lowering) forStmt(s *ast.ForStmt, label types.Object) {
	if s.Init != nil {
		l.stmt(s.Init)
	}
	renew := l.renewal(s)
	cond, condBefore := "", ""
	if s.Cond != nil {
		if tv := l.fn.info.Types[s.Cond]; tv.Value == nil || tv.Value.String() != "true" {
			condBefore = l.apart(func() { cond = l.condition(s.Cond) })
		}
	}
	post := ""
	if s.Post != nil {
		post = l.apart(func() { l.post(s.Post) })
	}
	if renew == "" && condBefore == "" && simple(post) && cond != "" && !l.perilous(s) {
		l.enter(s, label, true, nil, func() {
			head := "for ; " + cond + "; " + trimLine(post)
			if post == "" {
				head = "for " + cond
			}
			l.block(head, func() { l.stmts(s.Body.List) })
		})
		return
	}
	again := func() {
		if s.Post != nil {
			l.place(s.Post.Pos())
		}
		l.fn.out.WriteString(renew + post)
	}
	l.enter(s, label, true, again, func() {
		l.block("for", func() {
			l.fn.out.WriteString(condBefore)
			if cond != "" {
				l.block("if !("+cond+")", func() { l.line("break") })
			}
			l.stmts(s.Body.List)
			again()
		})
	})
}

// perilous reports a loop whose head may panic in a later round. The head must then be in
// the body, where its line is known.
func (l *lowering) perilous(s *ast.ForStmt) bool {
	found := false
	for _, part := range []ast.Node{s.Cond, s.Post} {
		if part == nil {
			continue
		}
		ast.Inspect(part, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncLit:
				return false
			case *ast.IndexExpr:
				_, isMap := l.typeOf(n.X).Underlying().(*types.Map)
				found = found || !isMap
			case *ast.StarExpr, *ast.SliceExpr, *ast.TypeAssertExpr:
				found = true
			case *ast.SelectorExpr:
				sel := l.fn.info.Selections[n]
				found = found || sel != nil && sel.Kind() == types.FieldVal && (sel.Indirect() || isPointer(l.typeOf(n.X)))
			case *ast.BinaryExpr:
				found = found || (n.Op == token.QUO || n.Op == token.REM) && l.fn.info.Types[n.Y].Value == nil
			}
			return !found
		})
	}
	return found
}

// post translates the statement between rounds; its code has no separate place.
func (l *lowering) post(s ast.Stmt) {
	switch s := s.(type) {
	case *ast.IncDecStmt:
		l.incDec(s)
	case *ast.AssignStmt:
		l.assign(s)
	default:
		l.stmt(s)
	}
}

// simple reports a single statement that may be in the head of a for, or none.
func simple(text string) bool {
	n := 0
	for _, c := range text {
		if c == '\n' {
			n++
		}
	}
	return n <= 1 && (text == "" || text[0] != '/' && !hasPrefix(text, "var ") && !hasPrefix(text, "if "))
}

func hasPrefix(s, p string) bool { return len(s) >= len(p) && s[:len(p)] == p }

func trimLine(text string) string {
	if n := len(text); n > 0 && text[n-1] == '\n' {
		return text[:n-1]
	}
	return text
}

// renewal writes the copies of a loop's variables for the next round.
func (l *lowering) renewal(s *ast.ForStmt) string {
	a, ok := s.Init.(*ast.AssignStmt)
	if !ok || a.Tok != token.DEFINE {
		return ""
	}
	return l.apart(func() {
		for _, e := range a.Lhs {
			id, _ := e.(*ast.Ident)
			o := l.fn.info.Defs[id]
			if o == nil || !l.boxed(o) {
				continue
			}
			t := l.subst(o.Type())
			name := l.name(o)
			v := l.temp()
			l.line("var " + v + " " + l.typ(t) + " = " + l.unbox(name, t))
			l.line(name + " = new(" + l.box(t) + ")")
			l.line(l.unbox(name, t) + " = " + v)
		}
	})
}

// rangeStmt translates a range. The author's variables are never the interpreter's own loop
// variables where it matters: the interpreter counts with the first, does not set existing
// ones, and has one for all rounds.
func (l *lowering) rangeStmt(s *ast.RangeStmt, label types.Object) {
	t := l.typeOf(s.X)
	u := t.Underlying()
	if b, ok := u.(*types.Basic); ok && b.Info()&types.IsInteger != 0 {
		l.rangeInt(s, label)
		return
	}
	if _, ok := u.(*types.Signature); ok {
		l.refuse(s.X.Pos(), "a range over a function", "call it with a function that does what the body does")
	}
	if p, ok := u.(*types.Pointer); ok && (s.Value == nil || isBlank(s.Value)) {
		a, _ := p.Elem().Underlying().(*types.Array)
		l.discard(s.X, l.expr(s.X))
		l.count(s, label, strconv.FormatInt(a.Len(), 10), types.Typ[types.Int])
		return
	}
	x := l.rangeOver(s.X, u)
	key, keyCode := l.iterator(s, s.Key)
	value, valueCode := l.iterator(s, s.Value)
	setKey, setValue := key, value
	if isString(u) {
		x, key, value, keyCode = l.characters(x, key, value, keyCode)
	}
	if value != "" && key == "" {
		key = "_"
	}
	head := "for range " + x
	switch {
	case value == "_" && key == "_":
		v := l.temp()
		head = "for " + v + ", _ := range " + x
	case value != "" && value != "_":
		head = "for " + key + ", " + value + " := range " + x
	case key != "" && key != "_":
		head = "for " + key + " := range " + x
	default:
		v := l.temp()
		head = "for " + v + " := range " + x
	}
	l.enter(s, label, true, nil, func() {
		l.block(head, func() {
			keyCode()
			valueCode()
			l.assigned(s, setKey, setValue)
			l.stmts(s.Body.List)
		})
	})
}

// characters makes a range over a string visit its characters, or their positions: with the
// index alone the interpreter counts characters, and positions after bytes that are not
// UTF-8 are wrong.
func (l *lowering) characters(x, key, value string, keyCode func()) (string, string, string, func()) {
	starts := l.temp()
	noKey, noValue := key == "" || key == "_", value == "" || value == "_"
	switch {
	case noValue:
		l.line(starts + " := " + l.host() + ".Starts(" + x + ")")
		if noKey {
			return starts, "_", "_", keyCode
		}
		return starts, "_", key, keyCode
	case noKey:
		l.line(starts + " := " + l.host() + ".Runes(" + x + ")")
		return starts, "_", value, keyCode
	}
	l.line(starts + " := " + l.host() + ".Starts(" + x + ")")
	runes, at := l.temp(), l.temp()
	l.line(runes + " := " + l.host() + ".Runes(" + x + ")")
	return runes, at, value, func() {
		l.line(key + " := " + starts + "[" + at + "]")
		keyCode()
	}
}

func isString(t types.Type) bool {
	b, ok := t.(*types.Basic)
	return ok && b.Info()&types.IsString != 0
}

// rangeOver makes the code of the operand of a range.
func (l *lowering) rangeOver(e ast.Expr, u types.Type) string {
	if _, ok := u.(*types.Pointer); ok {
		p := l.steady(l.expr(e), l.typeOf(e))
		v := l.temp()
		l.line(v + " := (*" + p.text + ")[:]")
		return v
	}
	if tv := l.fn.info.Types[e]; tv.Value != nil {
		return l.hold(l.constant(tv.Value, types.Default(tv.Type), true), types.Default(tv.Type)).text
	}
	c := l.expr(e)
	if c.p == atom {
		return c.text
	}
	return l.hold(c, l.typeOf(e)).text
}

// iterator returns the variable of a range in Core, or "", and writes the code that sets
// the author's variable.
func (l *lowering) iterator(s *ast.RangeStmt, e ast.Expr) (string, func()) {
	nothing := func() {}
	if e == nil {
		return "", nothing
	}
	id, isIdent := ast.Unparen(e).(*ast.Ident)
	if isIdent && id.Name == "_" {
		return "_", nothing
	}
	if s.Tok == token.DEFINE {
		o := l.fn.info.Defs[id]
		if o == nil {
			return "_", nothing
		}
		if v := l.variable(o); !l.boxed(o) && !v.written {
			return l.name(o), nothing
		}
		v := l.temp()
		return v, func() { l.declare(l.name(o), o.Type(), code{v, atom}, l.boxed(o)) }
	}
	return l.temp(), nothing // assigned sets it
}

// assigned sets the variables of a range with =, both after everything from which they are
// computed is read.
func (l *lowering) assigned(s *ast.RangeStmt, key, value string) {
	if s.Tok != token.ASSIGN {
		return
	}
	lhs := []ast.Expr{s.Key}
	names := []string{key}
	if s.Value != nil {
		lhs, names = append(lhs, s.Value), append(names, value)
	}
	var places []place
	for _, e := range lhs {
		places = append(places, l.frozen(e, lhs))
	}
	for i, p := range places {
		if p.blank {
			continue
		}
		from := l.rangeType(s, i == 0)
		l.set(p, l.steady(l.convert(code{names[i], atom}, from, l.typeOf(lhs[i]), nil), from), l.typeOf(lhs[i]))
	}
}

// rangeType is the type of the keys or the values of a range.
func (l *lowering) rangeType(s *ast.RangeStmt, key bool) types.Type {
	switch u := deref2(l.typeOf(s.X)).Underlying().(type) {
	case *types.Map:
		if key {
			return u.Key()
		}
		return u.Elem()
	case *types.Chan:
		return u.Elem()
	case *types.Slice:
		if !key {
			return u.Elem()
		}
	case *types.Array:
		if !key {
			return u.Elem()
		}
	case *types.Basic:
		if !key {
			return types.Typ[types.Rune]
		}
	}
	return types.Typ[types.Int]
}

// rangeInt translates a range over an integer.
func (l *lowering) rangeInt(s *ast.RangeStmt, label types.Object) {
	t := l.typeOf(s.X)
	if b, ok := t.(*types.Basic); ok && b.Info()&types.IsUntyped != 0 {
		t = types.Typ[types.Int]
		if s.Key != nil && !isBlank(s.Key) {
			t = l.typeOf(s.Key)
		}
	}
	var n string
	if tv := l.fn.info.Types[s.X]; tv.Value != nil {
		n = l.constant(tv.Value, t, true).text
		n = l.holdAs(code{n, constantCode}, t).text
	} else {
		n = l.holdAs(l.expr(s.X), t).text
	}
	l.count(s, label, n, t)
}

// count writes a range from zero up to a number.
func (l *lowering) count(s *ast.RangeStmt, label types.Object, n string, t types.Type) {
	i, body := l.iterator(s, s.Key)
	if i == "" || i == "_" {
		i = l.temp()
	}
	l.line("var " + i + " " + l.typ(t))
	l.enter(s, label, true, nil, func() {
		l.block("for ; "+i+" < "+n+"; "+i+"++", func() {
			body()
			l.assigned(s, i, "")
			l.stmts(s.Body.List)
		})
	})
}

func isBlank(e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == "_"
}

// selectStmt translates a select: it only chooses, and an if chain after it runs the chosen
// clause. In the interpreter a break in a select leaves the loop around it, or hangs.
func (l *lowering) selectStmt(s *ast.SelectStmt, label types.Object) {
	if len(s.Body.List) == 0 {
		l.line("select {}")
		return
	}
	l.leavable(s, label, func() {
		which := l.temp()
		l.line("var " + which + " int")
		bodies := make([]func(), len(s.Body.List))
		var heads []string
		for i, stmt := range s.Body.List {
			clause, _ := stmt.(*ast.CommClause)
			head, chosen, body := l.commClause(clause)
			heads = append(heads, head+":\n"+which+" = "+strconv.Itoa(i)+"\n"+chosen)
			bodies[i] = body
		}
		l.line("select {")
		for _, h := range heads {
			l.fn.out.WriteString(h)
		}
		l.line("}")
		for i := range bodies {
			if i > 0 {
				l.line("} else {")
			}
			l.line("if " + which + " == " + strconv.Itoa(i) + " {")
			bodies[i]()
		}
		for range bodies {
			l.line("}")
		}
	})
}

// commClause returns the head of a clause, the code in the select when it is chosen, and
// the code after it.
func (l *lowering) commClause(c *ast.CommClause) (head, chosen string, body func()) {
	body = func() { l.stmts(c.Body) }
	switch comm := c.Comm.(type) {
	case nil:
		return "default", "", body
	case *ast.SendStmt:
		ch := l.hold(l.expr(comm.Chan), l.typeOf(comm.Chan))
		t, _ := l.typeOf(comm.Chan).Underlying().(*types.Chan)
		v := l.holdAs(l.to(comm.Value, t.Elem()), t.Elem())
		return "case " + ch.text + " <- " + v.text, "", body
	case *ast.ExprStmt:
		ch := l.channel(comm.X)
		return "case <-" + ch, "", body
	case *ast.AssignStmt:
		ch := l.channel(comm.Rhs[0])
		u, _ := ast.Unparen(comm.Rhs[0]).(*ast.UnaryExpr)
		t, _ := l.typeOf(u.X).Underlying().(*types.Chan)
		got, into := l.temp(), l.temp()
		l.line("var " + into + " " + l.typ(t.Elem()))
		values, from := []code{{into, atom}}, []types.Type{t.Elem()}
		head, chosen = "case "+got+" := <-"+ch, into+" = "+got+"\n"
		if len(comm.Lhs) == 2 {
			gotOK, ok := l.temp(), l.temp()
			l.line("var " + ok + " bool")
			head = "case " + got + ", " + gotOK + " := <-" + ch
			chosen += ok + " = " + gotOK + "\n"
			values, from = append(values, code{ok, atom}), append(from, types.Typ[types.Bool])
		}
		return head, chosen, func() {
			for i, e := range comm.Lhs {
				l.take(e, comm.Tok, values[i], from[i])
			}
			l.stmts(c.Body)
		}
	}
	l.refuse(c.Pos(), "a case that cannot be translated", "write it otherwise")
	return "", "", nil
}

func (l *lowering) channel(e ast.Expr) string {
	u, _ := ast.Unparen(e).(*ast.UnaryExpr)
	return l.hold(l.expr(u.X), l.typeOf(u.X)).text
}

// take stores a value in a variable that is declared or set.
func (l *lowering) take(e ast.Expr, tok token.Token, c code, from types.Type) {
	if tok == token.DEFINE {
		id, _ := e.(*ast.Ident)
		l.receive(id, c, nil)
		return
	}
	p := l.target(e)
	if !p.blank {
		l.set(p, l.steady(l.convert(c, from, l.typeOf(e), nil), from), l.typeOf(e))
	}
}
