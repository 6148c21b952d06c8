package lower

import (
	"go/ast"
	"go/types"
	"strings"
)

// The interpreter does not say where in a function a panic was. So before each line of Core
// that may panic, the source line that it stands for is stored in a variable, which the
// host reads after a panic. It is only stored again where it may have changed: after a
// call, and where blocks begin and end.

// marker writes that variable in the functions of Core.
type marker struct {
	name string // of the variable
	used bool   // it is written somewhere

	b      strings.Builder
	at     string   // the line of the source, or "" where there is none
	noted  string   // the value that the variable certainly has, or ""
	around []string // the lines of the statements around, outermost first
}

// mark returns the text of a function with the variable in it.
func (m *marker) mark(text string) string {
	m.b.Reset()
	m.at, m.noted, m.around = "", "", m.around[:0]
	labelled := false
	for len(text) > 0 {
		line, rest, _ := strings.Cut(text, "\n")
		places, line := m.places(line)
		f := lookAt(line)
		risk := f.risk && !labelled
		if labelled = f.label; labelled { // the label must stay at its loop
			next, _, _ := strings.Cut(rest, "\n")
			risk = lookAt(next).risk
		}
		if risk && m.at != "" && m.at != m.noted {
			m.b.WriteString(m.name + " = " + m.at + "; ")
			m.noted, m.used = m.at, true
		}
		m.b.WriteString(places)
		m.b.WriteString(line)
		m.b.WriteByte('\n')
		m.nest(f)
		text = rest
	}
	return m.b.String()
}

// places cuts a line after the line comments at its start.
func (m *marker) places(line string) (places, rest string) {
	const head = "/*line :"
	rest = line
	for strings.HasPrefix(rest, head) {
		end := strings.Index(rest, "*/") + len("*/")
		m.at, _, _ = strings.Cut(rest[len(head):end], ":")
		rest = rest[end:]
	}
	return line[:len(line)-len(rest)], rest
}

// nest tracks the blocks that a line ends and begins, and the calls in it.
func (m *marker) nest(f facts) {
	if f.closes && len(m.around) > 0 {
		m.at = m.around[len(m.around)-1]
		m.around = m.around[:len(m.around)-1]
	}
	if f.opens {
		m.around = append(m.around, m.at)
	}
	if f.opens || f.closes || f.jumped || f.calls {
		m.noted = ""
	}
}

// facts say what a line of Core does.
type facts struct {
	risk   bool // it may panic
	calls  bool // it may run other lines of the script
	opens  bool // a block
	closes bool // a block
	jumped bool // it may be reached from elsewhere
	label  bool // it is the label of the loop that follows
}

// lookAt determines what a line does.
func lookAt(line string) facts {
	f := facts{
		opens:  strings.HasSuffix(line, "{"),
		closes: strings.HasPrefix(line, "}"),
		jumped: strings.HasSuffix(line, ":"),
		label:  strings.HasPrefix(line, "loop"+mark) && strings.HasSuffix(line, ":"),
	}
	switch {
	case f.closes, f.jumped, strings.HasPrefix(line, "func "), strings.HasPrefix(line, "return func("):
		return f
	case strings.HasPrefix(line, "var "):
		_, line, _ = strings.Cut(line, "=") // a type cannot panic
	}
	s := scanner{line: line}
	for s.i < len(line) {
		s.next(&f)
	}
	return f
}

// scanner reads a line of Core.
type scanner struct {
	line    string
	i       int
	operand bool // the last token can be indexed, called or divided
}

