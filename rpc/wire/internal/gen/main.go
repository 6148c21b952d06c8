// Command gen reads the messages of rpc/wire and writes the page's types and the table of
// methods in PROTOCOL.md. `go generate ./rpc/wire` runs it.
package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Where the files are, below the folder of rpc/wire.
const (
	typesFile    = "../../web/src/data/wire.gen.ts"
	protocolFile = "../PROTOCOL.md"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(wire string) error {
	m, err := read(wire)
	if err != nil {
		return err
	}
	protocol := filepath.Join(wire, protocolFile)
	text, err := os.ReadFile(protocol)
	if err != nil {
		return err
	}
	if text, err = m.protocol(text); err != nil {
		return fmt.Errorf("cannot write %q: %w", protocol, err)
	}
	if err := os.WriteFile(protocol, text, 0o644); err != nil {
		return err
	}
	types, err := m.typescript()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(wire, typesFile), types, 0o644)
}

// messages is what rpc/wire declares.
type messages struct {
	types   map[string]*ast.TypeSpec
	docs    map[string]string
	values  map[string][]string // of the constants of a type
	methods []method
}

// method is a row.
type method struct {
	name, access, says string
	bound              string // how it keeps to the hosts of the caller
	params, result     ast.Expr
	inOrder, audited   bool
}

func read(wire string) (*messages, error) {
	files, err := filepath.Glob(filepath.Join(wire, "*.go"))
	if err != nil {
		return nil, err
	}
	m := &messages{types: map[string]*ast.TypeSpec{}, docs: map[string]string{}, values: map[string][]string{}}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		for _, decl := range file.Decls {
			if decl, ok := decl.(*ast.GenDecl); ok {
				if err := m.add(decl); err != nil {
					return nil, fmt.Errorf("cannot read %q: %w", name, err)
				}
			}
		}
	}
	return m, nil
}

func (m *messages) add(decl *ast.GenDecl) error {
	for _, spec := range decl.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			m.types[spec.Name.Name] = spec
			m.docs[spec.Name.Name] = cmpText(spec.Doc, decl.Doc)
		case *ast.ValueSpec:
			if err := m.value(spec); err != nil {
				return err
			}
		}
	}
	return nil
}

func cmpText(own, outer *ast.CommentGroup) string {
	if own != nil {
		return own.Text()
	}
	return outer.Text()
}

// value adds a constant that has a type, or a row.
func (m *messages) value(spec *ast.ValueSpec) error {
	if of, ok := spec.Type.(*ast.Ident); ok && len(spec.Values) == 1 {
		if lit, ok := spec.Values[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
			text, err := strconv.Unquote(lit.Value)
			m.values[of.Name] = append(m.values[of.Name], text)
			return err
		}
	}
	if len(spec.Values) != 1 {
		return nil
	}
	lit, ok := spec.Values[0].(*ast.CompositeLit)
	if !ok {
		return nil
	}
	of, ok := lit.Type.(*ast.IndexListExpr)
	if !ok || fmt.Sprint(of.X) != "Method" {
		return nil
	}
	row := method{params: of.Indices[0], result: of.Indices[1]}
	for _, element := range lit.Elts {
		pair := element.(*ast.KeyValueExpr)
		switch key := fmt.Sprint(pair.Key); key {
		case "Name", "Says":
			text, err := strconv.Unquote(pair.Value.(*ast.BasicLit).Value)
			if err != nil {
				return err
			}
			if key == "Name" {
				row.name = text
			} else {
				row.says = text
			}
		case "For":
			row.access = strings.ToLower(fmt.Sprint(pair.Value))
		case "Bound":
			row.bound = fmt.Sprint(pair.Value)
		case "InOrder":
			row.inOrder = true
		case "Audit":
			row.audited = true
		}
	}
	if row.name == "" || row.access == "" || row.says == "" {
		return fmt.Errorf("the row %s lacks its name, whom it is for, or what it says", spec.Names[0])
	}
	if called := row.access != "master" && row.access != "subscriber"; called && row.bound == "" {
		return fmt.Errorf("the row %s does not say how it keeps to the hosts that its caller is bound to: give Bound one of NoHosts, OwnHost, ByHost, ByResult, "+
			"Within, Unbound", spec.Names[0])
	}
	m.methods = append(m.methods, row)
	return nil
}

