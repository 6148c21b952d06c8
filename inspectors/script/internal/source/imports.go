package source

import (
	"fmt"
	"go/ast"
	"slices"
	"strconv"

	"github.com/vedettehq/vedette/inspectors/script/symbols"
	"github.com/vedettehq/vedette/internal/nearest"
)

// resolveImports looks up the imports of the file, records those that inspectors may not
// have, and collects the names that are selected from the others.
func (s *Source) resolveImports() {
	s.Imports = make(map[string]symbols.Package)
	s.Used = make(map[string][]string)
	specs := make(map[string]*ast.ImportSpec)
	for _, spec := range s.File.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue // the parser has refused it
		}
		p, ok := lookup(path)
		if !ok {
			s.fault(spec.Path.Pos(), fmt.Sprintf("package %q is not available to inspectors", path), insteadOf(path))
			continue
		}
		name := p.Name
		if spec.Name != nil {
			name = spec.Name.Name
		}
		if name == "." || name == "_" {
			s.fault(spec.Pos(), fmt.Sprintf("import %s %q has no name to select from", name, path), "import it by its own name")
			continue
		}
		if _, twice := s.Imports[name]; twice {
			s.fault(spec.Pos(), name+" is imported twice", "give one of the two another name, as: import gonet \"net\"")
			continue
		}
		s.Imports[name], specs[name] = p, spec
		s.Used[p.Path] = nil
	}
	s.resolveNames(specs)
}

// resolveNames checks every name that the file does not declare: it must be an import, and
// the names selected from it must be available.
func (s *Source) resolveNames(specs map[string]*ast.ImportSpec) {
	missing := s.unresolved()
	for _, name := range sortedKeys(missing) {
		p, ok := s.Imports[name]
		if !ok {
			s.undeclared(name, missing[name], specs)
			continue
		}
		delete(specs, name)
		s.needNet(p, name, missing[name].members)
		s.needOfHost(p, name, missing[name].members)
		for _, sel := range missing[name].members {
			if !p.Has(sel.Sel.Name) {
				s.notAvailable(p, name, sel)
			}
			if !slices.Contains(s.Used[p.Path], sel.Sel.Name) {
				s.Used[p.Path] = append(s.Used[p.Path], sel.Sel.Name)
			}
		}
	}
	for _, name := range sortedKeys(specs) {
		s.fault(specs[name].Pos(), fmt.Sprintf("%s imported and not used", specs[name].Path.Value), "take the import out")
	}
}

// undeclared records the uses of an undeclared name, with the import to add if it looks
// like a package.
func (s *Source) undeclared(name string, m missingName, specs map[string]*ast.ImportSpec) {
	if len(m.members) == len(m.uses) && !s.refusedImport(name) {
		for _, path := range paths() {
			if p, _ := lookup(path); p.Name == name && lacking(p, m.members) == nil {
				s.fault(m.uses[0].Pos(), "undefined: "+name, fmt.Sprintf("add: import %q", path))
				return
			}
		}
	}
	if s.refusedImport(name) {
		return // its import is already a fault
	}
	s.undefined(name, m)
}

// refusedImport reports whether name belongs to an import that is itself a fault, so that
// its uses need no fault.
func (s *Source) refusedImport(name string) bool {
	for _, spec := range s.File.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		if _, ok := lookup(path); ok {
			continue
		}
		if spec.Name != nil && spec.Name.Name == name || spec.Name == nil && lastElement(path) == name {
			return true
		}
	}
	return false
}

func lastElement(path string) string {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' {
			return path[i+1:]
		}
	}
	return path
}

// insteadOf says what to do about an import that is not available.
func insteadOf(path string) string {
	switch path {
	case "C":
		return "write a plugin, or read what you need from /proc and /sys"
	case "unsafe", "reflect", "runtime/debug":
		return "inspectors cannot reach around the type system"
	case "os/exec":
		return "use inspectors.Exec, which runs what the script says it needs and the host allows; or read /proc, /sys or gopsutil"
	case "syscall", "golang.org/x/sys/unix":
		return "use os, net or gopsutil"
	case "iter":
		return "write the type of the function: func(yield func(T) bool)"
	case "io/ioutil":
		return "use os.ReadFile and io.ReadAll"
	case "math/rand/v2":
		return `use "math/rand"`
	case "log/slog":
		return `use "log", whose lines go to the agent's log`
	case "testing":
		return "test the file natively, with go test"
	}
	if near := nearest.Word(path, paths()); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	for _, have := range paths() {
		if lastElement(have) == lastElement(path) {
			return fmt.Sprintf("did you mean %q?", have)
		}
	}
	return "write a plugin for what needs it"
}

// insteadOfName says what to use in place of a name that is not allowed.
func insteadOfName(name string) string {
	switch name {
	case "time.AfterFunc", "context.AfterFunc":
		return "wait with a timer in a select: it would call from a goroutine"
	case "time.Tick":
		return "use time.NewTicker, and stop it"
	case "sync.WaitGroup", "sync.Cond":
		return "inspectors start no goroutines to wait for"
	case "sync.OnceFunc", "sync.OnceValue", "sync.OnceValues":
		return "use sync.Once, or a package variable"
	case "sync/atomic.Pointer":
		return "use atomic.Value, or a package variable"
	case "errors.AsType":
		return "use errors.As"
	case "os.Exit":
		return "return an error"
	case "os.Remove", "os.RemoveAll", "os.WriteFile", "os.Create", "os.OpenFile", "os.Mkdir", "os.MkdirAll", "os.Rename":
		return "inspectors read; they write nothing"
	case "os.Stdout", "os.Stderr":
		return "print with fmt.Println or log.Println"
	case "log.Fatal", "log.Fatalf", "log.Fatalln", "log.Panic", "log.Panicf":
		return "return an error"
	case "net.Listen", "net.ListenPacket", "net/http.ListenAndServe":
		return "inspectors listen on nothing"
	case "runtime.GC", "runtime.Gosched", "runtime.GOMAXPROCS":
		return "take it out"
	case "strings.SplitSeq":
		return "use strings.Split"
	case "strings.FieldsSeq":
		return "use strings.Fields"
	case "strings.Lines":
		return `use strings.Split(s, "\n"), or a bufio.Scanner`
	}
	return ""
}
