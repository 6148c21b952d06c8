package config

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// The reference and the example file are made of the fields of the configuration:
// their comments, their types and their tags.
func TestReference(t *testing.T) {
	r := readReference(t)
	golden(t, "../docs/configuration.md", r.manual())
	golden(t, "../docs/examples/vedette.yaml", r.example())
}

// The example file has every setting of a section at its default.
func TestExampleIsTheDefault(t *testing.T) {
	environ := []string{"HOME=/home/me"}
	load := func(path string) string {
		c, err := Load(LoadOptions{Path: path, Dir: t.TempDir(), Environ: environ})
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		if err := c.Print(&text); err != nil {
			t.Fatal(err)
		}
		return regexp.MustCompile(` +# .*`).ReplaceAllString(text.String(), "") // whence each came
	}
	if got, want := load("../docs/examples/vedette.yaml"), load(""); got != want {
		t.Errorf("the example file gives:\n%s\nand no file gives:\n%s", got, want)
	}
}

// reference is what the comments of the configuration say, and how it is put.
type reference struct {
	t     *testing.T
	docs  map[string]string // by Struct and Struct.Field
	paths map[string]string // the path in YAML, by Struct.Field
}

func readReference(t *testing.T) *reference {
	t.Helper()
	r := &reference{t: t, docs: make(map[string]string), paths: make(map[string]string)}
	for _, file := range []string{"config.go", "collect.go", "remote_write.go", "audit.go", "upgrade.go", "oidc.go", "two_persons.go"} {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			decl, ok := n.(*ast.GenDecl)
			if !ok || decl.Tok != token.TYPE {
				return true
			}
			spec := decl.Specs[0].(*ast.TypeSpec)
			if s, ok := spec.Type.(*ast.StructType); ok {
				r.docs[spec.Name.Name] = decl.Doc.Text()
				for _, field := range s.Fields.List {
					for _, name := range field.Names {
						r.docs[spec.Name.Name+"."+name.Name] = field.Doc.Text()
					}
				}
			}
			return true
		})
	}
	r.walk(reflect.TypeFor[Config](), "", func(owner, f string, s Setting) { r.paths[owner+"."+f] = s.Path })
	return r
}

// walk visits the fields of the configuration: of each section first the settings,
// then the sections in it.
func (r *reference) walk(t reflect.Type, path string, visit func(owner, field string, s Setting)) {
	var sections []func()
	for f := range t.Fields() {
		name := f.Tag.Get("yaml")
		if name == "-" {
			name = f.Tag.Get("name")
		}
		if name == "" {
			continue
		}
		s := settingOfField(f, strings.TrimPrefix(path+"."+name, "."))
		if inner, index := elements(f.Type); inner != nil {
			sections = append(sections, func() {
				visit(t.Name(), f.Name, s)
				r.walk(inner, s.Path+index, visit)
			})
			continue
		}
		visit(t.Name(), f.Name, s)
	}
	for _, section := range sections {
		section()
	}
}

var qualified = regexp.MustCompile(`\b([A-Z]\w*)\.([A-Z]\w*)\b`)

// says is the comment of a field in the words of the file: names of fields become
// names of settings.
func (r *reference) says(owner, field string) string {
	text := strings.Join(strings.Fields(r.docs[owner+"."+field]), " ")
	if text == "" {
		r.t.Errorf("%s.%s has no comment", owner, field)
	}
	_, text, found := strings.Cut(text, field+" ")
	if !found {
		r.t.Errorf("the comment of %s.%s does not start with its name", owner, field)
	}
	path := r.paths[owner+"."+field]
	name := path[strings.LastIndex(path, ".")+1:]
	return "`" + name + "` " + r.inYAML(text)
}

func (r *reference) inYAML(text string) string {
	return qualified.ReplaceAllStringFunc(text, func(name string) string {
		if path, ok := r.paths[name]; ok {
			return "`" + path + "`"
		}
		return name
	})
}

const manualHead = `# Configuration

<!-- Made by: go test ./config -run TestReference -update -->

Every setting of ` + "`vedette master`, `vedette agent` and `vedette dev`" + `, and of the file that ` + "`--config`" + ` names.
A value comes from the first of these that has it: a flag, the environment, the file .env in the current directory,
the configuration file, the default. ` + "`vedette config print`" + ` shows what they come to, and where each value is from.

An unknown key, a value of the wrong type and a value out of range are errors that name the file, the line and the setting. In the
file, relative paths count from the folder of the file. Durations are written ` + "`500ms`, `10s`, `1h30m` or `15d`" + `, sizes ` + "`4096`, `64MiB` or `10GB`" + `.
[examples/vedette.yaml](examples/vedette.yaml) is a file with every setting at its default.
`

