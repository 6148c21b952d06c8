package truth_test

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/vedettehq/vedette/inspectors/script/internal/truth"
)

// operand is an expression that a call of h changes the value of.
type operand struct{ name, decl, setup, expr, typ, set string }

var operands = []operand{
	{`g`, `var g = 1`, ``, `g`, `int`, `g = 2`},
	{`named`, `type N int
var g N = 1`, ``, `g`, `N`, `g = 2`},
	{`str`, `var g = "a"`, ``, `g`, `string`, `g = "b"`},
	{`cap`, ``, `g := 1`, `g`, `int`, `g = 2`},
	{`capstr`, ``, `g := "a"`, `g`, `string`, `g = "b"`},
	{`ptr`, `var v = 1
var p = &v`, ``, `*p`, `int`, `*p = 2`},
	{`elem`, `var s = []int{1}`, ``, `s[0]`, `int`, `s[0] = 2`},
	{`elem2`, `var s = []int{1}`, ``, `s[0]`, `int`, `s = []int{2}`},
	{`arr`, `var s = [2]int{1}`, ``, `s[0]`, `int`, `s[0] = 2`},
	{`arrv`, `var s = [2]int{1}`, ``, `s`, `[2]int`, `s[0] = 2`},
	{`map`, `var m = map[string]int{"a": 1}`, ``, `m["a"]`, `int`, `m["a"] = 2`},
	{`field`, `type S struct{ f int }
var x = S{1}`, ``, `x.f`, `int`, `x.f = 2`},
	{`struct`, `type S struct{ f int }
var x = S{1}`, ``, `x`, `S`, `x.f = 2`},
	{`struct2`, `type S struct{ f int }
var x = S{1}`, ``, `x`, `S`, `x = S{2}`},
	{`pstruct`, `type S struct{ f int }
var x = &S{1}`, ``, `x.f`, `int`, `x.f = 2`},
	{`pstruct2`, `type S struct{ f int }
var x = &S{1}`, ``, `x.f`, `int`, `x = &S{2}`},
	{`pderef`, `type S struct{ f int }
var x = &S{1}`, ``, `*x`, `S`, `x.f = 2`},
	{`iface`, `var g any = 1`, ``, `g`, `any`, `g = 2`},
	{`assert`, `var g any = 1`, ``, `g.(int)`, `int`, `g = 2`},
	{`conv`, `var g = 1`, ``, `float64(g)`, `float64`, `g = 2`},
	{`sum`, `var g = 1`, ``, `g+1`, `int`, `g = 2`},
	{`neg`, `var g = 1`, ``, `-g`, `int`, `g = 2`},
	{`cmp`, `var g = 1`, ``, `g == 1`, `bool`, `g = 2`},
	{`and`, `var g, h2 = true, true`, ``, `g && h2`, `bool`, `g = false`},
	{`not`, `var g = true`, ``, `!g`, `bool`, `g = false`},
	{`len`, `var s = []int{1}`, ``, `len(s)`, `int`, `s = nil`},
	{`slice`, `var s = []int{1,2,3}`, ``, `s[1:]`, `[]int`, `s = []int{4,5}`},
	{`substr`, `var s = "abc"`, ``, `s[1:]`, `string`, `s = "xyz"`},
	{`byte`, `var s = "abc"`, ``, `s[0]`, `byte`, `s = "xyz"`},
	{`bytes`, `var s = []byte("abc")`, ``, `string(s)`, `string`, `s[0] = 'x'`},
	{`concat`, `var s = "abc"`, ``, `s + "!"`, `string`, `s = "xyz"`},
	{`err`, `var g = errors.New("a")`, ``, `g`, `error`, `g = errors.New("b")`},
	{`local`, ``, `g := 1
	q := &g`, `g`, `int`, `*q = 2`},
}

// beside is a program that uses an operand E, of type T, beside a call of h.
type beside struct{ name, decl, body string }

