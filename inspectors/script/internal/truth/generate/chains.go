package generate

import (
	"fmt"
	"go/types"
)

// chainKinds are values that are used where they come about: of calls, literals
// and conversions, without a variable in between.
func chainKinds() []statement {
	return []statement{
		{"callresult", 4, (*gen).callResult},
		{"methodchain", 4, (*gen).methodChain},
		{"multicall", 4, (*gen).multiCall},
		{"throughpointer", 3, (*gen).throughPointer},
		{"arraylength", 2, (*gen).arrayLength},
		{"bytes", 3, (*gen).bytesOf},
		{"worklist", 3, (*gen).workList},
		{"statemachine", 3, (*gen).stateMachine},
		{"records", 4, (*gen).records},
		{"accumulate", 4, (*gen).accumulate},
		{"options", 2, (*gen).options},
		{"earlyreturn", 3, (*gen).earlyReturn},
		{"nestedfuncs", 3, (*gen).nestedFuncs},
		{"tree", 2, (*gen).tree},
		{"retries", 2, (*gen).retries},
		{"window", 2, (*gen).window},
	}
}

// callResult selects, indexes, calls and dereferences what calls return.
func (g *gen) callResult() {
	t := g.basicType()
	typ := g.ts(t)
	h := "made" + g.fresh("")
	g.use("fmt")
	g.helper(h, fmt.Sprintf("type box%s struct {\n\tv %s\n\tl []%s\n\tm map[string]%s\n\tf func(%s) %s\n\ta [2]%s\n}\n\nfunc %s(v %s) box%s {\n\treturn box%s{v, []%s{v, v}, map[string]%s{\"a\": v}, func(w %s) %s { return w }, [2]%s{1: v}}\n}\n\nfunc p%s(v %s) *box%s { b := %s(v); return &b }\n",
		h, typ, typ, typ, typ, typ, typ, h, typ, h, h, typ, typ, typ, typ, typ, h, typ, h, h))
	f := pick(g, h, "p"+h)
	v := func() string { return f + "(" + g.et(t, 1) + ")" }
	g.p("fmt.Println(%s.v, %s.l[1], %s.m[\"a\"], %s.f(%s), %s.a[%d])", v(), v(), v(), v(), g.et(t, 1), v(), g.r.Intn(2))
	if g.chance(50) {
		g.p("for i, e := range %s.l {\nfmt.Println(i, e)\n}", v())
	}
	if g.chance(50) {
		g.p("p%s(%s).v = %s\nfmt.Println((*p%s(%s)).v, []box%s{%s(%s)}[0].v, len(%s.l[1:]))", h, g.et(t, 1), g.et(t, 1), h, g.et(t, 1), h, h, g.et(t, 1), v())
	}
}

// methodChain calls methods of literals, conversions and results.
func (g *gen) methodChain() {
	g.use("fmt")
	g.helper("query", "type query struct {\n\twhere []string\n\tlimit int\n}\n\nfunc (q query) and(s string) query {\n\tq.where = append(q.where[:len(q.where):len(q.where)], s)\n\treturn q\n}\n\nfunc (q *query) max(n int) *query { q.limit = n; return q }\n\nfunc (q query) String() string { return fmt.Sprint(q.where, q.limit) }\n")
	switch g.r.Intn(5) {
	case 0:
		g.p("fmt.Println(query{}.and(%s).and(%s).String())", g.e(tString, 1), g.text())
	case 1:
		g.p("fmt.Println((&query{limit: 1}).max(%s).max(%d).and(\"z\").String())", g.et(tInt, 1), g.r.Intn(9))
	case 2:
		q := g.fresh("q")
		g.p("%s := query{}.and(\"a\")\na%s, b%s := %s.and(%s), %s.and(%s)\n%s.max(7)\nfmt.Println(a%s.String(), b%s.String(), %s.String())", q, q, q, q, g.text(), q, g.text(), q, q, q, q)
	case 3:
		q := g.fresh("list")
		g.p("%s := []query{{}, {limit: 2}}\nfor i := range %s {\n%s[i].max(i + 10)\n}\nfor _, q := range %s {\nq.max(99)\nq = q.and(\"x\")\nfmt.Println(q.String())\n}\nfmt.Println(%s[0].String(), len(%s[1].where))", q, q, q, q, q, q)
	default:
		q := g.fresh("m")
		g.p("%s := map[string]*query{\"a\": {}, \"b\": {limit: 3}}\n%s[\"a\"].max(%s).limit++\n%s[\"b\"].where = append(%s[\"b\"].where, %s)\nfmt.Println(%s[\"a\"].String(), %s[\"b\"].and(\"k\").String())", q, q, g.et(tInt, 1), q, q, g.text(), q, q)
	}
}

