package promote

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/script"
)

// modulePath is the module of this program.
const modulePath = "github.com/vedettehq/vedette"

// unit is one script in the form in which it is compiled.
type unit struct {
	name string // its name in the plugin
	file string // of the author
	text string // the copy that is compiled
	// needs has the words of its directive if they name programs, else it is
	// empty.
	needs string
}

// project is everything that is compiled in addition to the packages of Vedette: a
// folder for each script, and the main program.
type project struct{ units []unit }

// folder is the name of a unit's folder.
func folder(i int) string { return "p" + strconv.Itoa(i) }

// newProject reads the scripts, and reports every fault that can be found
// without a compiler.
func newProject(definitions []inspectors.Definition) (*project, error) {
	var faults inspectors.Diagnostics
	p := &project{}
	files := make(map[string]string)
	for _, d := range definitions {
		if d.Script == nil {
			return nil, fmt.Errorf("cannot promote inspector %q: it is not a script", d.Name)
		}
		if other, taken := files[d.Name]; taken {
			at := d.Script.Place(nameLine(d.Script.Source), 1)
			at.Message = fmt.Sprintf("the inspector is called %q, as that of %s", d.Name, other)
			at.Fix = "give each its own name with a line //vedette:name NAME above the package clause"
			faults = append(faults, at)
			continue
		}
		files[d.Name] = d.Script.File
		text, found := nativeCopy(*d.Script)
		faults = append(faults, found...)
		u := unit{name: d.Name, file: d.Script.File, text: text}
		if said, err := d.Script.Directives(); err != nil {
			faults = append(faults, diagnosticsOf(d.Script.File, err)...)
		} else if len(said.Needs.Secrets) > 0 {
			at := d.Script.Place(needsLine(d.Script.Source), 1)
			at.Message = "the script needs secrets of its host, which a plugin does not get"
			at.Fix = "write the plugin by hand, and let it read what it needs: it has the rights of the agent"
			faults = append(faults, at)
		} else if len(said.Needs.Programs) > 0 {
			u.needs = said.Needs.String()
		}
		p.units = append(p.units, u)
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return p, nil
}

// nameLine is the line of the directive that names the inspector, or 1.
func nameLine(source string) int { return lineOf(source, "//vedette:name ") }

// needsLine is the line of the directive that names a secret, or 1.
func needsLine(source string) int { return lineOf(source, "//vedette:needs ") }

// lineOf is the first line that begins so, or 1.
func lineOf(source, beginning string) int {
	line := 0
	for text := range strings.Lines(source) {
		line++
		if strings.HasPrefix(text, beginning) {
			return line
		}
	}
	return 1
}

// nativeCopy returns the text that is compiled for a script, or says why there can
// be none.
func nativeCopy(s inspectors.Script) (string, inspectors.Diagnostics) {
	s.Source = strings.TrimPrefix(s.Source, "\ufeff")
	if err := script.CheckEntry(s); err != nil {
		return "", diagnosticsOf(s.File, err)
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, s.File, s.Source, parser.ParseComments)
	if err != nil {
		return "", diagnosticsOf(s.File, err)
	}
	c := &copier{script: s, fset: fset, text: []byte(s.Source)}
	c.imports(file)
	c.comments(file)
	c.packageName(file)
	head := fmt.Sprintf("//go:build go1.22\n\n//line %s:1:1\n", lineName(s.File))
	return head + string(c.text), c.faults
}

// lineName returns the file's name for a line directive, which ends with the line.
func lineName(file string) string {
	name := strings.Map(func(r rune) rune {
		if r < ' ' {
			return '_'
		}
		return r
	}, filepath.Base(file))
	return name
}

// copier changes text that must not be compiled as it is, without moving anything.
type copier struct {
	script inspectors.Script
	fset   *token.FileSet
	text   []byte
	faults inspectors.Diagnostics
}

func (c *copier) fault(pos token.Pos, message, fix string) {
	at := c.fset.PositionFor(pos, false)
	d := c.script.Place(at.Line, at.Column)
	d.Message, d.Fix = message, fix
	c.faults = append(c.faults, d)
}

func (c *copier) offset(pos token.Pos) int { return c.fset.PositionFor(pos, false).Offset }

// imports refuses packages that belong neither to Go nor to the module of Vedette:
// they would have to be fetched in a version that nobody has chosen.
func (c *copier) imports(file *ast.File) {
	for _, spec := range file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		first, _, _ := strings.Cut(path, "/")
		ours := path == modulePath+"/inspectors" || strings.HasPrefix(path, "github.com/shirou/gopsutil/v3/")
		switch {
		case err != nil:
		case path == "C":
			c.fault(spec.Path.Pos(), "promoted scripts are compiled without C", "write a plugin in a separate module, as plugins/examples does")
		case !ours && strings.Contains(first, "."):
			c.fault(spec.Path.Pos(), fmt.Sprintf("package %q is neither of Go's standard library nor of what scripts may import", path),
				"write a plugin in a separate module, as plugins/examples does")
		}
	}
}