// next reads the next token of a line.
func (s *scanner) next(f *facts) {
	c := s.line[s.i]
	rest := s.line[s.i+1:]
	switch {
	case c == ' ':
		s.i++
		return
	case isLetter(c):
		s.word(f)
		return
	case c >= '0' && c <= '9':
		for s.i < len(s.line) && (isLetter(s.line[s.i]) || s.line[s.i] >= '0' && s.line[s.i] <= '9' || s.line[s.i] == '.') {
			s.i++
		}
		s.operand = true
		return
	case c == '"' || c == '\'':
		s.skipLiteral(c)
		return
	case c == '/' && strings.HasPrefix(rest, "*"):
		s.i += strings.Index(s.line[s.i:], "*/") + len("*/")
		return
	case c == '/' || c == '%': // except if a constant divides
		by := strings.TrimLeft(rest, "= ")
		f.risk = f.risk || by == "" || by[0] < '0' || by[0] > '9'
	case c == '[':
		f.risk = f.risk || s.operand
	case c == '.': // of a pointer or a package, or an assertion
		f.risk = f.risk || s.operand
	case c == '*':
		f.risk = f.risk || !s.operand
	case c == '<' && strings.HasPrefix(rest, "-"):
		f.risk = true
	}
	s.operand = c == ')' || c == ']' || c == '}'
	s.i++
}

func isLetter(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// skipLiteral goes past a text or a character.
func (s *scanner) skipLiteral(quote byte) {
	for s.i++; s.i < len(s.line) && s.line[s.i] != quote; s.i++ {
		if s.line[s.i] == '\\' {
			s.i++
		}
	}
	s.i++
	s.operand = true
}

// word looks at a name, and whether it is called.
func (s *scanner) word(f *facts) {
	from := s.i
	for s.i < len(s.line) && (isLetter(s.line[s.i]) || s.line[s.i] >= '0' && s.line[s.i] <= '9') {
		s.i++
	}
	name := s.line[from:s.i]
	switch name {
	case "if", "for", "range", "return", "go", "case":
		s.operand = false
		return
	case "map":
		s.operand = false // its key stands in brackets
		return
	}
	s.operand = true
	if s.i == len(s.line) || s.line[s.i] != '(' {
		return
	}
	method := from > 0 && s.line[from-1] == '.'
	switch {
	case method:
		f.risk, f.calls = true, true
	case strings.HasPrefix(name, "func"+mark), strings.HasPrefix(name, "set"+mark), isQuiet(name):
	case name == "make", name == "close":
		f.risk = true
	default:
		f.risk, f.calls = true, true
	}
}

// isQuiet reports a predeclared function whose call does not panic.
func isQuiet(name string) bool {
	switch name {
	case "len", "cap", "append", "copy", "new", "complex", "real", "imag", "func", "delete",
		"int", "int8", "int16", "int32", "int64", "uint", "uint8", "uint16", "uint32", "uint64", "uintptr", "float32", "float64",
		"complex64", "complex128", "string", "byte", "rune", "bool":
		return true
	}
	return false
}

// settled makes the code of an expression for a place that may panic. If the expression
// runs other lines of the script, its value is put in a variable first.
func (l *lowering) settled(e ast.Expr) code { return l.settle(l.expr(e), e) }

func (l *lowering) settle(c code, e ast.Expr) code {
	if c.p == atom || c.p == constantCode || !strings.Contains(c.text, "(") || !l.runsLines(e) {
		return c
	}
	return l.hold(c, l.typeOf(e))
}

// runsLines reports an expression that may run other lines of the script: it calls one of
// its functions, or passes one, or a value that may have methods, to the library.
func (l *lowering) runsLines(e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		c, ok := n.(*ast.CallExpr)
		if !ok {
			return !found
		}
		sig, ok := l.typeOf(c.Fun).Underlying().(*types.Signature)
		if !ok || l.predeclared(c) != "" {
			return !found // a conversion
		}
		f, _ := l.callee(c.Fun)
		found = found || f == nil || l.translated(f)
		for v := range sig.Params().Variables() {
			t := v.Type()
			if s, ok := t.Underlying().(*types.Slice); ok && sig.Variadic() {
				t = s.Elem()
			}
			_, function := t.Underlying().(*types.Signature)
			found = found || function || types.IsInterface(t)
		}
		return !found
	})
	return found
}
