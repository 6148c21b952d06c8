// Package source parses a script into the file that is checked and compiled, and
// resolves its imports. It is shared by the checker and by the engine, so that
// both see one text with the same places.
package source

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/script/symbols"
)

// Source is one script, parsed. Positions in it are those of Text, which for a
// bare body is the body with a head before and a tail after it; Place turns
// them into those of the author's file.
type Source struct {
	Origin
	// Text is the compiled text.
	Text string

	Fset *token.FileSet
	// File is nil if the text could not be parsed.
	File  *ast.File
	Shape Shape
	// Imports are the packages that the file imports, by their name in it.
	Imports map[string]symbols.Package
	// Used are the exported names that the file selects, by import path.
	Used map[string][]string

	// Faults are the faults so far, in no order.
	Faults inspectors.Diagnostics
}

// Origin converts places in the compiled text to those in the author's file.
type Origin struct {
	Script inspectors.Script
	head   int // lines of the text before the author's first
	lines  int // lines of the author's source
}

// FileName stands for the script's file inside the interpreter. It is constant, so no part
// of an outside name can be taken for a place.
const FileName = "inspector.go"

// PackageName is the package that every script is compiled as, whatever its
// package clause says, so that package main has no special meaning.
const PackageName = "inspector"

// Parse reads a script: a whole file, or the bare body of an Inspect function. Faults of
// its syntax, imports, names and the signature of Inspect are in the source's faults; if
// the text cannot be parsed, File is nil.
func Parse(script inspectors.Script) *Source {
	s := &Source{
		Origin: originOf(script),
		Text:   script.Source,
		Fset:   token.NewFileSet(),
	}
	tokens := scan(script.Source)
	switch at := declaration(tokens); {
	case len(tokens) == 0:
		s.faultAt(s.Script.Place(1, 1), "the script is empty", "write a Go file with a func Inspect, or the body of one")
	case tokens[0].tok == token.PACKAGE:
		s.parseText()
	case at >= 0:
		s.faultAt(s.Script.Place(tokens[at].place.Line, tokens[at].place.Column), "the file has no package clause",
			"write one above, as: package inspector; or write only the body of Inspect")
	default:
		s.parseBody()
	}
	if s.File != nil {
		s.resolveImports()
		s.findShape()
	}
	return s
}

// parseText parses s.Text and sets s.File, or records every syntax error.
func (s *Source) parseText() {
	file, err := parser.ParseFile(s.Fset, FileName, s.Text, parser.ParseComments|parser.AllErrors)
	if err == nil {
		s.File = file
		return
	}
	var list scanner.ErrorList
	if !errors.As(err, &list) {
		s.faultAt(s.Script.Place(1, 1), err.Error(), "")
		return
	}
	seen := make(map[int]bool)
	for _, e := range list {
		at := s.PlaceAt(e.Pos.Line, e.Pos.Column)
		if seen[at.Line] {
			continue // one syntax error drags others of its line along
		}
		seen[at.Line] = true
		s.faultAt(at, e.Msg, "")
	}
}

// Place returns an empty diagnostic at a position of the text. It ignores
// //line comments.
func (s *Source) Place(pos token.Pos) inspectors.Diagnostic {
	if !pos.IsValid() {
		return s.Script.Place(1, 0)
	}
	at := s.Fset.PositionFor(pos, false)
	return s.PlaceAt(at.Line, at.Column)
}

// PlaceAt is Place for a line and column of the text. The head and the tail of a bare body
// are placed at its start or end.
func (o Origin) PlaceAt(line, col int) inspectors.Diagnostic {
	line -= o.head
	switch {
	case line < 1:
		return o.Script.Place(1, 0)
	case line > o.lines:
		return o.Script.Place(o.lines, 0)
	}
	return o.Script.Place(line, col)
}

func (s *Source) fault(pos token.Pos, message, fix string) {
	s.faultAt(s.Place(pos), message, fix)
}

func (s *Source) faultAt(at inspectors.Diagnostic, message, fix string) {
	at.Message, at.Fix = message, fix
	s.Faults = append(s.Faults, at)
}

// lexeme is one token and its place.
type lexeme struct {
	tok   token.Token
	place token.Position
}

// scan returns the tokens of a text, without comments.
func scan(text string) []lexeme {
	file := token.NewFileSet().AddFile(FileName, -1, len(text))
	var sc scanner.Scanner
	sc.Init(file, []byte(text), func(token.Position, string) {}, 0)
	var list []lexeme
	for {
		pos, tok, _ := sc.Scan()
		if tok == token.EOF {
			return list
		}
		list = append(list, lexeme{tok, file.PositionFor(pos, false)})
	}
}

// declaration returns the index of the first token that is only possible in a file: an
// import, or the declaration of a function or method. It is -1 if there is none, as in the
// body of a function.
func declaration(tokens []lexeme) int {
	depth := 0
	for i, l := range tokens {
		starts := i == 0 || tokens[i-1].tok == token.SEMICOLON
		switch l.tok {
		case token.LBRACE, token.LPAREN, token.LBRACK:
			depth++
		case token.RBRACE, token.RPAREN, token.RBRACK:
			depth--
		case token.IMPORT:
			return i
		case token.FUNC:
			if starts && depth == 0 && declaresFunc(tokens[i+1:]) {
				return i
			}
		}
	}
	return -1
}

// declaresFunc distinguishes "name(" and "(recv) name(" after func from a literal.
func declaresFunc(rest []lexeme) bool {
	if len(rest) > 0 && rest[0].tok == token.LPAREN {
		depth, i := 1, 1
		for ; i < len(rest) && depth > 0; i++ {
			switch rest[i].tok {
			case token.LPAREN:
				depth++
			case token.RPAREN:
				depth--
			}
		}
		rest = rest[i:]
		return len(rest) > 1 && rest[0].tok == token.IDENT && rest[1].tok == token.LPAREN
	}
	return len(rest) > 0 && rest[0].tok == token.IDENT
}
