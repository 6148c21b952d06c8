package config

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Print writes the configuration as YAML that Load reads back to the same values,
// each with a comment that says where it came from. Paths are absolute, so that
// the text means the same in any folder. It says whether there is a token, but
// does not print it.
func (c *Config) Print(w io.Writer) error {
	p := printer{c: c, files: make(map[string]bool)}
	l := loader{source: newSource(), c: c}
	l.settings(func(path string, _ reflect.Value, s Setting) { p.files[path] = s.File })
	doc := p.fields(reflect.ValueOf(*c), "")
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(doc); err != nil {
		return fmt.Errorf("cannot print the configuration: %w", err)
	}
	return enc.Close()
}

// printer makes the nodes of a configuration.
type printer struct {
	c     *Config
	files map[string]bool // the paths of settings that name files
}

func (p printer) fields(v reflect.Value, path string) *yaml.Node {
	node := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for _, f := range fieldsOf(v.Type()) {
		below := f.name
		if path != "" {
			below = path + "." + f.name
		}
		fv := v.FieldByIndex(f.index)
		if _, ok := v.Interface().(Inspector); ok && fv.IsZero() {
			continue // open: the script's directives and the defaults decide
		}
		if _, ok := v.Interface().(Budget); ok && fv.IsZero() {
			continue // the same
		}
		if _, ok := v.Interface().(Token); ok && fv.IsZero() {
			continue // the host of a token that is not an agent's
		}
		p.pair(node, f.name, fv, below)
	}
	return node
}

// pair adds one entry to a mapping. The comment that says where the value comes
// from follows a single value, and precedes a text of several lines.
func (p printer) pair(mapping *yaml.Node, name string, v reflect.Value, path string) {
	key := &yaml.Node{}
	key.SetString(name)
	value := p.value(v, path)
	if token := p.c.Origin("agent.token"); path == "agent.token_file" && token.kind != fromDefault {
		key.HeadComment = "the token is set: " + token.String()
	}
	comment := p.c.Origin(path).String()
	switch {
	case value.Kind == yaml.ScalarNode && value.Style&yaml.LiteralStyle != 0:
		key.HeadComment = comment
	case value.Kind == yaml.ScalarNode, len(value.Content) == 0:
		value.LineComment = comment
	case value.Style&yaml.FlowStyle != 0:
		value.LineComment = comment
	}
	mapping.Content = append(mapping.Content, key, value)
}

func (p printer) value(v reflect.Value, path string) *yaml.Node {
	switch x := v.Interface().(type) {
	case time.Duration:
		return scalar("!!str", short(x))
	case Bytes:
		if digits := strconv.FormatInt(int64(x), 10); x.String() == digits {
			return scalar("!!int", digits)
		}
		return text(x.String())
	case slog.Level:
		return scalar("!!str", strings.ToLower(x.String()))
	case Library:
		switch {
		case x.All:
			return scalar("!!str", "all")
		case len(x.Names) == 0:
			return scalar("!!str", "none")
		}
		return flow(x.Names)
	case Components:
		return flow(x)
	case []string:
		list := make([]string, len(x))
		for i, entry := range x {
			list[i] = p.absolute(fmt.Sprintf("%s[%d]", path, i), entry)
		}
		return flow(list)
	case string:
		return text(p.absolute(path, x))
	case bool:
		return scalar("!!bool", strconv.FormatBool(x))
	case int:
		return scalar("!!int", strconv.Itoa(x))
	}
	return p.collection(v, path)
}

func (p printer) collection(v reflect.Value, path string) *yaml.Node {
	switch v.Kind() {
	case reflect.Struct:
		return p.fields(v, path)
	case reflect.Map:
		node := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		keys := slices.Sorted(maps.Keys(stringKeys(v)))
		for _, key := range keys {
			p.pair(node, key, v.MapIndex(reflect.ValueOf(key)), fmt.Sprintf("%s[%s]", path, key))
		}
		if len(keys) == 0 {
			node.Style = yaml.FlowStyle
		}
		return node
	case reflect.Slice:
		node := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for i := range v.Len() {
			node.Content = append(node.Content, p.value(v.Index(i), fmt.Sprintf("%s[%d]", path, i)))
		}
		if v.Len() == 0 {
			node.Style = yaml.FlowStyle
		}
		return node
	}
	panic(fmt.Sprintf("config: a field of type %v has no form in YAML", v.Type())) // a new kind of field; tests print every one
}

func stringKeys(v reflect.Value) map[string]struct{} {
	keys := make(map[string]struct{}, v.Len())
	for _, k := range v.MapKeys() {
		keys[k.String()] = struct{}{}
	}
	return keys
}

func scalar(tag, value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: value}
}

// text is a string, quoted if YAML would take it for something else, and as a
// block if it has several lines.
func text(s string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(s)
	if strings.Contains(s, "\n") && (strings.TrimLeft(s, " \t\n") != s || strings.Contains(s, "\r")) {
		n.Style = yaml.DoubleQuotedStyle // a block would lose its first indent
	}
	return n
}

func flow(list []string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: yaml.FlowStyle}
	for _, s := range list {
		item := &yaml.Node{}
		item.SetString(s)
		if item.Style != 0 {
			item.Style = yaml.DoubleQuotedStyle
		}
		n.Content = append(n.Content, item)
	}
	return n
}

// absolute makes the value of a setting that names a file absolute.
func (p printer) absolute(path, value string) string {
	if !p.files[path] || value == "" {
		return value
	}
	if abs, err := filepath.Abs(value); err == nil {
		return abs
	}
	return value
}
