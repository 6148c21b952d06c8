package check

import (
	"cmp"
	"errors"
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/script/internal/source"
	"github.com/vedettehq/vedette/inspectors/script/lower"
	"github.com/vedettehq/vedette/inspectors/script/symbols"
)

// Check returns every fault of a script in the order of their places: of its directives,
// its syntax, its imports and names, its types, the signature of Inspect, and the
// constructs that are not in the language. It returns nil if there are none.
//
// Text is a whole Go file or the bare body of an Inspect function; file is the name in the
// diagnostics and is not opened. Check runs nothing of the script.
func Check(file, text string) inspectors.Diagnostics {
	return Script(scriptOf(file, text))
}

func scriptOf(file, text string) inspectors.Script {
	return inspectors.Script{File: file, Line: 1, Source: text}
}

// Definition is Check for the script of a definition. A definition without a script has no
// faults.
func Definition(d inspectors.Definition) inspectors.Diagnostics {
	if d.Script == nil {
		return nil
	}
	return Script(*d.Script)
}

// Script is Check for a script that may be embedded in another file; the places are those
// of that file.
func Script(s inspectors.Script) inspectors.Diagnostics {
	_, faults := Translate(s)
	return faults
}

// Translate checks a script like Script, and translates it for the interpreter. If there
// are faults, there is no translation.
func Translate(s inspectors.Script) (core string, faults inspectors.Diagnostics) {
	p := examine(s)
	return p.core, p.diagnostics()
}

// Lower translates a script that is only valid Go: the rules of the language are not
// applied.
func Lower(s inspectors.Script) (core string, faults inspectors.Diagnostics) {
	p := &pass{Source: source.Parse(s)}
	p.add("source", p.Faults)
	if len(p.found) == 0 {
		p.checkTypes(sharedLibrary())
	}
	if len(p.found) == 0 {
		core = p.lower()
	}
	p.found = sorted(p.found)
	return core, p.diagnostics()
}

// lower translates the file, or records why it cannot be.
func (p *pass) lower() string {
	text, faults := lower.File(lower.Input{
		Fset: p.Fset, File: p.File, Pkg: p.pkg, Info: p.info, Head: p.Head(), Importable: importable,
		Source: sharedLibrary().source,
	})
	p.rule = "lower"
	for _, f := range faults {
		p.faultAt(f.Pos, f.Message, f.Fix)
	}
	if len(faults) > 0 {
		return ""
	}
	return p.CoreText(text)
}

// importable reports whether the interpreter knows a name of a package.
func importable(path, name string) bool {
	s, ok := symbols.Lookup(path)
	return ok && s.Has(name)
}

func (p *pass) diagnostics() inspectors.Diagnostics {
	if len(p.found) == 0 {
		return nil
	}
	faults := make(inspectors.Diagnostics, len(p.found))
	for i := range p.found {
		faults[i] = p.found[i].Diagnostic
	}
	return faults
}

// finding is a fault, and the name of the rule that found it.
type finding struct {
	inspectors.Diagnostic
	rule string
}

// findings are the faults of a script and the rules that found them, in the order of their
// places. Faults that the parser, the directives and the type checker report have the rules
// "source", "directive" and "types".
func findings(script inspectors.Script) []finding { return examine(script).found }

// examine checks a script and returns all findings.
func examine(script inspectors.Script) *pass {
	s := source.Parse(script)
	p := &pass{Source: s}
	p.add("source", s.Faults)
	var faults inspectors.Diagnostics
	if _, err := script.Directives(); errors.As(err, &faults) {
		p.add("directive", faults)
	}
	p.characters(script)
	if s.File != nil {
		p.checkTypes(sharedLibrary())
		p.applyRules()
	}
	if len(p.found) == 0 {
		p.core = p.lower()
	}
	p.found = sorted(p.found)
	return p
}

// pass is the check of one script.
type pass struct {
	*source.Source
	pkg  *types.Package
	info *types.Info

	path  []ast.Node // from the file down to the visited node
	rule  string     // the rule that is applied
	found []finding
	facts facts
	// aliases are the variables that may refer to something shared; see findAliases.
	aliases map[types.Object]*sharing
	core    string // the translation, if nothing was found
}

// add records faults that were found elsewhere.
func (p *pass) add(rule string, faults inspectors.Diagnostics) {
	for _, d := range faults {
		p.found = append(p.found, finding{d, rule})
	}
}

// fault records a finding of the current rule.
func (p *pass) fault(at ast.Node, message, fix string) {
	p.faultAt(at.Pos(), message, fix)
}

func (p *pass) faultAt(pos token.Pos, message, fix string) {
	d := p.Place(pos)
	d.Message, d.Fix = message, fix
	p.found = append(p.found, finding{d, p.rule})
}

// sorted sorts findings by place and drops duplicates. On a line where the parser has
// reported a fault, it drops those of the type checker, because the parser's are clearer.
func sorted(found []finding) []finding {
	slices.SortStableFunc(found, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
	said := make(map[int]bool)
	for _, f := range found {
		if f.rule == "source" {
			said[f.Line] = true
		}
	}
	found = slices.DeleteFunc(found, func(f finding) bool {
		return f.rule == "types" && said[f.Line]
	})
	return slices.Compact(found)
}
