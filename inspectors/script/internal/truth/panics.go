package truth

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"math/rand"
	"regexp"
	"strings"
)

// helpers are what Panicking adds to a script. They do nothing while its variables are
// initialised: that would end all programs of a build.
const helpers = `
var armed9 bool

func none9[T any](x T) T {
	var zero T
	if !armed9 {
		return x
	}
	return zero
}

func nought9[T ~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64](x T) T {
	if !armed9 {
		return x
	}
	return x - x
}

func less9[T ~int | ~int8 | ~int16 | ~int32 | ~int64](x T) T {
	if !armed9 {
		return x
	}
	return -1
}

func far9[T ~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64](x T) int {
	if !armed9 {
		return int(x)
	}
	return int(x) + 100000
}

type other9 struct{ n int }

func swapped9(x any) any {
	if !armed9 {
		return x
	}
	return other9{1}
}

func sign9() int {
	if !armed9 {
		return 1
	}
	return -1
}
`

// Panicking makes a few expressions of a script panic when they are reached: indexes out of
// range, divisions by zero, shifts by less than zero, nil pointers and functions, types
// that an interface does not hold. The rest of the script does not change. If nothing in it
// can panic, it returns "".
func (l *Library) Panicking(source string, r *rand.Rand) string {
	t, faults := l.Check(source)
	if len(faults) > 0 {
		return ""
	}
	p := &panicker{typed: t}
	ast.Inspect(t.File, p.visit)
	if len(p.edits) == 0 {
		return ""
	}
	for range 10 {
		text := source
		at := len(source)
		for range 1 + r.Intn(3) {
			e := p.edits[r.Intn(len(p.edits))]
			if e.to > at { // the last ones first, so that those before stay where they are
				continue
			}
			text, at = text[:e.from]+fmt.Sprintf(e.format, text[e.from:e.to])+text[e.to:], e.from
		}
		text = entryHead.ReplaceAllString(text, "$0\narmed9 = true\n") + helpers
		if _, faults := l.Check(text); len(faults) == 0 {
			return text
		}
	}
	return ""
}

// entryHead is the head of the function that is run.
var entryHead = regexp.MustCompile(`(?m)^func Inspect\(.*\{`)

// panicker finds the expressions of a script that can be made to panic.
type panicker struct {
	typed    *Typed
	deferred *ast.CallExpr
	edits    []struct {
		from, to int
		format   string
	}
}

func (p *panicker) wrap(n ast.Node, format string) {
	p.edits = append(p.edits, struct {
		from, to int
		format   string
	}{p.typed.Fset.Position(n.Pos()).Offset, p.typed.Fset.Position(n.End()).Offset, format})
}

func (p *panicker) visit(n ast.Node) bool {
	info := p.typed.Info
	switch n := n.(type) {
	case *ast.IndexExpr:
		tv := info.Types[n.X]
		if tv.Type == nil || tv.IsType() {
			break
		}
		switch u := tv.Type.Underlying().(type) {
		case *types.Slice:
			p.wrap(n.Index, "far9(%s)")
		case *types.Array:
			if info.Types[n.Index].Value == nil {
				p.wrap(n.Index, "far9(%s)")
			}
		case *types.Basic:
			if u.Info()&types.IsString != 0 {
				p.wrap(n.Index, "far9(%s)")
			}
		}
	case *ast.SliceExpr:
		if n.High != nil {
			p.wrap(n.High, "far9(%s)")
		}
	case *ast.BinaryExpr:
		b, ok := info.Types[n.Y].Type.Underlying().(*types.Basic)
		if ok && (n.Op == token.SHL || n.Op == token.SHR) && b.Info()&types.IsUnsigned == 0 && info.Types[n.Y].Value == nil {
			p.wrap(n.Y, "less9(%s)")
		}
		if ok && (n.Op == token.QUO || n.Op == token.REM) && b.Info()&types.IsInteger != 0 &&
			info.Types[n.Y].Value == nil {
			p.wrap(n.Y, "nought9(%s)")
		}
	case *ast.StarExpr:
		if !info.Types[n.X].IsType() {
			p.wrap(n.X, "none9(%s)")
		}
	case *ast.SelectorExpr:
		if tv := info.Types[n.X]; tv.Type != nil && !tv.IsType() {
			if _, ok := tv.Type.Underlying().(*types.Pointer); ok || types.IsInterface(tv.Type) {
				p.wrap(n.X, "none9(%s)")
			}
		}
	case *ast.TypeAssertExpr:
		if n.Type != nil {
			p.wrap(n.X, "swapped9(%s)")
		}
	case *ast.DeferStmt: // Go says that a nil function was deferred when it calls it
		p.deferred = n.Call
	case *ast.CallExpr:
		if n != p.deferred {
			p.call(n)
		}
	}
	return true
}

// call makes a function value nil, and makes the library panic.
func (p *panicker) call(n *ast.CallExpr) {
	info := p.typed.Info
	if id, ok := ast.Unparen(n.Fun).(*ast.Ident); ok {
		if v, ok := info.Uses[id].(*types.Var); ok && v != nil {
			p.wrap(n.Fun, "none9(%s)")
		}
	}
	for _, a := range n.Args {
		tv := info.Types[a]
		b, ok := tv.Type.(*types.Basic)
		if ok && b.Kind() == types.String && tv.Value == nil {
			p.wrap(a, "strings.Repeat(%s, sign9())")
		}
		if tv.Value != nil && tv.Value.Kind() == constant.Int && b != nil && b.Kind() == types.Int && strings.HasPrefix(fmt.Sprint(n.Fun), "make") {
			p.wrap(a, "sign9()*(%s)")
		}
	}
}

// StatementAt returns the line at which the innermost statement begins that a line is
// part of.
func (t *Typed) StatementAt(line int) int {
	begins := line
	width := 1 << 30
	ast.Inspect(t.File, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.BlockStmt, nil:
			return true
		case ast.Stmt, *ast.ValueSpec:
			from, to := t.Fset.Position(n.Pos()).Line, t.Fset.Position(n.End()).Line
			if line >= from && line <= to && to-from < width {
				begins, width = from, to-from
			}
		}
		return true
	})
	return begins
}
