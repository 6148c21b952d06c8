package generate

import (
	"fmt"
	"go/types"
)

// conversions converts numbers, text and lists into each other.
func (g *gen) conversions() {
	g.use("fmt")
	switch g.r.Intn(6) {
	case 0:
		from := g.basicInt()
		v := g.fresh("v")
		g.p("var %s %s = %s", v, g.ts(from), g.constant(from).s)
		g.declare(v, from)
		g.p("fmt.Println(int8(%s), uint8(%s), uint16(%s), int32(%s), float64(%s), uint64(%s))", v, v, v, v, v, v)
	case 1:
		v := g.fresh("b")
		g.p("%s := []byte(%s)", v, g.e(tString, 2))
		g.declare(v, types.NewSlice(tByte))
		g.p("if len(%s) > 0 {\n%s[0] = 'X'\n}", v, v)
		g.p("fmt.Println(string(%s), len(%s))", v, v)
	case 2:
		v := g.fresh("r")
		g.p("%s := []rune(%s)", v, g.text())
		g.p("for i, j := 0, len(%s)-1; i < j; i, j = i+1, j-1 {\n%s[i], %s[j] = %s[j], %s[i]\n}", v, v, v, v, v)
		g.p("fmt.Println(string(%s), len(%s))", v, v)
	case 3:
		if t := g.ownType(func(t types.Type) bool { return basic(t) != nil }); t != nil {
			v := g.fresh("v")
			g.p("%s := %s(%s)", v, g.ts(t), g.e(under(t), 1))
			g.declare(v, t)
			g.p("fmt.Println(%s(%s) == %s)", g.ts(under(t)), v, g.e(under(t), 1))
			return
		}
		g.define()
	case 4:
		if t := g.ownType(func(t types.Type) bool { return isStruct(t) || basic(t) == nil }); t != nil && namedOf(under(t)) == nil {
			v := g.fresh("v")
			g.p("%s := (%s)(%s)", v, g.ts(t), g.e(t, 1))
			g.declare(v, t)
			return
		}
		g.define()
	default:
		v := g.fresh("x")
		g.p("%s := %s", v, g.e(tFloat, 1))
		g.declare(v, tFloat)
		g.use("math")
		g.p("fmt.Println(int(%s), float32(%s), uint8(%s), math.Signbit(%s))", g.whole(v, 1000), v, g.whole(v, 200), v)
	}
}

// overflow lets numbers wrap around.
func (g *gen) overflow() {
	t := types.Typ[pick(g, types.Uint8, types.Int8, types.Uint16, types.Int16, types.Int32, types.Uint32, types.Int64, types.Uint64)]
	v := g.fresh("v")
	g.use("fmt")
	g.p("var %s %s = %d", v, g.ts(t), g.between(100, 127))
	g.p("for i := 0; i < %d; i++ {\n%s %s\n}", g.between(3, 9), v, pick(g, "*= 3", "+= 77", "= -"+v+" - 5", "= "+v+"<<1 | 1", "= ^"+v+" * 7", "-= 100"))
	g.p("fmt.Println(%s, %s/3, %s%%7, %s>>1)", v, v, v, v)
	g.declare(v, t)
}

// outOfRange converts floats that no integer, or none of the type, can hold.
func (g *gen) outOfRange() {
	f := g.fresh("f")
	g.use("fmt")
	g.use("math")
	types := []string{"int8", "int16", "int32", "int64", "int", "uint8", "uint16", "uint32", "uint64", "rune", "byte"}
	a, b := pick(g, types...), pick(g, types...)
	g.helper("narrow"+a, fmt.Sprintf("func narrow%s[F ~float32 | ~float64](f F) %s { return %s(f) }\n", a, a, a))
	t := pick(g, "float64", "float32")
	g.p("for _, %s := range []%s{%s(math.NaN()), %s, 1e9, %s(math.Inf(%s1))} {", f, t, t, pick(g, "1e20", "-1e20", "3e9", "2147483653", "-2147483700", "300.7", "-1.5", "70000"), t, pick(g, "", "-"))
	g.p("fmt.Println(%s(%s), narrow%s(%s)+1, %s(%s*%s) / 3)\n}", b, f, a, f, b, f, pick(g, "3", "-7", "1e6", "0.5"))
}

