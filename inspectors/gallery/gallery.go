// Package gallery has probes to start from: scripts that are useful as they are, or after a
// change of the constants at their top.
//
// Each has its own folder and also compiles natively. `vedette init` copies one under
// another name.
package gallery

import (
	"embed"
	"fmt"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
)

//go:embed */*.go
var scripts embed.FS

// Blank is the name of the smallest template.
const Blank = "blank"

// Template is one probe of the gallery.
type Template struct {
	Name   string // as its directive says
	About  string // the first sentence of its comment
	Needs  string // in addition to what every script may read, or ""
	Source string
}

// All returns the templates by name, the blank one first.
func All() []Template {
	folders, err := scripts.ReadDir(".")
	if err != nil {
		panic(err) // it is embedded
	}
	var all []Template
	for _, folder := range folders {
		all = append(all, read(folder.Name()))
	}
	slices.SortFunc(all, func(a, b Template) int {
		switch {
		case a.Name == Blank:
			return -1
		case b.Name == Blank:
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return all
}

// Get returns the template with a name.
func Get(name string) (Template, bool) {
	all := All()
	i := slices.IndexFunc(all, func(t Template) bool { return t.Name == name })
	if i < 0 {
		return Template{}, false
	}
	return all[i], true
}

// read reads an embedded file. A file that is not a probe is our mistake, which the tests
// find.
func read(folder string) Template {
	file := path.Join(folder, folder+".go")
	source, err := scripts.ReadFile(file)
	if err != nil {
		panic(fmt.Sprintf("cannot read the embedded %s: %v", file, err))
	}
	said, err := inspectors.ParseDirectives(file, string(source))
	if err != nil {
		panic(fmt.Sprintf("cannot read the directives of a template: %v", err))
	}
	return Template{Name: said.Name, About: about(string(source)), Needs: needs(string(source)), Source: string(source)}
}

var needsLine = regexp.MustCompile(`(?m)^//vedette:needs (.*)$`)

// needs returns the needs of a script.
func needs(source string) string {
	var all []string
	for _, m := range needsLine.FindAllStringSubmatch(source, -1) {
		all = append(all, m[1])
	}
	return strings.Join(all, " ")
}

// about returns the first sentence of the comment of a script, without "Package name".
func about(source string) string {
	comment, _, _ := strings.Cut(source, "\n//\n")
	text := strings.ReplaceAll(strings.TrimPrefix(comment, "// "), "\n// ", " ")
	words := strings.SplitN(text, " ", 3)
	sentence, _, _ := strings.Cut(words[len(words)-1], ". ")
	return strings.TrimSuffix(sentence, ".")
}

var (
	nameLine    = regexp.MustCompile(`(?m)^//vedette:name .*$`)
	packageLine = regexp.MustCompile(`(?m)^package \w+$`)
	commentLine = regexp.MustCompile(`^// Package \w+ `)
)

// Rename returns the source of the template under another inspector's name, which must be a
// valid one.
func (t Template) Rename(name string) string {
	identifier := packageName(name)
	text := commentLine.ReplaceAllLiteralString(t.Source, "// Package "+identifier+" ")
	text = nameLine.ReplaceAllLiteralString(text, "//vedette:name "+name)
	return packageLine.ReplaceAllLiteralString(text, "package "+identifier)
}

// packageName makes the name of a package from that of an inspector.
func packageName(name string) string {
	word := strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}, name)
	if !token.IsIdentifier(word) || word == "main" || word == "inspectors" {
		return "probe" + word
	}
	return word
}