// field is a member of a message, with those of embedded structs in their place.
type field struct {
	name     string
	typ      ast.Expr
	optional bool
	doc      string
}

func (m *messages) fields(name string) ([]field, error) {
	spec, ok := m.types[name]
	if !ok {
		return nil, fmt.Errorf("there is no type %s", name)
	}
	body, ok := spec.Type.(*ast.StructType)
	if !ok {
		return nil, fmt.Errorf("%s is not a struct", name)
	}
	var all []field
	for _, f := range body.Fields.List {
		if len(f.Names) == 0 {
			inner, err := m.fields(fmt.Sprint(f.Type))
			if err != nil {
				return nil, err
			}
			all = append(all, inner...)
			continue
		}
		if f.Tag == nil {
			return nil, fmt.Errorf("%s.%s has no tag", name, f.Names[0])
		}
		_, tag, _ := strings.Cut(strings.Trim(f.Tag.Value, "`"), `json:"`)
		parts := strings.Split(strings.TrimSuffix(tag, `"`), ",")
		doc := f.Doc.Text()
		if doc == "" {
			doc = f.Comment.Text()
		}
		all = append(all, field{name: parts[0], typ: f.Type, optional: slices.Contains(parts[1:], "omitempty"), doc: doc})
	}
	return all, nil
}

// members are the members of a message as PROTOCOL.md gives them.
func (m *messages) members(typ ast.Expr) (string, error) {
	if _, ok := typ.(*ast.StarExpr); ok {
		return "`null`", nil
	}
	fields, err := m.fields(fmt.Sprint(typ))
	if err != nil {
		return "", err
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = "`" + f.name + "`"
		if f.optional {
			names[i] += "?"
		}
	}
	return "{" + strings.Join(names, ", ") + "}", nil
}

const (
	begin = "<!-- generated by go generate ./rpc/wire -->\n"
	end   = "<!-- end of what is generated -->\n"
)

// bindings writes how methods keep to the hosts of their caller.
func (m *messages) bindings(b *bytes.Buffer) {
	b.WriteString("\nFor callers who are bound to some hosts ([docs/access.md](../docs/access.md)):\n\n")
	for _, group := range []struct{ says, names string }{
		{"are about no host, and the same for everybody", "NoHosts"},
		{"are an agent's, for its own host", "OwnHost"},
		{"are refused for other hosts, like hosts that do not exist", "ByHost"},
		{"keep to their hosts", "ByResult Within"},
		{"are refused", "Unbound"},
	} {
		var names []string
		for _, row := range m.methods {
			if slices.Contains(strings.Fields(group.names), row.bound) {
				names = append(names, "`"+row.name+"`")
			}
		}
		fmt.Fprintf(b, "- %s: %s\n", group.says, strings.Join(names, ", "))
	}
}

// protocol puts the table of methods into PROTOCOL.md, between its marks.
func (m *messages) protocol(text []byte) ([]byte, error) {
	before, rest, ok := bytes.Cut(text, []byte(begin))
	_, after, ok2 := bytes.Cut(rest, []byte(end))
	if !ok || !ok2 {
		return nil, fmt.Errorf("the marks %q and %q are not there", strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	var b bytes.Buffer
	b.Write(before)
	b.WriteString(begin + "\n| method | for | params → result | |\n|---|---|---|---|\n")
	for _, row := range m.methods {
		params, err := m.members(row.params)
		if err != nil {
			return nil, err
		}
		result, err := m.members(row.result)
		if err != nil {
			return nil, err
		}
		says := row.says
		if row.inOrder && row.access != "subscriber" {
			says += " Handled in order."
		}
		if row.audited {
			says += " Audited."
		}
		shape := params + " → " + result
		if row.access == "subscriber" {
			shape = params
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", row.name, row.access, shape, says)
	}
	m.bindings(&b)
	b.WriteString("\n" + end)
	b.Write(after)
	return b.Bytes(), nil
}