// multiCall passes several results on as arguments and results.
func (g *gen) multiCall() {
	t1, t2 := g.basicType(), g.basicType()
	a, b := g.ts(t1), g.ts(t2)
	h := "two" + g.fresh("")
	g.use("fmt")
	g.helper(h, fmt.Sprintf("func %s(x %s, y %s) (%s, %s) { return x, y }\n\nfunc swap%s(x %s, y %s) (%s, %s) { return y, x }\n\nfunc again%s(x %s, y %s) (%s, %s) { return %s(%s(x, y)) }\n", h, a, b, a, b, h, a, b, b, a, h, a, b, a, b, h, h))
	x, y := g.fresh("x"), g.fresh("y")
	switch g.r.Intn(4) {
	case 0:
		g.p("fmt.Println(swap%s(again%s(%s, %s)))", h, h, g.et(t1, 1), g.et(t2, 1))
	case 1:
		g.p("%s, %s := again%s(%s, %s)\n%s, _ = %s(%s, %s)", x, y, h, g.et(t1, 1), g.et(t2, 1), x, h, g.et(t1, 1), y)
		g.declare(x, t1)
		g.declare(y, t2)
	case 2:
		g.p("var %s %s\n%s := func() (r1 %s, r2 %s) { r1, r2 = %s(%s, %s); return }\n%s, w%s := %s()\nfmt.Println(%s, w%s)", x, a, y, a, b, h, g.et(t1, 1), g.et(t2, 1), x, x, y, x, x)
	default:
		g.p("s%s := struct {\na %s\nb []%s\n}{b: make([]%s, 2)}\ns%s.a, s%s.b[1] = %s(%s, %s)\nfmt.Println(s%s.a, s%s.b[1])", x, a, b, b, x, x, h, g.et(t1, 1), g.et(t2, 1), x, x)
	}
}

// throughPointer sets what pointers lead to.
func (g *gen) throughPointer() {
	g.use("fmt")
	g.helper("rack", "type slot struct {\n\tn    int\n\ttags []string\n}\n\ntype rack struct {\n\tslots [3]slot\n\tfirst *slot\n\tbyID  map[int]*slot\n\tnext  *rack\n}\n\nfunc newRack(n int) *rack {\n\tr := &rack{byID: map[int]*slot{}}\n\tfor i := range r.slots {\n\t\tr.slots[i].n = n + i\n\t\tr.byID[i] = &r.slots[i]\n\t}\n\tr.first = &r.slots[0]\n\treturn r\n}\n")
	r := g.fresh("r")
	g.p("%s := newRack(%s)\n%s.next = newRack(3)", r, g.et(tInt, 1), r)
	for range g.between(2, 4) {
		g.p("%s", pick(g, r+".first.n++", r+".byID[1].n *= 2", r+".next.slots[2].n, "+r+".first.n = 7, 8", r+".slots[1] = *"+r+".first",
			r+".first.tags = append("+r+".first.tags, \"x\")", "*"+r+".byID[2] = slot{n: 40}", r+".next.first = &"+r+".slots[2]", r+".next.first.n -= 5",
			r+".first, "+r+".byID[0] = "+r+".byID[2], "+r+".first", "for _, s := range "+r+".slots {\ns.n = 0\n}", "for i := range "+r+".next.slots {\n"+r+".next.slots[i].n += i\n}",
			"if s := "+r+".byID[7]; s == nil {\n"+r+".byID[7] = new(slot)\n}", "(*"+r+").slots[0].n += 100", "p := &"+r+".slots[1].n\n*p += 3\nq := &p\n**q *= 2"))
		if g.chance(20) {
			break
		}
	}
	g.p("fmt.Println(%s.slots[0].n, %s.slots[1].n, %s.slots[2].n, %s.first.n, len(%s.first.tags), len(%s.byID), %s.next.first.n, %s.next.slots[2].n)", r, r, r, r, r, r, r, r)
}

