package check

import (
	"go/ast"
	"go/types"
	"regexp"
	"strings"
)

// goroutine refuses the go statement. A panic in a goroutine ends the whole process, and a
// goroutine that outlives its run cannot be stopped.
func goroutine(p *pass, n ast.Node) {
	if g, ok := n.(*ast.GoStmt); ok {
		p.fault(g, "inspectors start no goroutines", "call the function, and give slow calls the context; split what must run side by side into inspectors of "+
			"their own")
	}
}

var goVersion = regexp.MustCompile(`^//go:build go1\.\d+$`)

// comment refuses comments that the compiler obeys and the interpreter does not. A
// constraint that only names a version of Go does no harm.
func comment(p *pass, n ast.Node) {
	file, ok := n.(*ast.File)
	if !ok {
		return
	}
	for _, group := range file.Comments {
		for _, c := range group.List {
			text := strings.TrimSpace(c.Text)
			switch {
			case strings.HasPrefix(text, "//go:build") && !goVersion.MatchString(text), strings.HasPrefix(text, "// +build"):
				p.fault(c, "build constraints have no effect on inspectors", "take it out; use runtime.GOOS to tell systems apart")
			case strings.HasPrefix(text, "//go:embed"):
				p.fault(c, "an inspector is one file and cannot embed others", "read the file when the inspector runs, or write its content as a string")
			case strings.HasPrefix(text, "//go:linkname"), strings.HasPrefix(text, "//export "):
				p.fault(c, strings.Fields(text)[0]+" is not available to inspectors", "take it out")
			case strings.HasPrefix(text, "//line "), strings.HasPrefix(text, "/*line "):
				p.fault(c, "a line directive would move the places of errors", "take it out")
			}
		}
	}
}

// processControl refuses the methods that stop processes or change the host.
func processControl(p *pass, n ast.Node) {
	sel, ok := n.(*ast.SelectorExpr)
	if !ok {
		return
	}
	f, ok := p.info.Uses[sel.Sel].(*types.Func)
	if !ok || f.Pkg() == nil || f.Pkg().Path() != "github.com/shirou/gopsutil/v3/process" {
		return
	}
	switch strings.TrimSuffix(f.Name(), "WithContext") {
	case "Kill", "Terminate", "Suspend", "Resume", "SendSignal":
		p.fault(sel.Sel, "inspectors look at processes, they do not signal them", "take the call to "+f.Name()+" out")
	}
}
