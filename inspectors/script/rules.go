package script

import (
	"go/ast"
	"go/token"
	"regexp"
	"strings"
)

// walker visits the nodes of a script with their ancestors at hand.
type walker struct {
	*source
	path []ast.Node // from the file down to the node that is visited
}

// applyRules records what the language of inspectors does not have, and what
// the interpreter gets wrong. Each rule looks at one node; all rules see every
// node, so that one check finds everything.
func (s *source) applyRules() {
	if s.file == nil {
		return
	}
	s.comments()
	w := &walker{source: s}
	rules := []func(*walker, ast.Node){
		goroutines, generics, predeclaredFunctions, libraryVariables, processControl, blankMain,
		rangeOverNumber, rangeAssigns, forWithoutCondition, breakOutOfSelect, selectAssigns,
		deferInLoop, deferArguments, assignsThroughIndex, results, recovered,
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		if n == nil {
			w.path = w.path[:len(w.path)-1]
			return true
		}
		w.path = append(w.path, n)
		for _, rule := range rules {
			rule(w, n)
		}
		return true
	})
}

// around returns the nearest ancestor for which match is true, not looking
// beyond the function that the node stands in.
func (w *walker) around(match func(ast.Node) bool) ast.Node {
	for i := len(w.path) - 2; i >= 0; i-- {
		if match(w.path[i]) {
			return w.path[i]
		}
		switch w.path[i].(type) {
		case *ast.FuncLit, *ast.FuncDecl:
			return nil
		}
	}
	return nil
}

func (w *walker) inLoop() bool {
	return w.around(isLoop) != nil
}

func isLoop(n ast.Node) bool {
	switch n.(type) {
	case *ast.ForStmt, *ast.RangeStmt:
		return true
	}
	return false
}

// goVersion is a build constraint that only asks for a version of Go, as the
// native copy of a script carries.
func goVersion(text string) bool {
	return regexp.MustCompile(`^//go:build go1\.\d+$`).MatchString(strings.TrimSpace(text))
}

// comments refuses the comments that the compiler heeds and the interpreter
// does not.
func (s *source) comments() {
	for _, group := range s.file.Comments {
		for _, c := range group.List {
			switch {
			case strings.HasPrefix(c.Text, "//go:build") && !goVersion(c.Text):
				s.fault(c.Pos(), "build constraints have no effect on inspectors", "take it out; use runtime.GOOS to tell systems apart")
			case strings.HasPrefix(c.Text, "//go:embed"):
				s.fault(c.Pos(), "an inspector is one file and cannot embed others", "read the file when the inspector runs, or write its content as a string")
			case strings.HasPrefix(c.Text, "//go:linkname"), strings.HasPrefix(c.Text, "//export "):
				s.fault(c.Pos(), strings.Fields(c.Text)[0]+" is not available to inspectors", "take it out")
			case strings.HasPrefix(c.Text, "//line "), strings.HasPrefix(c.Text, "/*line "):
				s.fault(c.Pos(), "a line directive would move the places of errors", "take it out")
			}
		}
	}
}

func goroutines(w *walker, n ast.Node) {
	if g, ok := n.(*ast.GoStmt); ok {
		w.fault(g.Pos(), "inspectors start no goroutines", "call the function, and give slow calls the context; split what must run side by side into inspectors of their own")
	}
}

func generics(w *walker, n ast.Node) {
	const fix = "write it out for the types that you need"
	switch n := n.(type) {
	case *ast.FuncDecl:
		if n.Type.TypeParams != nil {
			w.fault(n.Name.Pos(), "func "+n.Name.Name+" has type parameters, which the interpreter cannot run", fix)
		}
	case *ast.TypeSpec:
		if n.TypeParams != nil {
			w.fault(n.Name.Pos(), "type "+n.Name.Name+" has type parameters, which the interpreter cannot run", fix)
		}
	case *ast.IndexListExpr:
		w.fault(n.Pos(), "an instance of a generic function or type", fix)
	case *ast.InterfaceType:
		for _, m := range n.Methods.List {
			if b, ok := m.Type.(*ast.BinaryExpr); ok && b.Op == token.OR {
				w.fault(m.Pos(), "a constraint for type parameters, which the interpreter cannot run", fix)
			} else if u, ok := m.Type.(*ast.UnaryExpr); ok && u.Op == token.TILDE {
				w.fault(m.Pos(), "a constraint for type parameters, which the interpreter cannot run", fix)
			}
		}
	}
}

// predeclaredFunctions refuses the functions of Go that the interpreter does
// not know.
func predeclaredFunctions(w *walker, n ast.Node) {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return
	}
	f, ok := call.Fun.(*ast.Ident)
	if !ok || f.Obj != nil {
		return
	}
	switch f.Name {
	case "min", "max":
		w.fault(f.Pos(), "the interpreter does not know "+f.Name, "write an if; or math."+strings.ToUpper(f.Name[:1])+f.Name[1:]+" for float64")
	case "clear":
		w.fault(f.Pos(), "the interpreter does not know clear", "make a new map, or set the elements in a loop")
	}
}

// libraryVariables refuses to set a variable of an imported package: all
// scripts of a process share it.
func libraryVariables(w *walker, n ast.Node) {
	var set []ast.Expr
	switch n := n.(type) {
	case *ast.AssignStmt:
		set = n.Lhs
	case *ast.IncDecStmt:
		set = []ast.Expr{n.X}
	}
	for _, e := range set {
		root := e
		for {
			sel, ok := root.(*ast.SelectorExpr)
			if !ok {
				break
			}
			if x, ok := sel.X.(*ast.Ident); ok && x.Obj == nil {
				if p, ok := w.imports[x.Name]; ok {
					w.fault(e.Pos(), x.Name+"."+sel.Sel.Name+" is a variable of package "+p.Path+", which other inspectors share", "make a value of your own, as: client := &http.Client{}")
				}
			}
			root = sel.X
		}
	}
}

// processControl refuses the methods by which gopsutil's processes are stopped.
func processControl(w *walker, n ast.Node) {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if _, imported := w.used["github.com/shirou/gopsutil/v3/process"]; !ok || !imported {
		return
	}
	switch strings.TrimSuffix(sel.Sel.Name, "WithContext") {
	case "Kill", "Terminate", "Suspend", "Resume", "SendSignal":
		w.fault(sel.Sel.Pos(), "inspectors look at processes, they do not signal them", "take the call to "+sel.Sel.Name+" out")
	}
}

// blankMain tells the author of a program that an inspector is none.
func blankMain(w *walker, n ast.Node) {
	f, ok := n.(*ast.FuncDecl)
	if ok && f.Recv == nil && f.Name.Name == "main" && w.shape == noShape {
		w.fault(f.Pos(), "func main of an inspector is never called", "name it Inspect, with one of the accepted signatures")
	}
}

// recovered refuses to look into what recover returns: an assertion on it
// always fails in the interpreter.
func recovered(w *walker, n ast.Node) {
	a, ok := n.(*ast.TypeAssertExpr)
	if !ok {
		return
	}
	if call, ok := a.X.(*ast.CallExpr); ok {
		if f, ok := call.Fun.(*ast.Ident); ok && f.Name == "recover" && f.Obj == nil {
			w.fault(a.Pos(), "an assertion on what recover returns always fails in the interpreter", "print it: fmt.Sprint(recover())")
		}
	}
}