// arrayLength has constants as lengths and indices of arrays.
func (g *gen) arrayLength() {
	g.use("fmt")
	k, a := "size"+g.fresh(""), g.fresh("a")
	g.helper(k, fmt.Sprintf("const %s = %d\n", k, g.between(2, 4)))
	t := g.basicType()
	g.p("var %s [%s]%s\n%s[%s-1] = %s\nb%s := [...]%s{%s - 1: %s}\nfmt.Println(len(%s), len(b%s), %s == b%s, %s[%s-1])", a, k, g.ts(t), a, k, g.et(t, 1), a, g.ts(t), k, g.et(t, 1), a, a, a, a, a, k)
	if g.chance(50) {
		g.p("s%s := %s[:]\ns%s[0] = %s\nfmt.Println(%s[0], len(s%s), cap(s%s[1:]))", a, a, a, g.et(t, 1), a, a, a)
	}
}

// bytesOf works on bytes and text.
func (g *gen) bytesOf() {
	g.use("fmt")
	b := g.fresh("b")
	g.p("%s := append([]byte(%s), %s...)", b, g.e(tString, 1), g.e(tString, 1))
	switch g.r.Intn(5) {
	case 0:
		g.p("n%s := copy(%s, %s)\nfmt.Println(n%s, string(%s))", b, b, g.text(), b, b)
	case 1:
		g.p("for i, c := range %s {\nswitch {\ncase c >= 'a' && c <= 'z', c == ' ':\n%s[i] = c - 'a' + 'A'\ncase c > 127:\n%s[i] = '?'\n}\n}\nfmt.Println(string(%s))", b, b, b, b)
	case 2:
		g.p("sum%s := byte(0)\nfor _, c := range %s {\nsum%s ^= c<<1 | c>>7\n}\nfmt.Println(sum%s, len(%s))", b, b, b, b, b)
	case 3:
		g.use("bytes")
		g.p("fmt.Println(bytes.Count(%s, []byte(\"a\")), string(bytes.ToUpper(%s)), bytes.Equal(%s, []byte(%s)), bytes.IndexByte(%s, 'b'))", b, b, b, g.text(), b)
	default:
		g.p("%s = append(%s, 'x', 10, byte(len(%s)))\nfmt.Printf(\"%%q %%x %%v\\n\", %s, %s, %s[len(%s)-1])", b, b, b, b, b, b, b)
	}
}

// workList takes work from a list that grows.
func (g *gen) workList() {
	g.use("fmt")
	q := g.fresh("queue")
	g.p("%s := []int{%d, %d}\nseen%s := map[int]bool{}\nfor len(%s) > 0 {\nn := %s[0]\n%s = %s[1:]\nif seen%s[n] || n > %d {\ncontinue\n}\nseen%s[n] = true\n%s\n}\nfmt.Println(len(seen%s), seen%s[4])",
		q, g.between(1, 3), g.between(1, 5), q, q, q, q, q, q, g.between(8, 20), q, pick(g, q+" = append("+q+", n*2, n+3)", "for _, d := range [...]int{1, 4} {\n"+q+" = append("+q+", n+d)\n}", "if n%2 == 0 {\n"+q+" = append([]int{n + 1}, "+q+"...)\n} else {\n"+q+" = append("+q+", n*3)\n}"), q, q)
}