// constants computes with constants.
func (g *gen) constants() {
	k := g.fresh("k")
	g.use("fmt")
	switch g.r.Intn(7) {
	case 0:
		g.p("const %s = %s", k, pick(g, "7 / 2", "7 / 2.0", "1 << 20", "'a' + 1", "10 % 4", "1e3", "-5 / 2", "0x7f &^ 3", "1.5 * 4", "\"a\" + \"b\""))
		g.p("fmt.Println(%s)", k)
	case 1:
		t := pick[types.Type](g, tFloat, types.Typ[types.Int64], types.Typ[types.Float32])
		g.p("const %s %s = %s", k, g.ts(t), pick(g, "7 / 2", "3 * 5", "10 - 4", "1 << 4"))
		g.p("fmt.Println(%s, %s/2)", k, k)
	case 2:
		g.p("const %s = %d", k, g.between(1, 20))
		g.p("var x%s float64 = %s / 2", k, k)
		g.p("fmt.Println(x%s, %s*1.5, float64(%s)/3)", k, k, k)
	case 3:
		g.p("const %s = %d > %d", k, g.r.Intn(9), g.r.Intn(9))
		g.p("if %s {\nfmt.Println(\"large\")\n}", k)
	case 4:
		g.use("time")
		g.p("const %s = %d * time.%s", k, g.between(1, 90), pick(g, "Second", "Millisecond", "Minute"))
		g.p("fmt.Println(%s, %s.Seconds(), time.Duration(%d)*%s/3)", k, k, g.between(2, 9), k)
	case 5:
		g.use("math")
		g.p("fmt.Println(%s)", pick(g, "math.MaxInt32/2", "float64(math.MaxUint32)", "uint64(math.MaxUint64)", "math.Pi > 3", "math.MaxInt8 + 1", "int64(math.MinInt64)", "math.Sqrt2*2", "uint32(math.MaxUint32)", "math.Inf(1)", "-math.MaxFloat32 < 0"))
	default:
		g.p("const (\n%sa = iota * %d\n%sb\n_\n%sc\n)", k, g.between(1, 5), k, k)
		g.p("fmt.Println(%sa, %sb, %sc, %sa+%sc)", k, k, k, k, k)
	}
}

// shadow declares a name again further inside.
func (g *gen) shadow() {
	name := g.fresh("x")
	t1, t2 := g.basicType(), g.basicType()
	g.use("fmt")
	g.p("%s := %s", name, g.e(t1, 1))
	switch g.r.Intn(4) {
	case 0:
		g.p("{\n%s := %s\nfmt.Println(%s)\n}", name, g.e(t2, 1), name)
	case 1:
		g.p("if %s := %s; %s {\nfmt.Println(%s)\n} else {\nfmt.Println(\"else\", %s)\n}", name, guarded(g.e(t2, 1)), g.condition(), name, name)
	case 2:
		g.p("for %s := 0; %s < 2; %s++ {\n%s := %s * 10\nfmt.Println(%s)\n}", name, name, name, name, name, name)
	default:
		g.p("for _, %s := range []int{1, 2} {\n%s := %s + 1\n%s++\nfmt.Println(%s)\n}", name, name, name, name, name)
	}
	g.p("fmt.Println(%s)", name)
	g.declare(name, t1).used = true
}

// variadicCall calls a func with any number of arguments.
func (g *gen) variadicCall() {
	elem := pick[types.Type](g, tInt, tString, tFloat)
	helper := "total" + g.ts(elem)
	e := g.ts(elem)
	g.helper(helper, fmt.Sprintf("func %s(first %s, rest ...%s) (%s, int) {\n\tsum := first\n\tfor _, r := range rest {\n\t\tsum += r\n\t}\n\tif len(rest) > 0 {\n\t\trest[0] = first\n\t}\n\treturn sum, len(rest)\n}\n", helper, e, e, e))
	g.use("fmt")
	if g.chance(40) {
		list := g.fresh("list")
		g.p("%s := []%s%s", list, e, g.listBody(elem, 2, 1, false))
		g.p("fmt.Println(%s(%s, %s...))", helper, g.et(elem, 1), list)
		g.p("fmt.Println(%s)", list)
		return
	}
	args := g.et(elem, 1)
	for range g.r.Intn(4) {
		args += ", " + g.et(elem, 1)
	}
	a, n := g.fresh("a"), g.fresh("n")
	g.p("%s, %s := %s(%s)", a, n, helper, args)
	g.declare(a, elem)
	g.declare(n, tInt)
}

