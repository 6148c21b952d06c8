package generate

import (
	"fmt"
	"go/types"
	"strconv"
	"strings"
)

// texts are what strings are made of.
func texts() []string {
	return []string{"", "a", "b", "ab", "cpu0", "x=1;y=2", "héllo", "日本語", "a b  c", "12", "-7.5", "eth0:", "/var/log", "ok\n", "\x00z", "ß", "1,2,3", "error: no", "𝄞"}
}

func (g *gen) text() string { return strconv.Quote(pick(g, texts()...)) }

// constant returns an untyped constant for t where there is one.
func (g *gen) constant(t types.Type) ex {
	switch {
	case isTruth(t):
		return ex{pick(g, "true", "false"), 7, true}
	case isText(t):
		return ex{g.text(), 7, true}
	case isFloat(t):
		if g.chance(30) {
			return ex{strconv.Itoa(g.r.Intn(9)), 7, true}
		}
		return ex{pick(g, "0.5", "1.25", "2.0", "99.9", "1e3", "0.1", "3.75", "1e-3", "7.", ".5"), 7, true}
	case isUnsigned(t):
		return ex{pick(g, strconv.Itoa(g.r.Intn(10)), strconv.Itoa(g.r.Intn(128)), "'a'", "0x1f"), 7, true}
	}
	if g.chance(15) {
		return ex{"-" + strconv.Itoa(g.between(1, 20)), 6, true}
	}
	return ex{pick(g, strconv.Itoa(g.r.Intn(10)), strconv.Itoa(g.r.Intn(10)), strconv.Itoa(g.r.Intn(100)), "'b'", "0b101", "1_00"), 7, true}
}

// typedConstant is a constant of exactly the type t.
func (g *gen) typedConstant(t types.Type) ex {
	e := g.constant(t)
	switch {
	case namedOf(t) != nil:
	case types.Identical(t, tBool), types.Identical(t, tString):
		return e
	case types.Identical(t, tInt):
		if !strings.Contains(e.s, "'") {
			return e
		}
	case types.Identical(t, tFloat):
		if strings.ContainsAny(e.s, ".e") {
			return e
		}
	}
	return ex{fmt.Sprintf("%s(%s)", g.ts(t), e.s), 7, true}
}

// literal returns a literal of type t.
func (g *gen) literal(t types.Type, depth int) ex {
	switch u := under(t).(type) {
	case *types.Basic:
		if isFloat(t) && g.chance(15) {
			return g.oddFloat(t)
		}
		return g.typedConstant(t)
	case *types.Struct:
		return operand("%s%s", g.ts(t), g.structBody(u, depth))
	case *types.Slice:
		return operand("%s%s", g.ts(t), g.listBody(u.Elem(), g.between(2, 4), depth, true))
	case *types.Array:
		if u.Len() > 1 && !full(u.Elem()) && g.chance(20) {
			return operand("%s{%d: %s}", g.ts(t), g.r.Intn(int(u.Len())), g.et(u.Elem(), depth-1))
		}
		return operand("%s%s", g.ts(t), g.listBody(u.Elem(), int(u.Len()), depth, false))
	case *types.Map:
		return operand("%s%s", g.ts(t), g.mapBody(u, depth))
	case *types.Pointer:
		return g.pointerTo(u.Elem(), depth)
	case *types.Signature:
		return g.funcLiteral(t, u, depth)
	case *types.Interface:
		return operand("%s(%s)", g.ts(t), g.intoInterface(t, u, depth).s)
	}
	return operand("*new(%s)", g.ts(t))
}