// stateMachine walks through text with a state that has its own type.
func (g *gen) stateMachine() {
	g.use("fmt")
	g.helper("mode", "type mode uint8\n\nconst (\n\toutside mode = iota\n\tword\n\tquoted\n)\n\nfunc (m mode) String() string { return [...]string{\"outside\", \"word\", \"quoted\"}[m] }\n\nfunc tokens(s string) (list []string, last mode) {\n\tvar cur []rune\n\tflush := func() {\n\t\tif len(cur) > 0 {\n\t\t\tlist = append(list, string(cur))\n\t\t}\n\t\tcur = cur[:0]\n\t}\n\tm := outside\n\tfor _, r := range s {\n\t\tswitch {\n\t\tcase m == quoted && r != '\"', m == word && r != ' ' && r != '=':\n\t\t\tcur = append(cur, r)\n\t\tcase r == '\"':\n\t\t\tflush()\n\t\t\tif m == quoted {\n\t\t\t\tm = outside\n\t\t\t} else {\n\t\t\t\tm = quoted\n\t\t\t}\n\t\tcase r == ' ', r == '=':\n\t\t\tflush()\n\t\t\tm = outside\n\t\tdefault:\n\t\t\tm = word\n\t\t\tcur = append(cur, r)\n\t\t}\n\t}\n\tflush()\n\treturn list, m\n}\n")
	x := g.fresh("l")
	g.p("%s, m%s := tokens(%s)\nfmt.Println(len(%s), %s, m%s, m%s == quoted)", x, x, pick(g, "`a=1 b=\"x y\" c`", "`\"open é`", "\"  \"", g.e(tString, 1)), x, x, x, x)
}

// records groups rows by a key, as most inspectors do.
func (g *gen) records() {
	g.use("fmt")
	g.use("strings")
	g.use("sort")
	g.use("strconv")
	h := "record" + g.fresh("")
	t := pick[types.Type](g, tInt, tFloat, types.Typ[types.Int64])
	parse := map[types.Type]string{tInt: "strconv.Atoi(f[1])", tFloat: "strconv.ParseFloat(f[1], 64)", types.Typ[types.Int64]: "strconv.ParseInt(f[1], 10, 64)"}[t]
	g.helper(h, fmt.Sprintf("type %s struct {\n\tname string\n\tn    int\n\tsum, top %s\n}\n\nfunc (r *%s) add(v %s) {\n\tr.n++\n\tr.sum += v\n\tif r.n == 1 || v > r.top {\n\t\tr.top = v\n\t}\n}\n\nfunc group%s(text string) (list []%s, bad []string) {\n\tby := map[string]*%s{}\n\tfor i, line := range strings.Split(text, \"\\n\") {\n\t\tf := strings.Fields(line)\n\t\tif len(f) != 2 {\n\t\t\tif line != \"\" {\n\t\t\t\tbad = append(bad, fmt.Sprintf(\"%%d: %%q\", i+1, line))\n\t\t\t}\n\t\t\tcontinue\n\t\t}\n\t\tv, err := %s\n\t\tif err != nil {\n\t\t\tbad = append(bad, err.Error())\n\t\t\tcontinue\n\t\t}\n\t\tr, ok := by[f[0]]\n\t\tif !ok {\n\t\t\tr = &%s{name: f[0]}\n\t\t\tby[f[0]] = r\n\t\t}\n\t\tr.add(v)\n\t}\n\tfor _, r := range by {\n\t\tlist = append(list, *r)\n\t}\n\tsort.Slice(list, func(i, j int) bool { return list[i].name < list[j].name })\n\treturn list, bad\n}\n", h, g.ts(t), h, g.ts(t), h, h, h, parse, h))
	x := g.fresh("l")
	g.p("%s, bad%s := group%s(%s)\nfor _, r := range %s {\nfmt.Println(r.name, r.n, r.sum, r.top)\n}\nfmt.Println(bad%s)", x, x, h, pick(g, `"sda 5\nsdb 7\nsda 9\n"`, `"a 1\nb x\nc 2 3\na -4"`, `"eth0 1.5\neth0 2\n"`), x, x)
}