// matrix works on a list of lists or an array of arrays.
func (g *gen) matrix() {
	m := g.fresh("m")
	elem := pick[types.Type](g, tInt, tFloat, types.Typ[types.Uint8])
	g.use("fmt")
	if g.chance(50) {
		g.p("var %s [3][2]%s", m, g.ts(elem))
	} else {
		g.p("%s := make([][]%s, 3)\nfor i := range %s {\n%s[i] = make([]%s, 2)\n}", m, g.ts(elem), m, m, g.ts(elem))
	}
	g.p("for i := 0; i < 3; i++ {\nfor j := range %s[i] {\n%s[i][j] = %s(i*2 + j)\n}\n}", m, m, g.ts(elem))
	g.p("%s[1][0], %s[0][1] = %s[0][1], %s[2][1]", m, m, m, m)
	g.p("%s[2][1] += %s", m, g.et(elem, 1))
	g.p("for _, row := range %s {\nfmt.Println(row)\n}", m)
}

// oddFloat returns a float that no constant is: a negative zero, what is not finite or
// no number, and the smallest and largest ones.
func (g *gen) oddFloat(t types.Type) ex {
	g.use("math")
	odd := pick(g, "math.Copysign(0, -1)", "math.Copysign(0, -1)", "math.Copysign(0, -1)", "math.NaN()", "math.Inf(1)", "math.Inf(-1)",
		"math.Float64frombits(1)", "-math.Float64frombits(3)", "math.Nextafter(math.MaxFloat64, 0)", "math.Float64frombits(0x000fffffffffffff)")
	if types.Identical(t, tFloat) {
		if odd[0] == '-' {
			return ex{odd, 6, false}
		}
		return operand("%s", odd)
	}
	if basic(t).Kind() == types.Float32 && g.chance(30) {
		odd = pick(g, "math.Float32frombits(1)", "math.Float32frombits(0x80000000)", "math.Float32frombits(0x7f7fffff)", "math.Float32frombits(0x007fffff)")
	}
	return operand("%s(%s)", g.ts(t), odd)
}

// whole returns an expression for a float below limit that an integer can be made of.
// Go does not say which one it makes of what has none.
func (g *gen) whole(x string, limit int) string {
	g.use("math")
	g.helper("whole", "func whole(x, limit float64) float64 {\n\tif math.IsNaN(x) || math.IsInf(x, 0) {\n\t\treturn 1\n\t}\n\treturn math.Mod(math.Abs(x), limit)\n}\n")
	return fmt.Sprintf("whole(%s, %d)", x, limit)
}

