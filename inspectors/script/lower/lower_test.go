package lower_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/script"
	"github.com/vedettehq/vedette/inspectors/script/check"
	"github.com/vedettehq/vedette/inspectors/script/lower"
	"golang.org/x/tools/txtar"
)

// TestCoreIsSmall translates every program of the corpus, and holds that nothing
// is in Core but what CORE.md lists.
func TestCoreIsSmall(t *testing.T) {
	files, err := filepath.Glob("../check/testdata/corpus/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	translated := 0
	for _, name := range files {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			source := string(f.Data)
			if strings.Contains(source, "\nfunc Run() string") {
				source += "\nfunc Inspect() (float64, error) { return float64(len(Run())), nil }\n"
			}
			core, faults := check.Lower(inspectors.Script{File: f.Name, Line: 1, Source: "//vedette:needs net exec:/bin/true\n" + source})
			if len(faults) > 0 {
				continue
			}
			translated++
			for _, fault := range outside(t, core) {
				t.Errorf("%s: Core has %s\n%s", f.Name, fault, core)
			}
		}
	}
	if translated < 900 {
		t.Errorf("only %d programs are translated", translated)
	}
}

// asserts reports an assertion that a variable has a type.
func asserts(e ast.Expr) bool {
	a, ok := e.(*ast.TypeAssertExpr)
	if !ok {
		return false
	}
	_, ok = a.X.(*ast.Ident)
	return ok
}

// outside returns what stands in a translation and not in CORE.md.
func outside(t *testing.T, core string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "core.go", core, parser.SkipObjectResolution)
	if err != nil {
		t.Fatalf("%v\n%s", err, core)
	}
	var found []string
	say := func(what string) { found = append(found, what) }
	var path []ast.Node
	ast.Inspect(file, func(n ast.Node) bool {
		if n == nil {
			path = path[:len(path)-1]
			return true
		}
		path = append(path, n)
		switch n := n.(type) {
		case *ast.SwitchStmt, *ast.TypeSwitchStmt:
			say("a switch")
		case *ast.DeferStmt:
			say("a defer")
		case *ast.InterfaceType:
			say("an interface type")
		case *ast.Ellipsis:
			say("a variable number of parameters")
		case *ast.FuncDecl:
			if n.Recv != nil {
				say("a method")
			}
			if n.Type.TypeParams != nil {
				say("type parameters")
			}
			if n.Type.Results != nil && len(n.Type.Results.List) > 0 && len(n.Type.Results.List[0].Names) > 0 {
				say("results with names")
			}
		case *ast.FuncLit:
			if len(path) < 4 {
				say("a function literal outside of a maker")
				break
			}
			ret, ok := path[len(path)-2].(*ast.ReturnStmt)
			body, ok2 := path[len(path)-3].(*ast.BlockStmt)
			_, ok3 := path[len(path)-4].(*ast.FuncDecl)
			if !ok || !ok2 || !ok3 || len(ret.Results) != 1 || body.List[len(body.List)-1] != ast.Stmt(ret) {
				say("a function literal outside of a maker")
				break
			}
			for _, before := range body.List[:len(body.List)-1] {
				if set, ok := before.(*ast.AssignStmt); !ok || set.Tok != token.DEFINE || !asserts(set.Rhs[0]) {
					say("a maker that does something")
				}
			}
		case *ast.RangeStmt:
			if n.Tok == token.ASSIGN {
				say("a range that sets variables")
			}
		case *ast.AssignStmt:
			if len(n.Rhs) > 1 {
				say("several values in one assignment")
			}
		case *ast.CallExpr:
			if id, ok := n.Fun.(*ast.Ident); ok {
				switch id.Name {
				case "recover", "min", "max", "clear":
					say(id.Name)
				case "panic":
					if len(n.Args) != 1 {
						break
					}
					if lit, ok := n.Args[0].(*ast.BasicLit); !ok || lit.Value != `"unreachable"` {
						say("a panic")
					}
				}
			}
		}
		return true
	})
	return found
}