// accumulate keeps the best, the sum and the count of what passes a test.
func (g *gen) accumulate() {
	g.use("fmt")
	list, elem := g.list(func(t types.Type) bool { return isNumber(t) && namedOf(t) == nil })
	sum, n, best := g.fresh("sum"), g.fresh("n"), g.fresh("best")
	e := g.ts(elem)
	g.p("var %s, %s %s\n%s := 0\nfor i, v := range %s {", sum, best, e, n, list)
	g.p("%s", pick(g, "if v > 50 && i > 0 {\ncontinue\n}", "switch {\ncase v == 0, i > 5:\ncontinue\ncase v > 90:\nv = 90\n}", "if i == 0 || v > "+best+" {\n"+best+" = v\n}", "if i < 9 {\nv /= 2\n}"))
	g.p("%s += v\n%s++\n%s = v\n}\nfmt.Println(%s, %s, %s)", sum, n, best, sum, n, best)
	g.declare(sum, elem)
	g.declare(n, tInt)
}

// options sets fields by funcs that are passed on.
func (g *gen) options() {
	g.use("fmt")
	g.helper("settings", "type settings struct {\n\tname string\n\tretry int\n\tlog []string\n}\n\ntype option func(*settings)\n\nfunc withName(s string) option { return func(o *settings) { o.name = s } }\n\nfunc withRetry(n int) option {\n\treturn func(o *settings) {\n\t\to.retry += n\n\t\to.log = append(o.log, fmt.Sprint(\"retry \", n))\n\t}\n}\n\nfunc configure(list ...option) (s settings) {\n\ts.retry = 1\n\tfor _, o := range list {\n\t\tif o != nil {\n\t\t\to(&s)\n\t\t}\n\t}\n\treturn s\n}\n")
	x := g.fresh("s")
	g.p("%s := configure(%s)\nfmt.Println(%s.name, %s.retry, %s.log)", x, pick(g, "", "withName("+g.text()+")", "withRetry(2), nil, withName(\"n\")", "append([]option{withRetry("+g.et(tInt, 1)+")}, withRetry(1))...", "func(s *settings) { s.name += \"!\" }, withRetry(3)"), x, x, x)
}