// signs hands floats that are odd on every road that a value takes: as arguments and
// receivers, by themselves and in structs and arrays, into literals of functions,
// channels, maps, interfaces and deferred calls.
func (g *gen) signs() {
	g.use("fmt")
	g.use("math")
	t := pick[types.Type](g, tFloat, tFloat, types.Typ[types.Float32])
	c := pick(g, "complex(float64(x), float64(x))", "complex(float64(x), 1)", "complex(1, float64(x))")
	n := g.fresh("sign")
	g.decls = append(g.decls, fmt.Sprintf(`type %[1]s struct {
	n int
	v %[2]s
	more [2]%[2]s
}

func (s %[1]s) value() string { return fmt.Sprint(s.n, s.v, s.more, 1/s.v) }
func (s *%[1]s) pointer(x %[2]s) string { s.more[1] = x; return s.value() }

type %[1]sValuer interface{ value() string }

type %[1]sAdder interface{ add(x %[2]s, s %[1]s) string }

func (s %[1]s) add(x %[2]s, o %[1]s) string { return fmt.Sprint(s.v, x, o.v, 1/x) }

type %[1]sNamed %[2]s

func (x %[1]sNamed) value() string { return fmt.Sprint(%[2]s(x), 1/x) }

func %[1]sOf(x %[2]s) string { return fmt.Sprint(x, 1/x) }
func %[1]sStruct(s %[1]s) string { return s.value() }
func %[1]sArray(a [2]%[2]s) string { return fmt.Sprint(a, 1/a[0]) }
func %[1]sComplex(x %[2]s, c complex128) string { return fmt.Sprint(real(c), imag(c), c, x) }
func %[1]sRest(first %[2]s, rest ...%[2]s) string { return fmt.Sprint(first, rest) }
func %[1]sBack(x %[2]s) (%[2]s, int) { return x, 1 }
func %[1]sAny[T any](x T) string { return fmt.Sprint(x) }
func %[1]sSet(x %[2]s) string { x++; x--; f := func() { x = -x }; f(); return fmt.Sprint(x, 1/x) }
func %[1]sPass(x %[2]s, n int) string { return fmt.Sprint(x, n) }
func %[1]sLate(x %[2]s) (text string) { defer func(y %[2]s, s %[1]s) { text = fmt.Sprint(y, s.value()) }(x, %[1]s{v: x}); return "" }
`, n, g.ts(t)))
	x := g.fresh("x")
	g.p("for i, %s := range []%s{%s, %s, 0, %s} {", x, g.ts(t), g.oddFloat(t).s, g.oddFloat(t).s, g.e(t, 1))
	uses := []string{
		"fmt.Println(i, %[1]sOf(x), %[1]sStruct(%[1]s{v: x}), %[1]sArray([2]%[2]s{x, x}), %[1]sComplex(x, " + c + "))",
		"s := %[1]s{v: x, more: [2]%[2]s{x}}\nfmt.Println(s.value(), %[1]sNamed(x).value(), s.pointer(x), s.more)",
		"f := func() string { return fmt.Sprint(x, 1/x) }\nh := func(y %[2]s) string { return %[1]sOf(y) }\nfmt.Println(f(), h(x), h(-x))",
		"var v %[1]sValuer = %[1]s{v: x}\nvar a %[1]sAdder = %[1]s{v: x}\nfmt.Println(v.value(), a.add(x, %[1]s{v: x}))",
		"fmt.Println(%[1]sRest(x, x, -x), %[1]sAny(x), %[1]sAny([2]%[2]s{x}), %[1]sSet(x), %[1]sLate(x))",
		"fmt.Println(%[1]sPass(%[1]sBack(x)))",
		"m := %[1]s.value\nk := %[1]s{v: x}.value\nfmt.Println(m(%[1]s{v: x}), k(), %[1]sOf(-x), %[1]sOf(x*0), %[1]sOf(0*-x))",
		"c := make(chan %[2]s, 1)\nc <- x\nlist := append([]%[2]s(nil), x, -x)\nby := map[string]%[2]s{\"a\": x}\nby[\"b\"] = -x\nfmt.Println(%[1]sOf(<-c), list, by, %[1]sOf(by[\"a\"]), %[1]sOf(list[1]))",
		"var any1, any2 any = x, %[1]s{v: x}\ny, _ := any1.(%[2]s)\nz := any2.(%[1]s)\nfmt.Println(y, 1/y, z.value(), any1 == any(x), %[1]sOf(y))",
		"p := &%[1]s{v: x}\nq := *p\np.v = -p.v\nfmt.Println(p.value(), q.value(), %[1]sStruct(*p), %[1]sOf(p.v))",
		"y := x\nset := func(to %[2]s) { y = to }\nset(-x)\nfmt.Println(y, 1/y, min(x, 0), max(x, y), math.Signbit(float64(x)), x < 0, x == 0, !(x >= 0), x != x)",
		"w := complex(float64(x), -float64(x))\nf := func() complex128 { return w }\nfmt.Println(w, f(), -w, w*w, w == w, %[1]sAny(w), real(w), imag(w))",
	}
	g.r.Shuffle(len(uses), func(i, j int) { uses[i], uses[j] = uses[j], uses[i] })
	for _, use := range uses[:g.between(3, 6)] {
		g.p("{\nx := %s", x)
		g.p(use, n, g.ts(t))
		g.p("_ = x\n}")
	}
	g.p("_ = i\n}")
}

// infinite divides numbers with a fraction by a constant zero.
func (g *gen) infinite() {
	g.use("fmt")
	t := pick[types.Type](g, tFloat, types.Typ[types.Float32])
	x := g.fresh("x")
	g.p("var %s %s = %s\nfmt.Println(%s/0, -%s/0.0, %s*0/0)", x, g.ts(t), g.e(t, 1), x, x, x)
	g.p("%s /= %s\nfmt.Println(%s)", x, pick(g, "0", "0.0", "-0.0", "2"), x)
}
