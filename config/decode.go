package config

import (
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Bounds of a configuration file, in case another file was given by mistake.
const (
	maxFileBytes = 4 << 20
	maxNodes     = 50_000 // each alias counts as often as it is used
	maxDepth     = 32
)

// decoder fills a Config from YAML. It is strict: anything unknown is a fault. It
// continues after a fault, to find them all.
type decoder struct {
	*source
	nodes   int
	refused bool // for its size
	foreign bool // the target is not a Config
}

// decode reads the text of a file into the struct that into points to.
func decode(src *source, text []byte, into any) {
	src.lines = strings.Split(string(text), "\n")
	if len(text) > maxFileBytes {
		src.lines = nil
		src.fault(src.fileOrigin(), "the file is %d bytes long; at most %d are allowed", len(text), maxFileBytes)
		return
	}
	if !checkText(src, text) {
		return
	}
	var first, second yaml.Node
	dec := yaml.NewDecoder(strings.NewReader(string(text)))
	if err := parseNode(dec, &first); err != nil {
		syntaxFault(src, err)
		return
	}
	if first.Kind == 0 {
		return // nothing but comments
	}
	if err := parseNode(dec, &second); err != nil {
		syntaxFault(src, err)
		return
	}
	d := &decoder{source: src}
	if second.Kind != 0 {
		d.fault(d.origin(&second), "a second document starts here; one file holds one configuration")
		return
	}
	root := reflect.ValueOf(into).Elem()
	d.foreign = root.Type() != reflect.TypeFor[Config]()
	d.value(first.Content[0], root, "", 0)
}

func (d *decoder) origin(n *yaml.Node) Origin {
	if n == nil || n.Line == 0 {
		return d.fileOrigin()
	}
	return Origin{kind: fromFile, name: d.file, line: n.Line, col: n.Column}
}

// value decodes one node into v. depth counts the collections around it.
func (d *decoder) value(n *yaml.Node, v reflect.Value, path string, depth int) {
	if d.nodes++; d.nodes > maxNodes || depth > maxDepth {
		if !d.refused {
			d.refused = true
			d.fault(d.origin(n), "the file is too large or too deep, or an alias refers to itself")
		}
		return
	}
	at := d.origin(n)
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	d.origins[path] = at
	if custom := customTag(n); custom != "" {
		d.fault(at, "the tag %s is not known; remove it", quote(custom))
		return
	}
	switch v.Addr().Interface().(type) {
	case *time.Duration:
		d.scalar(n, at, v, path)
		return
	case *Library:
		d.library(n, at, v, path, depth)
		return
	case *Components:
		d.components(n, at, v, path, depth)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.mapping(n, at, v, path, depth)
	case reflect.Map:
		d.table(n, at, v, path, depth)
	case reflect.Slice:
		d.list(n, at, v, path, depth)
	default:
		d.scalar(n, at, v, path)
	}
}

// customTag returns the tag of a node that is not one of YAML's own, or "".
func customTag(n *yaml.Node) string {
	switch tag := n.ShortTag(); tag {
	case "!!map", "!!seq", "!!str", "!!int", "!!float", "!!bool", "!!null", "!!timestamp", "!!merge", "":
		return ""
	default:
		return tag
	}
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// scalar decodes a single value. It uses the literal text of the file, so that no
// number, date or "no" is changed on its way into a string.
func (d *decoder) scalar(n *yaml.Node, at Origin, v reflect.Value, path string) {
	switch {
	case n.Kind != yaml.ScalarNode:
		d.fault(at, "%s must be %s, not %s", path, wants(v), kindName(n))
	case isNull(n):
		d.fault(at, "%s has no value; give one or remove the line", path)
	case v.Kind() == reflect.String && n.Style&yaml.FoldedStyle != 0 && !d.folds:
		d.fault(at, "%s folds its lines; write | instead of >, which keeps them", path)
	default:
		if err := setText(v, n.Value); err != nil {
			d.fault(at, "%s: %v", path, err)
		}
	}
}

// pairs yields the entries of a mapping and reports keys that are not names or
// are given twice. what names the mapping for messages.
func (d *decoder) pairs(n *yaml.Node, at Origin, path, what string, each func(key, value *yaml.Node)) {
	if isNull(n) {
		return // "inspectors:" with nothing, or only comments, below it
	}
	if n.Kind != yaml.MappingNode {
		d.fault(at, "%s must be %s, not %s", orWhole(path), what, kindName(n))
		return
	}
	seen := make(map[string]int)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		before := len(d.faults) + d.omitted
		switch line, twice := seen[key.Value]; {
		case key.Kind != yaml.ScalarNode || isNull(key) || customTag(key) != "":
			d.fault(d.origin(n.Content[i]), "a name must be plain text")
		case key.ShortTag() == "!!merge":
			d.fault(d.origin(key), "merging with << is not supported; write the fields out")
		case twice:
			d.fault(d.origin(key), "%s is given twice, first on line %d", quote(key.Value), line)
		default:
			seen[key.Value] = key.Line
			each(key, value)
		}
		if len(d.faults)+d.omitted > before {
			d.broken[path] = true
		}
	}
}

func (d *decoder) mapping(n *yaml.Node, at Origin, v reflect.Value, path string, depth int) {
	fields := fieldsOf(v.Type())
	d.pairs(n, at, path, "a mapping of fields", func(key, value *yaml.Node) {
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == key.Value })
		if i < 0 {
			d.unknown(key, path, fields)
			return
		}
		below := d.child(path, key.Value)
		d.keys[below] = d.origin(key)
		d.value(value, v.FieldByIndex(fields[i].index), below, depth+1)
	})
	if in, ok := v.Addr().Interface().(*Inspector); ok && n.Kind == yaml.MappingNode {
		in.place = d.codePlace(n)
	}
}