// earlyReturn leaves functions from within loops, switches and selects.
func (g *gen) earlyReturn() {
	h := "find" + g.fresh("")
	g.use("fmt")
	body := pick(g,
		"for i, v := range list {\n\t\tswitch {\n\t\tcase v == want:\n\t\t\treturn i, true\n\t\tcase v > 50:\n\t\t\tbreak\n\t\tdefault:\n\t\t\tcontinue\n\t\t}\n\t\tat += v\n\t}\n\treturn at, false",
		"outer:\n\tfor i := range list {\n\t\tfor j := range list {\n\t\t\tif list[i]+list[j] == want {\n\t\t\t\treturn i*10 + j, true\n\t\t\t}\n\t\t\tif list[j] > want {\n\t\t\t\tcontinue outer\n\t\t\t}\n\t\t\tat++\n\t\t}\n\t}\n\treturn",
		"for {\n\t\tif at >= len(list) {\n\t\t\treturn -1, false\n\t\t}\n\t\tif list[at] == want {\n\t\t\tbreak\n\t\t}\n\t\tat++\n\t}\n\tok = true\n\treturn at, ok",
		"defer func() {\n\t\tif !ok {\n\t\t\tat = -1\n\t\t}\n\t}()\n\tfor at = range list {\n\t\tif ok = list[at] == want; ok {\n\t\t\treturn\n\t\t}\n\t}\n\treturn at, false",
		"if len(list) == 0 {\n\t\treturn\n\t}\n\tif n, found := "+h+"(list[1:], want); found {\n\t\treturn n + 1, true\n\t} else if list[0] == want {\n\t\treturn 0, true\n\t} else {\n\t\treturn n, false\n\t}",
		"switch want {\n\tcase list[0]:\n\t\treturn 0, true\n\tcase list[1], list[len(list)-1]:\n\t\tat = 1\n\t\tfallthrough\n\tdefault:\n\t\tat += 5\n\t}\n\treturn at, at == 6")
	g.helper(h, fmt.Sprintf("func %s(list []int, want int) (at int, ok bool) {\n\t%s\n}\n", h, body))
	g.p("fmt.Println(%s([]int{3, 60, %d, 9}, %d))\nfmt.Println(%s([]int{%s, 2}, 2))", h, g.r.Intn(9), pick(g, 9, 3, 12, 100, 69), h, g.et(tInt, 1))
}

// nestedFuncs nests literals that share variables of every level.
func (g *gen) nestedFuncs() {
	g.use("fmt")
	x := g.fresh("n")
	t := pick[types.Type](g, tInt, tString, tFloat)
	g.p("%s := %s", x, g.e(t, 1))
	g.declare(x, t).used = true
	c := g.typedConstant(t).s
	g.p("%s", pick(g,
		fmt.Sprintf("f%[1]s := func(d %[2]s) func() %[2]s {\ne := d\nreturn func() %[2]s {\n%[1]s += d\ne += %[1]s\nreturn e\n}\n}\na%[1]s, b%[1]s := f%[1]s(%[3]s), f%[1]s(%[3]s)\nfmt.Println(a%[1]s(), b%[1]s(), a%[1]s(), %[1]s)", x, g.ts(t), c),
		fmt.Sprintf("func() {\n%[1]s := %[1]s + %[3]s\nfunc() {\n%[1]s += %[3]s\ndefer func() { fmt.Println(\"in\", %[1]s) }()\n%[1]s += %[3]s\n}()\nfmt.Println(\"mid\", %[1]s)\n}()\nfmt.Println(\"out\", %[1]s)", x, g.ts(t), c),
		fmt.Sprintf("var fs%[1]s [3]func()\nfor i := range fs%[1]s {\nlocal := %[1]s\nfs%[1]s[i] = func() { local += %[3]s; %[1]s += local; fmt.Println(i, local, %[1]s) }\n}\nfs%[1]s[2]()\nfs%[1]s[0]()\nfs%[1]s[2]()", x, g.ts(t), c),
		fmt.Sprintf("p%[1]s := &%[1]s\nset%[1]s := func(v %[2]s) { *p%[1]s = v }\nget%[1]s := func() %[2]s { return %[1]s }\nset%[1]s(%[3]s)\nfmt.Println(get%[1]s(), %[1]s)\n%[1]s += %[3]s\nfmt.Println(get%[1]s() == *p%[1]s)", x, g.ts(t), c)))
}