var besides = []beside{
	{`ret`, `func two() (T, int) { return E, h() }`, `a, b := two()
	return fmt.Sprint(a, b)`},
	{`retr`, `func two() (int, T) { return h(), E }`, `a, b := two()
	return fmt.Sprint(a, b)`},
	{`arg`, `func two(a T, b int) string { return fmt.Sprint(a, b) }`, `return two(E, h())`},
	{`argr`, `func two(b int, a T) string { return fmt.Sprint(a, b) }`, `return two(h(), E)`},
	{`vari`, `func two(a ...any) string { return fmt.Sprint(a...) }`, `return two(E, h())`},
	{`variT`, `func two(a ...T) string { return fmt.Sprint(a) }`, `return two(E, func() T { h(); return E }())`},
	{`print`, ``, `return fmt.Sprint(E, h())`},
	{`printf`, ``, `return fmt.Sprintf("%v %v", E, h())`},
	{`printc`, ``, `return fmt.Sprint(h(), E, h())`},
	{`struct`, `type R struct { a T; b int }`, `r := R{E, h()}
	return fmt.Sprint(r.a, r.b)`},
	{`pstructlit`, `type R struct { a T; b int }`, `r := &R{a: E, b: h()}
	return fmt.Sprint(r.a, r.b)`},
	{`nest`, `type R struct { a T; b int }
type Q struct { r R; c int }`, `r := Q{R{E, 1}, h()}
	return fmt.Sprint(r.r.a, r.c)`},
	{`slicelit`, ``, `r := []any{E, h()}
	return fmt.Sprint(r...)`},
	{`sliceT`, ``, `r := []T{E, func() T { h(); return E }()}
	return fmt.Sprint(r)`},
	{`arrlit`, ``, `r := [2]any{E, h()}
	return fmt.Sprint(r[0], r[1])`},
	{`maplit`, ``, `r := map[string]any{"x": E, "y": h()}
	return fmt.Sprint(r["x"], r["y"])`},
	{`mapT`, ``, `r := map[int]T{1: E, h(): E}
	return fmt.Sprint(r)`},
	{`def`, ``, `a, b := E, h()
	return fmt.Sprint(a, b)`},
	{`defr`, ``, `b, a := h(), E
	return fmt.Sprint(a, b)`},
	{`var`, ``, `var a, b = E, h()
	return fmt.Sprint(a, b)`},
	{`asg`, ``, `var a T
	var b int
	a, b = E, h()
	return fmt.Sprint(a, b)`},
	{`asgany`, ``, `var a any
	var b int
	a, b = E, h()
	return fmt.Sprint(a, b)`},
	{`meth`, `type M struct{}
func (M) two(a T, b int) string { return fmt.Sprint(a, b) }`, `return M{}.two(E, h())`},
	{`clos`, ``, `two := func(a T, b int) string { return fmt.Sprint(a, b) }
	return two(E, h())`},
	{`appnd`, ``, `var r []any
	r = append(r, E, h())
	return fmt.Sprint(r...)`},
	{`defer`, ``, `var out string
	func() { defer func(a T, b int) { out = fmt.Sprint(a, b) }(E, h()) }()
	return out`},
	{`eqarg`, `func two(a bool, b T) string { return fmt.Sprint(a, b) }`, `return two(h() == 7, E)`},
	{`index`, `func pick[A any](i int, a A) A { return a }`, `r := []any{nil, nil}
	r[h()-7] = E
	return fmt.Sprint(r...)`},
	{`cond`, ``, `if fmt.Sprint(E) == fmt.Sprint(h()) { return "same" }
	return fmt.Sprint(E)`},
	{`strop`, ``, `return fmt.Sprint(E) + fmt.Sprint(h()) + fmt.Sprint(E)`},
	{`errf`, ``, `return fmt.Errorf("%v %d", E, h()).Error()`},
}

// operators are expressions of two operands, where h is of the operand's type.
var operators = []string{"E + h()", "h() + E", "E + h() + E", "E == h()", "E < h()", "(E + h()) + (h() + E)"}

// ones are values of the types that have operators.
var ones = map[string]string{"int": "7", "string": `"z"`, "float64": "7", "N": "7"}

// assignable matches an operand that is a place.
var assignable = regexp.MustCompile(`^\*?\w+(\.\w+|\[.*\])?$`)

// program makes a script of an operand and of what uses it.
func (o operand) program(name, decl, body, result, one string) truth.Job {
	replaced := func(text string) string {
		text = regexp.MustCompile(`\bT\b`).ReplaceAllString(text, o.typ)
		return regexp.MustCompile(`\bE\b`).ReplaceAllLiteralString(text, o.expr)
	}
	h := fmt.Sprintf("() %s { %s; return %s }", result, o.set, one)
	text := o.decl + "\n" + replaced(decl) + "\n"
	if o.setup == "" {
		text += "func h" + h + "\nfunc Run() string {\n"
	} else {
		text += "func Run() string {\n" + o.setup + "\nh := func" + h + "\n"
	}
	return truth.Job{Name: name + "/" + o.name, Source: snippet(text + replaced(body) + "\n}\n"), Runs: 2, Timeout: patience}
}

// TestOrder reads each sort of operand beside a call that sets it, in each place
// where expressions stand beside each other. Go leaves open which comes first; what
// a script gives is what the compiled one gives.
func TestOrder(t *testing.T) {
	var jobs []truth.Job
	for _, o := range operands {
		for _, b := range besides {
			if o.setup == "" || b.decl == "" { // a func cannot name a local variable
				jobs = append(jobs, o.program(b.name, b.decl, b.body, "int", "7"))
			}
		}
		for _, e := range operators {
			if one := ones[o.typ]; one != "" {
				jobs = append(jobs, o.program(e, "", "return fmt.Sprint("+e+")", o.typ, one), o.program("r := "+e, "", "r := "+e+"\nreturn fmt.Sprint(r)", o.typ, one))
			}
		}
	}
	for _, o := range operands {
		if one := ones[o.typ]; one != "" && assignable.MatchString(o.expr) {
			jobs = append(jobs, o.program("+=", "", o.expr+" += h()\nreturn fmt.Sprint("+o.expr+")", o.typ, one),
				o.program("+= sum", "", o.expr+" += "+o.expr+" + h()\nreturn fmt.Sprint("+o.expr+")", o.typ, one),
				o.program("set", "", "x := "+o.expr+"\n"+o.expr+", x = "+o.expr+", h()\nreturn fmt.Sprint(x, "+o.expr+")", o.typ, one))
		}
	}
	verdicts, err := library(t).CompareJobs(".", jobs)
	if err != nil {
		t.Fatal(err)
	}
	fit := 0
	for _, v := range verdicts {
		if v.Class != truth.Unfit {
			fit++
		}
		if v.Bad() {
			native, interpreted := v.Difference()
			t.Errorf("%s: %s: Go says %q, the interpreter %q %s\n%s", v.Job.Name, v.Class, native, interpreted, v.Interpreted.Fault, v.Job.Source)
		}
	}
	t.Logf("%d programs", len(jobs))
	if fit*10 < len(jobs)*9 {
		t.Errorf("only %d of %d programs run natively", fit, len(jobs))
	}
}