// manual is docs/configuration.md.
func (r *reference) manual() string {
	var b strings.Builder
	b.WriteString(manualHead)
	r.walk(reflect.TypeFor[Config](), "", func(owner, field string, s Setting) {
		if inner, index := elements(s.Type); inner != nil {
			b.WriteString("\n## " + s.Path + index + "\n\n" + r.says(owner, field) + "\n")
			if _, more, _ := strings.Cut(r.docs[inner.Name()], ". "); index != "" && more != "" {
				b.WriteString("\n" + r.inYAML(strings.Join(strings.Fields(more), " ")) + "\n")
			}
			b.WriteString("\n| setting | type | default | may be | environment |\n|---|---|---|---|---|\n")
			return
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.says(owner, field), typeName(s.Type), byDefault(s), mayBe(s), code(s.Env))
	})
	b.WriteString(`
## Variables of the environment beside these

| variable | means |
|---|---|
| ` + "`MASTER_IP`, `MASTER_PORT`" + ` | the two halves of ` + "`master.listen` and `agent.master`" + `; the more exact variables win |
| ` + code(VariableConfig) + ` | the configuration file, like ` + "`--config`" + ` |
| ` + code(VariableSignKey) + ` | the file with the key that signs what is pushed |
| ` + code(VariableTimeout) + ` | how long commands wait for an answer of the master |
`)
	return b.String()
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

func typeName(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "duration"
	case t == reflect.TypeFor[Bytes]():
		return "size"
	case t == reflect.TypeFor[Library]():
		return "names"
	case t.Kind() == reflect.Slice:
		return "list"
	case t.Kind() == reflect.Map:
		return "map of text"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Int && t.Name() == "int":
		return "number"
	}
	return "text"
}

func byDefault(s Setting) string {
	switch {
	case s.Required:
		return "required"
	case s.Zero != "" && s.Default == "0":
		return "`0`: " + s.Zero
	case s.Absent != "":
		return s.Absent
	case s.Default == "":
		return "none"
	}
	return code(s.Default)
}

func mayBe(s Setting) string {
	switch {
	case s.OneOf != nil:
		return "`" + strings.Join(s.OneOf, "`, `") + "`"
	case s.Min != "" && s.Max != "":
		return code(s.Min) + " to " + code(s.Max)
	case s.Min != "":
		return "from " + code(s.Min)
	case s.Max != "":
		return "up to " + code(s.Max)
	}
	return ""
}

// example is docs/examples/vedette.yaml: settings with a default are there with it, and the
// others are comments.
func (r *reference) example() string {
	var b strings.Builder
	b.WriteString("# Every setting of Vedette at its default; docs/configuration.md says more.\n" +
		"# Made by: go test ./config -run TestReference -update\n")
	r.walk(reflect.TypeFor[Config](), "", func(owner, field string, s Setting) {
		depth := strings.Count(s.Path, ".")
		name := s.Path[strings.LastIndex(s.Path, ".")+1:]
		inner, index := elements(s.Type)
		switch {
		case strings.Contains(s.Path, "["), s.Path == "agent.token":
			return // entries are told of where their list stands
		case depth == 0:
			fmt.Fprintf(&b, "\n%s:\n", name)
			if index != "" {
				b.WriteString("  # load/average-1:\n  #   interval: 1s\n  #   file: load.go\n")
			}
			return
		}
		indent := strings.Repeat("  ", depth)
		for _, line := range wrap(strings.ReplaceAll(r.says(owner, field), "`", ""), 100-len(indent)) {
			b.WriteString(indent + "# " + line + "\n")
		}
		if may := strings.ReplaceAll(mayBe(s), "`", ""); may != "" {
			b.WriteString(indent + "# May be " + may + ".\n")
		}
		switch {
		case inner != nil && index == "":
			fmt.Fprintf(&b, "%s%s:\n", indent, name)
		case s.Default != "":
			fmt.Fprintf(&b, "%s%s: %s\n", indent, name, s.Default)
		default:
			absent := s.Absent
			if absent == "" {
				absent = "none"
			}
			fmt.Fprintf(&b, "%s# %s: # default: %s\n", indent, name, absent)
		}
	})
	return b.String()
}

// wrap cuts a text into lines.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return append(lines, line)
}

// No document beside these files names a setting that there is not.
func TestDocumentsNameSettingsThatExist(t *testing.T) {
	var known []string
	for _, s := range Settings() {
		known = append(known, regexp.MustCompile(`\[\w+\]`).ReplaceAllString(s.Path, ""))
	}
	exists := func(path string) bool {
		return slices.ContainsFunc(known, func(k string) bool { return k == path || strings.HasPrefix(k, path+".") })
	}
	named := regexp.MustCompile("`((?:master|agent|log)\\.[a-z_]+(?:\\.[a-z_]+)*)`")
	for _, file := range []string{
		"../README.md", "../docs/grafana.md", "../docs/isolation.md", "../docs/limits.md", "../docs/proxy.md", "../docs/push.md",
		"../docs/web.md", "../docs/budgets.md",
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllStringSubmatch(string(text), -1) {
			if !exists(m[1]) && strings.Contains(m[1], "_") {
				t.Errorf("%s names %s, and there is no such setting", file, m[1])
			}
		}
	}
}