// TestRefusals holds what cannot be translated, and that each remedy that is
// printed can.
func TestRefusals(t *testing.T) {
	for _, c := range []struct{ name, source, want, remedy string }{
		{
			"a type of the library without a name",
			"order := binary.BigEndian\nread := func(b []byte) uint16 { return order.Uint16(b) }\nreturn float64(read([]byte{1, 2})), nil",
			"has no name that is available to inspectors; use the value at once",
			"read := func(b []byte) uint16 { return binary.BigEndian.Uint16(b) }\nreturn float64(read([]byte{1, 2})), nil",
		},
		{
			"a type that is made of itself",
			"type tree []tree\nvar t tree\nt = append(t, tree{}, nil)\nreturn float64(len(t)), nil",
			"type tree is made of itself, without a struct between; make it a struct with a field for what it holds",
			"type tree struct { kids []tree }\nvar t tree\nt.kids = append(t.kids, tree{}, tree{})\nreturn float64(len(t.kids)), nil",
		},
		{
			"a letter of the translation",
			"a" + lower.Mark + " := 1.0\nreturn a" + lower.Mark + ", nil",
			"the letter " + lower.Mark + " in a name",
			"a := 1.0\nreturn a, nil",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, faults := check.Translate(inspectors.Script{File: "x.go", Line: 1, Source: c.source})
			if len(faults) != 1 || !strings.Contains(faults[0].Error(), c.want) {
				t.Errorf("got %v, want %q", faults, c.want)
			}
			core, faults := check.Translate(inspectors.Script{File: "x.go", Line: 1, Source: c.remedy})
			if len(faults) > 0 {
				t.Fatalf("the remedy is refused: %v", faults)
			}
			run(t, inspectors.Script{File: "x.go", Line: 1, Source: c.remedy, Core: core})
		})
	}
}

// run runs a script once.
func run(t *testing.T, s inspectors.Script) *inspectors.Report {
	t.Helper()
	p, err := script.Load(inspectors.Definition{Name: "x", Timeout: time.Minute, Script: &s})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	r := inspectors.NewReport("x", time.UnixMilli(0))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := p.Inspect(ctx, r); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestPlaces holds that errors and panics name the author's line, in a file and
// inside another one.
func TestPlaces(t *testing.T) {
	for line := 1; line <= 12; line++ {
		var b strings.Builder
		for i := 1; i < line; i++ {
			fmt.Fprintf(&b, "v%d := func() int { switch %d { case 1, 2: return 1 }; return 2 }\n_ = v%d()\n", i, i, i)
		}
		b.WriteString("if len(ctx.Err().Error()) > 1 {\n\treturn 1, nil\n}\nreturn 0, nil\n")
		p, err := script.Load(inspectors.Definition{Name: "x", Timeout: time.Minute, Script: &inspectors.Script{File: "c.yaml", Line: 40, Source: b.String()}})
		if err != nil {
			t.Fatal(err)
		}
		err = p.Inspect(t.Context(), inspectors.NewReport("x", time.UnixMilli(0)))
		p.Close()
		if want := fmt.Sprintf("c.yaml:%d: panic in func Inspect: runtime error: invalid memory", 40+2*(line-1)); err == nil ||
			!strings.HasPrefix(err.Error(), want) {
			t.Errorf("%d: got %v, want %s…", line, err, want)
		}
	}
}

// FuzzLower holds that the translation of any text that Go would compile can be
// read again.
func FuzzLower(f *testing.F) {
	files, err := filepath.Glob("../check/testdata/corpus/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for i, file := range archive.Files {
			if i%10 == 0 {
				f.Add(strings.ReplaceAll(string(file.Data), "func Run() string", "func Inspect() (float64, error) { return float64(len(Run())), nil }\nfunc Run() string"))
			}
		}
	}
	f.Fuzz(func(t *testing.T, source string) {
		core, faults := check.Lower(inspectors.Script{File: "x.go", Line: 1, Source: source})
		for _, fault := range faults {
			if strings.Contains(fault.Message, "this file cannot be translated (") {
				t.Errorf("%v", fault)
			}
		}
		if len(faults) == 0 {
			outside(t, core)
		}
	})
}