// unknown reports a field that does not exist, with the one that was probably
// meant.
func (d *decoder) unknown(key *yaml.Node, path string, fields []field) {
	if path == "agent" && key.Value == "token" && !d.foreign {
		// Its line is not shown: it contains a secret.
		d.faults = append(d.faults, Fault{Origin: d.origin(key), Message: "a token does not belong in the configuration; " +
			"write it into a separate file and name that in token_file"})
		return
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	hint := didYouMean(key.Value, names)
	if hint == "" && !d.foreign {
		if owner := ownerOf(key.Value, path); owner != "" {
			hint = "; it belongs in " + owner
		}
	}
	if hint == "" {
		hint = "; known are " + strings.Join(names, ", ")
	}
	d.fault(d.origin(key), "unknown field %s%s%s", quote(key.Value), inPath(path), hint)
}

func (d *decoder) table(n *yaml.Node, at Origin, v reflect.Value, path string, depth int) {
	m := reflect.MakeMap(v.Type())
	d.pairs(n, at, path, "a mapping of names", func(key, value *yaml.Node) {
		below := d.entry(path, key.Value)
		d.keys[below] = d.origin(key)
		e := reflect.New(v.Type().Elem()).Elem()
		d.value(value, e, below, depth+1)
		m.SetMapIndex(reflect.ValueOf(key.Value), e)
	})
	if m.Len() > 0 {
		v.Set(m)
	}
}

func (d *decoder) list(n *yaml.Node, at Origin, v reflect.Value, path string, depth int) {
	if isNull(n) {
		return
	}
	if n.Kind != yaml.SequenceNode {
		d.fault(at, "%s must be a list, not %s", path, kindName(n))
		return
	}
	list := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		d.value(item, list.Index(i), d.entry(path, i), depth+1)
	}
	v.Set(list)
}

// library decodes all, none, or a list of names.
func (d *decoder) library(n *yaml.Node, at Origin, v reflect.Value, path string, depth int) {
	if n.Kind != yaml.SequenceNode {
		d.scalar(n, at, v, path)
		return
	}
	var names []string
	d.list(n, at, reflect.ValueOf(&names).Elem(), path, depth)
	v.Set(reflect.ValueOf(Library{Names: names}))
}

// components decodes a list, or the text form of the environment.
func (d *decoder) components(n *yaml.Node, at Origin, v reflect.Value, path string, depth int) {
	if n.Kind == yaml.ScalarNode && !isNull(n) {
		d.scalar(n, at, v, path)
		return
	}
	var names []string
	d.list(n, at, reflect.ValueOf(&names).Elem(), path, depth)
	v.Set(reflect.ValueOf(Components(names)))
}

// codePlace finds the place of an inspector's source in the file, so that errors
// in the code can point there.
func (d *decoder) codePlace(mapping *yaml.Node) codePlace {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		if key.Value != "go" {
			continue
		}
		if value.Kind == yaml.AliasNode {
			value = value.Alias
		}
		return d.place(value)
	}
	return codePlace{}
}

func (d *decoder) place(value *yaml.Node) codePlace {
	switch {
	case value.Kind != yaml.ScalarNode:
		return codePlace{}
	case value.Style&yaml.LiteralStyle == 0:
		p := codePlace{line: value.Line, indent: value.Column - 1}
		if value.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
			p.indent++
		}
		return p
	}
	p := codePlace{line: value.Line + 1} // below the "|"
	line := p.line
	for content := range strings.SplitSeq(value.Value, "\n") {
		if strings.TrimSpace(content) != "" && line <= len(d.lines) {
			p.indent = max(0, len(strings.TrimRight(d.lines[line-1], "\r"))-len(content))
			break
		}
		line++
	}
	return p
}

// field is one field of a struct of the configuration.
type field struct {
	name  string // in YAML
	index []int
}

// fieldsOf lists the fields of a struct that YAML has, in order.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for f := range t.Fields() {
		if name := f.Tag.Get("yaml"); name != "" && name != "-" {
			fields = append(fields, field{name, f.Index})
		}
	}
	return fields
}

// ownerOf names the section to which a misplaced field belongs.
func ownerOf(name, path string) string {
	sections := fieldsOf(reflect.TypeFor[Config]())
	for _, section := range sections {
		if section.name == name && path != "" {
			return "the top level of the file"
		}
	}
	for _, section := range sections {
		t := reflect.TypeFor[Config]().FieldByIndex(section.index).Type
		if t.Kind() != reflect.Struct || section.name == path {
			continue
		}
		for _, f := range fieldsOf(t) {
			if f.name == name {
				return section.name
			}
		}
	}
	return ""
}

func inPath(path string) string {
	if path == "" {
		return ""
	}
	return " in " + path
}

func orWhole(path string) string {
	if path == "" {
		return "the configuration"
	}
	return path
}

// wants describes the values that a type takes.
func wants(v reflect.Value) string {
	switch v.Addr().Interface().(type) {
	case *time.Duration:
		return "a duration such as 10s"
	case *Library:
		return "all, none or a list of names"
	case *Components:
		return "a list of names"
	case *slog.Level:
		return "debug, info, warn or error"
	case *Bytes:
		return "a size such as 10GiB"
	}
	switch v.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	}
	return "text"
}

// kindName describes a node.
func kindName(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case isNull(n):
		return "empty"
	}
	return fmt.Sprintf("the value %s", quote(n.Value))
}