// comments disables the file's constraints on Go's version, which the constraint
// of the copy replaces, and refuses other constraints.
func (c *copier) comments(file *ast.File) {
	for _, group := range file.Comments {
		for _, comment := range group.List {
			rest, is := strings.CutPrefix(comment.Text, "//go:build ")
			switch {
			case strings.HasPrefix(comment.Text, "//go:embed"):
				c.fault(comment.Pos(), "a script is one file and cannot embed others", "read the file when the inspector runs, or write its content as a string")
			case !is || comment.Pos() > file.Package:
			case strings.HasPrefix(strings.TrimSpace(rest), "go1."):
				copy(c.text[c.offset(comment.Pos()):], "// o:build")
			default:
				c.fault(comment.Pos(), "a promoted script is compiled whatever its build constraint says", "remove it; use runtime.GOOS to tell systems apart")
			}
		}
	}
}

// packageName renames packages that cannot be imported: a script may be package
// main, because its package clause means nothing to the interpreter.
func (c *copier) packageName(file *ast.File) {
	if name := file.Name.Name; name == "main" || name == "documentation" {
		at := c.offset(file.Name.Pos())
		rest := append([]byte("inspector"), c.text[at+len(name):]...)
		c.text = append(c.text[:at], rest...)
	}
}

// main is the main program.
func (p *project) main(base string) string {
	var b bytes.Buffer
	b.WriteString("// Command promoted is a Vedette plugin made of scripts.\npackage main\n\nimport (\n")
	fmt.Fprintf(&b, "\t%q\n", modulePath+"/plugins")
	for i := range p.units {
		fmt.Fprintf(&b, "\t%s %q\n", folder(i), base+"/"+folder(i))
	}
	b.WriteString(")\n\nfunc main() {\n\tplugins.Serve(plugins.Inspectors{\n")
	for i, u := range p.units {
		if u.needs != "" {
			fmt.Fprintf(&b, "\t\t%q: plugins.Script{Inspect: %s.Inspect, Needs: %q},\n", u.name, folder(i), u.needs)
			continue
		}
		fmt.Fprintf(&b, "\t\t%q: %s.Inspect,\n", u.name, folder(i))
	}
	b.WriteString("\t})\n}\n")
	return b.String()
}

// diagnosticsOf makes diagnostics from an error about a file.
func diagnosticsOf(file string, err error) inspectors.Diagnostics {
	switch err := err.(type) {
	case inspectors.Diagnostics:
		return err
	case scanner.ErrorList:
		var all inspectors.Diagnostics
		for _, e := range err {
			all = append(all, inspectors.Diagnostic{File: file, Line: e.Pos.Line, Col: e.Pos.Column, Message: e.Msg})
		}
		return all
	}
	return inspectors.Diagnostics{{File: file, Message: err.Error()}}
}
