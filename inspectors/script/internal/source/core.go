package source

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
)

// Core is a parsed script in the form that the interpreter gets. Line comments make its
// positions those of the script's text.
type Core struct {
	Origin
	Fset  *token.FileSet
	File  *ast.File
	Shape Shape
	// Used are the exported names that it selects, by import path.
	Used map[string][]string
}

const coreHead = "// core 1 "

// CoreText prepends what the interpreter must know about the source to a translated script.
func (s *Source) CoreText(text string) string {
	return fmt.Sprintf("%s%d %d\n%s", coreHead, s.Shape, s.head, text)
}

// ParseCore parses the output of CoreText. The positions go into fset, which is the
// interpreter's own.
func ParseCore(script inspectors.Script, fset *token.FileSet, text string) (*Core, error) {
	c := &Core{Origin: originOf(script), Fset: fset, Used: make(map[string][]string)}
	line, _, _ := strings.Cut(strings.TrimPrefix(text, coreHead), "\n")
	if _, err := fmt.Sscanf(line, "%d %d", &c.Shape, &c.head); err != nil || !strings.HasPrefix(text, coreHead) {
		return nil, fmt.Errorf("cannot read the translation of %q: it was made by another version", script.File)
	}
	var err error
	c.File, err = parser.ParseFile(fset, FileName, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("cannot read the translation of %q: %w", script.File, err)
	}
	c.use()
	return c, nil
}

// use collects the names that the file selects from its imports, whose names are unique in
// it.
func (c *Core) use() {
	paths := make(map[string]string)
	for _, spec := range c.File.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err == nil && spec.Name != nil {
			paths[spec.Name.Name] = path
			c.Used[path] = nil
		}
	}
	ast.Inspect(c.File, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := sel.X.(*ast.Ident); ok {
			if path, ok := paths[x.Name]; ok && !slices.Contains(c.Used[path], sel.Sel.Name) {
				c.Used[path] = append(c.Used[path], sel.Sel.Name)
			}
		}
		return true
	})
}

// Head is the number of lines in the text before the author's first.
func (o Origin) Head() int { return o.head }

func originOf(script inspectors.Script) Origin {
	return Origin{Script: script, lines: strings.Count(strings.TrimSuffix(script.Source, "\n"), "\n") + 1}
}
