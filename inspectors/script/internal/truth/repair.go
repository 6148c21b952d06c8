package truth

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"go/types"
	"strings"
)

// apply returns the text of a script after one of its edits, made well-typed
// again by taking out what is no longer used; or "" where that cannot be had.
func (l *Library) apply(source string, numbers ...int) string {
	t, faults := l.Check(source)
	if len(faults) > 0 {
		return ""
	}
	list := edits(t)
	for _, i := range numbers {
		list[i]()
	}
	text := printed(t)
	for range 12 {
		if text == "" {
			return ""
		}
		t, faults := l.Check(text)
		if len(faults) == 0 {
			return text
		}
		if t == nil || !repair(t, faults) {
			return ""
		}
		text = printed(t)
	}
	return ""
}

func printed(t *Typed) string {
	t.File.Comments = nil
	var b bytes.Buffer
	if format.Node(&b, t.Fset, t.File) != nil {
		return ""
	}
	// Parsed again without places, so that removed code leaves no gaps.
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "p.go", b.Bytes(), parser.SkipObjectResolution)
	if err != nil {
		return ""
	}
	var again bytes.Buffer
	if format.Node(&again, fset, f) != nil {
		return ""
	}
	return blankLines(again.String())
}

func blankLines(s string) string {
	var lines []string
	for line := range strings.SplitSeq(s, "\n") {
		if strings.TrimSpace(line) != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

// repair takes out declarations and imports that are not used, and reports
// whether there was one.
func repair(t *Typed, faults []types.Error) bool {
	done := false
	for _, f := range faults {
		switch {
		case strings.HasPrefix(f.Msg, "declared and not used"):
			done = dropVariable(t, f.Pos) || done
		case strings.Contains(f.Msg, "imported and not used"):
			done = dropImport(t, f.Pos) || done
		case strings.Contains(f.Msg, "label") && strings.Contains(f.Msg, "declared and not used"):
			done = dropLabel(t, f.Pos) || done
		}
	}
	return done
}

func dropImport(t *Typed, pos token.Pos) bool {
	for i, d := range t.File.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.IMPORT {
			continue
		}
		for j, s := range g.Specs {
			if s.Pos() <= pos && pos < s.End() {
				g.Specs = cut(g.Specs, j, 1)
				if len(g.Specs) == 0 {
					t.File.Decls = cut(t.File.Decls, i, 1)
				}
				return true
			}
		}
	}
	return false
}

func dropLabel(t *Typed, pos token.Pos) bool {
	done := false
	ast.Inspect(t.File, func(n ast.Node) bool {
		list := statementList(n)
		if list == nil || done {
			return !done
		}
		for i, s := range *list {
			if l, ok := s.(*ast.LabeledStmt); ok && l.Pos() == pos {
				(*list)[i] = l.Stmt
				done = true
			}
		}
		return true
	})
	return done
}

func statementList(n ast.Node) *[]ast.Stmt {
	switch n := n.(type) {
	case *ast.BlockStmt:
		return &n.List
	case *ast.CaseClause:
		return &n.Body
	case *ast.CommClause:
		return &n.Body
	}
	return nil
}

// dropVariable takes out the declaration of a variable, or names it _.
func dropVariable(t *Typed, pos token.Pos) bool {
	done := false
	ast.Inspect(t.File, func(n ast.Node) bool {
		if done {
			return false
		}
		switch n := n.(type) {
		case *ast.RangeStmt:
			done = blank(&n.Key, pos) || blank(&n.Value, pos)
			if done && isBlank(n.Key) && (n.Value == nil || isBlank(n.Value)) {
				n.Key, n.Value, n.Tok = nil, nil, token.ILLEGAL
			}
		case *ast.TypeSwitchStmt:
			if a, ok := n.Assign.(*ast.AssignStmt); ok && a.Lhs[0].Pos() == pos {
				n.Assign = &ast.ExprStmt{X: a.Rhs[0]}
				done = true
			}
		case *ast.IfStmt:
			done = dropInit(&n.Init, pos)
		case *ast.SwitchStmt:
			done = dropInit(&n.Init, pos)
		}
		if list := statementList(n); list != nil && !done {
			done = dropFrom(list, pos)
		}
		return true
	})
	return done
}

func isBlank(x ast.Expr) bool {
	id, ok := x.(*ast.Ident)
	return ok && id.Name == "_"
}

func blank(x *ast.Expr, pos token.Pos) bool {
	if *x == nil || (*x).Pos() != pos {
		return false
	}
	*x = &ast.Ident{Name: "_"}
	return true
}

func dropInit(s *ast.Stmt, pos token.Pos) bool {
	if a, ok := (*s).(*ast.AssignStmt); ok && len(a.Lhs) == 1 && a.Lhs[0].Pos() == pos {
		*s = nil
		return true
	}
	return false
}

// dropFrom takes the declaration at pos out of a list of statements.
func dropFrom(list *[]ast.Stmt, pos token.Pos) bool {
	for i, s := range *list {
		switch s := s.(type) {
		case *ast.AssignStmt:
			if s.Tok != token.DEFINE {
				continue
			}
			if dropTarget(list, i, s, pos) {
				return true
			}
		case *ast.DeclStmt:
			g, _ := s.Decl.(*ast.GenDecl)
			for _, spec := range g.Specs {
				if v, ok := spec.(*ast.ValueSpec); ok && v.Pos() <= pos && pos < v.End() && len(v.Names) == 1 && len(g.Specs) == 1 {
					*list = cut(*list, i, 1)
					return true
				}
			}
		}
	}
	return false
}

func dropTarget(list *[]ast.Stmt, i int, s *ast.AssignStmt, pos token.Pos) bool {
	for j, x := range s.Lhs {
		if x.Pos() != pos {
			continue
		}
		switch {
		case len(s.Lhs) == 1:
			*list = cut(*list, i, 1)
		case len(s.Lhs) == len(s.Rhs):
			s.Lhs, s.Rhs = cut(s.Lhs, j, 1), cut(s.Rhs, j, 1)
		default:
			s.Lhs[j] = &ast.Ident{Name: "_"}
			for _, other := range s.Lhs {
				if !isBlank(other) {
					return true
				}
			}
			s.Tok = token.ASSIGN
		}
		return true
	}
	return false
}