// tree builds a tree and walks it in several ways.
func (g *gen) tree() {
	g.use("fmt")
	g.helper("tree", "type tree struct {\n\tleft, right *tree\n\tkey         string\n\tn           int\n}\n\nfunc (t *tree) put(key string) *tree {\n\tswitch {\n\tcase t == nil:\n\t\treturn &tree{key: key, n: 1}\n\tcase key < t.key:\n\t\tt.left = t.left.put(key)\n\tcase key > t.key:\n\t\tt.right = t.right.put(key)\n\tdefault:\n\t\tt.n++\n\t}\n\treturn t\n}\n\nfunc (t *tree) each(visit func(*tree) bool) bool {\n\treturn t == nil || t.left.each(visit) && visit(t) && t.right.each(visit)\n}\n\nfunc (t *tree) depth() int {\n\tif t == nil {\n\t\treturn 0\n\t}\n\tl, r := t.left.depth(), t.right.depth()\n\tif l > r {\n\t\treturn l + 1\n\t}\n\treturn r + 1\n}\n")
	x := g.fresh("t")
	g.p("var %s *tree\nfor _, k := range []string{%s, \"m\", %s, \"b\", \"m\"} {\n%s = %s.put(k)\n}\ncount%s := 0\nall%s := %s.each(func(t *tree) bool {\ncount%s += t.n\nfmt.Print(t.key, t.n, \" \")\nreturn t.key < %s\n})\nfmt.Println(count%s, all%s, %s.depth())", x, g.text(), g.text(), x, x, x, x, x, x, pick(g, `"c"`, `"zz"`, `"m"`), x, x, x)
}

// retries calls something until it works, with errors wrapped on the way.
func (g *gen) retries() {
	g.use("fmt")
	g.use("errors")
	g.helper("errTemporary", "var errTemporary = errors.New(\"temporary\")\n\ntype attemptError struct {\n\tn   int\n\terr error\n}\n\nfunc (e *attemptError) Error() string { return fmt.Sprintf(\"attempt %d: %v\", e.n, e.err) }\nfunc (e *attemptError) Unwrap() error { return e.err }\n\nfunc retry(most int, f func(int) error) (err error) {\n\tfor n := 1; n <= most; n++ {\n\t\tif err = f(n); err == nil {\n\t\t\treturn nil\n\t\t}\n\t\terr = &attemptError{n, err}\n\t\tif !errors.Is(err, errTemporary) {\n\t\t\tbreak\n\t\t}\n\t}\n\treturn err\n}\n")
	x := g.fresh("err")
	g.p("%s := retry(%d, func(n int) error {\n%s\n})\nfmt.Println(%s)\nvar a%s *attemptError\nif errors.As(%s, &a%s) {\nfmt.Println(a%s.n, errors.Is(a%s, errTemporary))\n}", x, g.between(1, 4), pick(g, "if n < 3 {\nreturn fmt.Errorf(\"busy: %w\", errTemporary)\n}\nreturn nil", "return errTemporary", "return errors.New(\"final\")", "if n == 2 {\nreturn errors.New(\"other\")\n}\nreturn errTemporary"), x, x, x, x, x, x)
}

// window keeps the last few values in a ring.
func (g *gen) window() {
	g.use("fmt")
	g.helper("ring", "type ring struct {\n\tbuf  [3]float64\n\tnext int\n\tfull bool\n}\n\nfunc (r *ring) push(v float64) (old float64, dropped bool) {\n\told, dropped = r.buf[r.next], r.full\n\tr.buf[r.next] = v\n\tif r.next++; r.next == len(r.buf) {\n\t\tr.next, r.full = 0, true\n\t}\n\treturn\n}\n\nfunc (r ring) mean() (m float64) {\n\tn := r.next\n\tif r.full {\n\t\tn = len(r.buf)\n\t}\n\tfor i := 0; i < n; i++ {\n\t\tm += r.buf[i] / float64(n)\n\t}\n\treturn m\n}\n\nvar kept ring\n")
	x := g.fresh("w")
	g.p("var %s ring\nfor _, v := range []float64{%s, 2, 3, %s, 5} {\nold, dropped := %s.push(v)\nfmt.Println(old, dropped, %s.mean())\n}\nsaved%s := %s\n%s.push(100)\nfmt.Println(saved%s.mean(), %s.mean(), saved%s == %s)\nfmt.Println(kept.push(%s))", x, g.et(tFloat, 1), g.et(tFloat, 1), x, x, x, x, x, x, x, x, x, g.et(tFloat, 1))
}