func (g *gen) structBody(u *types.Struct, depth int) string {
	keyed := g.chance(60)
	var parts []string
	for f := range u.Fields() {
		if keyed && !full(f.Type()) && g.chance(30) {
			continue
		}
		value := g.element(f.Type(), depth-1, false)
		if keyed {
			value = f.Name() + ": " + value
		}
		parts = append(parts, value)
	}
	if keyed {
		g.r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// element returns an element of a composite literal, whose type may be left out.
func (g *gen) element(t types.Type, depth int, elide bool) string {
	if elide && g.chance(60) {
		switch u := under(t).(type) {
		case *types.Struct:
			return g.structBody(u, depth)
		case *types.Slice:
			return g.listBody(u.Elem(), g.between(1, 3), depth, true)
		case *types.Map:
			return g.mapBody(u, depth)
		case *types.Array:
			return g.listBody(u.Elem(), int(u.Len()), depth, false)
		case *types.Pointer:
			if s, ok := under(u.Elem()).(*types.Struct); ok && namedOf(t) == nil {
				return g.structBody(s, depth)
			}
		}
	}
	if depth <= 0 {
		if _, ok := under(t).(*types.Interface); !ok && basic(t) == nil {
			if e, ok := g.place(t); ok && g.chance(50) {
				return e.s
			}
			return g.literal(t, 0).s
		}
	}
	return g.et(t, depth)
}

func (g *gen) listBody(elem types.Type, n, depth int, free bool) string {
	var parts []string
	if depth < -2 && free && !full(elem) {
		n = min(n, 1)
	}
	for i := range n {
		s := g.element(elem, depth-1, true)
		if free && !full(elem) && i == n-1 && g.chance(8) {
			s = fmt.Sprintf("%d: %s", n, s)
		}
		parts = append(parts, s)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func (g *gen) mapBody(u *types.Map, depth int) string {
	var parts []string
	seen := make(map[string]bool)
	n := g.r.Intn(4)
	if basic(u.Key()) == nil {
		n = min(n, 1) // which of two equal keys comes last is not specified
	}
	for range n {
		key := g.mapKey(u.Key())
		if seen[key] {
			continue
		}
		seen[key] = true
		parts = append(parts, key+": "+g.element(u.Elem(), depth-1, true))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// mapKey returns a key for a literal: constants must differ, others may not.
func (g *gen) mapKey(t types.Type) string {
	switch {
	case isTruth(t):
		return "true"
	case isText(t):
		return strconv.Quote(pick(g, "a", "b", "c", "cpu", "é"))
	case basic(t) != nil:
		return strconv.Itoa(g.r.Intn(6))
	}
	return g.literal(t, 0).s
}

// pointerTo returns a pointer that is not nil.
func (g *gen) pointerTo(t types.Type, depth int) ex {
	if isStruct(t) {
		e := g.literal(t, depth)
		return ex{"&" + e.s, 6, false}
	}
	if g.chance(50) && !full(t) {
		return operand("new(%s)", g.ts(t))
	}
	if v := g.addressable(t); v != "" {
		return ex{"&" + v, 6, false}
	}
	if full(t) {
		return operand("func() *%s { v := %s; return &v }()", g.ts(t), g.literal(t, depth-1).s)
	}
	return operand("new(%s)", g.ts(t))
}

// addressable returns a variable, or a part of one, whose address may be taken.
func (g *gen) addressable(t types.Type) string {
	var found []string
	for _, v := range g.visible() {
		if v.con || v.least > 0 && types.Identical(v.typ, t) || v.fixed {
			continue
		}
		for _, e := range g.paths(ex{s: v.name, p: 7}, v.typ, t, 2, v.least, false) {
			if !strings.HasPrefix(e.s, "*") {
				found = append(found, e.s)
			}
		}
	}
	if len(found) == 0 {
		return ""
	}
	return pick(g, found...)
}

// funcLiteral returns a func literal.
func (g *gen) funcLiteral(t types.Type, u *types.Signature, depth int) ex {
	var params []*variable
	var list []string
	for v := range u.Params().Variables() {
		name := g.fresh("p")
		params = append(params, &variable{name: name, typ: v.Type()})
		list = append(list, name+" "+g.ts(v.Type()))
	}
	var results []types.Type
	var typeNames []string
	for v := range u.Results().Variables() {
		results = append(results, v.Type())
		typeNames = append(typeNames, g.ts(v.Type()))
	}
	saved := g.fn.times
	g.fn.times = min(20, g.fn.times*4)
	body, _ := g.function(results, -1, params, func() {
		if depth > 0 && g.fn.depth < 4 && g.chance(30) {
			g.block(func() { g.statement() })
		}
		if len(results) > 0 {
			g.fn.last = "return " + g.resultList(results, depth-1)
		}
	})
	g.fn.times = saved
	result := strings.Join(typeNames, ", ")
	if len(typeNames) > 1 {
		result = "(" + result + ")"
	}
	text := fmt.Sprintf("func(%s) %s {\n%s}", strings.Join(list, ", "), result, body)
	if namedOf(t) != nil {
		return operand("%s(%s)", g.ts(t), text)
	}
	return operand("%s", text)
}

func (g *gen) resultList(results []types.Type, depth int) string {
	var list []string
	for _, t := range results {
		list = append(list, g.et(t, depth))
	}
	return strings.Join(list, ", ")
}

// intoInterface returns a value that becomes the interface t.
func (g *gen) intoInterface(t types.Type, u *types.Interface, depth int) ex {
	switch {
	case types.Identical(t, tError):
		return g.errorValue(depth)
	case u.NumMethods() == 0:
		if g.chance(10) {
			return ex{"nil", 7, true}
		}
		vt := g.anyType(1)
		if depth <= 0 {
			vt = g.basicType()
		}
		if _, ok := under(vt).(*types.Signature); ok {
			vt = tInt
		}
		if _, ok := under(vt).(*types.Interface); ok {
			vt = tString
		}
		return g.expr(vt, depth-1)
	}
	list := g.implementers(t)
	if len(list) == 0 {
		if e, ok := g.place(t); ok {
			return e
		}
	}
	return g.expr(pick(g, list...), depth-1)
}

// errorValue returns an error, which may be nil.
func (g *gen) errorValue(depth int) ex {
	switch g.r.Intn(6) {
	case 0:
		return ex{"nil", 7, true}
	case 1:
		g.use("fmt")
		return operand("fmt.Errorf(\"e%%v: %%d\", %s, %s)", g.text(), g.e(tInt, depth-1))
	case 2:
		if len(g.errs) > 0 {
			g.use("fmt")
			return operand("fmt.Errorf(\"w: %%w\", %s)", pick(g, g.errs...))
		}
	case 3:
		if len(g.errs) > 0 {
			return operand("%s", pick(g, g.errs...))
		}
	}
	g.use("errors")
	return operand("errors.New(%s)", g.e(tString, depth-1))
}

// ofLiteral takes a value out of a composite literal.
func (g *gen) ofLiteral(t types.Type, depth int) (ex, bool) {
	if full(t) {
		return ex{}, false
	}
	switch g.r.Intn(5) {
	case 0:
		n := g.between(1, 3)
		return operand("[]%s%s[%d]", g.ts(t), g.listBody(t, n, depth-1, false), g.r.Intn(n)), true
	case 1:
		return operand("map[string]%s{%q: %s}[%q]", g.ts(t), "a", g.et(t, depth-1), pick(g, "a", "b")), true
	case 2:
		return operand("struct{ f %s }{%s}.f", g.ts(t), g.et(t, depth-1)), true
	case 3:
		return operand("[...]%s{%s}[%d]", g.ts(t), g.et(t, depth-1)+", "+g.et(t, depth-1), g.r.Intn(2)), true
	}
	return ex{"*&" + fmt.Sprintf("[]%s{%s}[0]", g.ts(t), g.et(t, depth-1)), 6, false}, true
}

func (g *gen) sliceExpr(t types.Type, u *types.Slice, depth int) ex {
	if e, ok := g.place(t); ok && depth > 0 && e.p == 7 {
		switch g.r.Intn(5) {
		case 0:
			return operand("%s[:len(%s)/2]", e.s, e.s)
		case 1:
			return operand("%s[len(%s)/2:]", e.s, e.s)
		case 2:
			return operand("%s[:len(%s)/2:len(%s)/2]", e.s, e.s, e.s)
		}
		if g.fn.times == 1 || g.chance(50) {
			g.helper("clip", "")
			return operand("append(%s, %s)", e.s, g.et(u.Elem(), depth-1))
		}
		return operand("append(%s(nil), %s...)", g.ts(t), e.s)
	}
	return g.literal(t, depth)
}
