package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Setting is one setting, as the tags of its field declare it. The defaults, the
// ranges, the variables of the environment, the paths that are relative to the
// file, the output of Print and docs/configuration.md all follow from it.
type Setting struct {
	// Path is its path, such as master.listen, master.tokens[N].role or
	// inspectors[NAME].interval.
	Path string
	// Type is the type of its value.
	Type reflect.Type
	// Default is its value if none is given, as text. Tag: default.
	Default string
	// Absent says in words what applies without a value and without a Default.
	// Tag: absent.
	Absent string
	// Required is set if it must be given. Tag: required.
	Required bool
	// Min and Max are its bounds, both included. Tags: min, max.
	Min, Max string
	// Zero says what 0 means if it is allowed in addition to the range. Tag: zero.
	Zero string
	// OneOf are its possible texts, and Noun says what each of them is. Tag: one,
	// such as "a format: text, json".
	OneOf []string
	Noun  string
	// Env is the variable of the environment that sets it. Tag: env.
	Env string
	// File is set if it names a file, which is relative to the folder of the
	// configuration. Tag: path.
	File bool
}

// Settings lists every setting, in the order of the configuration. Those of an
// inspector have the path inspectors[NAME], those of an entry of a list [N].
func Settings() []Setting {
	var list []Setting
	var walk func(t reflect.Type, path string)
	walk = func(t reflect.Type, path string) {
		for f := range t.Fields() {
			name := f.Tag.Get("yaml")
			if name == "-" {
				name = f.Tag.Get("name")
			}
			if name == "" {
				continue
			}
			below := strings.TrimPrefix(path+"."+name, ".")
			switch inner, index := elements(f.Type); {
			case inner != nil:
				walk(inner, below+index)
			default:
				list = append(list, settingOfField(f, below))
			}
		}
	}
	walk(reflect.TypeFor[Config](), "")
	return list
}

// elements returns the type whose fields are the settings below a field of type t,
// and how an entry is written in a path. inner is nil if t is a setting itself.
func elements(t reflect.Type) (inner reflect.Type, index string) {
	switch {
	case t == reflect.TypeFor[Library]():
		return nil, ""
	case t.Kind() == reflect.Struct:
		return t, ""
	case t.Kind() == reflect.Map && t.Elem().Kind() == reflect.Struct:
		return t.Elem(), "[NAME]"
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		return t.Elem(), "[N]"
	}
	return nil, ""
}

func settingOfField(f reflect.StructField, path string) Setting {
	tag := f.Tag.Get
	s := Setting{
		Path: path, Type: f.Type, Default: tag("default"), Absent: tag("absent"), Required: tag("required") != "",
		Min: tag("min"), Max: tag("max"), Zero: tag("zero"), Env: tag("env"), File: tag("path") != "",
	}
	if noun, words, ok := strings.Cut(tag("one"), ": "); ok {
		s.Noun, s.OneOf = noun, strings.Split(words, ", ")
	}
	return s
}

// setDefaults gives the fields of a section the values of their tags.
func setDefaults(v reflect.Value) {
	for f, field := range v.Fields() {
		if inner, index := elements(f.Type); inner != nil && index == "" {
			setDefaults(field)
		} else if text, ok := f.Tag.Lookup("default"); ok {
			mustSet(field, text)
		}
	}
}

// mustSet sets a value from the text of a tag.
func mustSet(v reflect.Value, text string) {
	if err := setText(v, text); err != nil {
		panic(fmt.Sprintf("config: a tag of a setting: %v", err)) // a tag of ours; tests read every one
	}
}

// settings calls do with the value of each setting. Entries of maps and lists are
// visited one by one, and do may change the value.
func (l *loader) settings(do func(path string, v reflect.Value, s Setting)) {
	l.settingsBelow(reflect.ValueOf(l.c).Elem(), "", do)
}

func (l *loader) settingsBelow(v reflect.Value, path string, do func(string, reflect.Value, Setting)) {
	for _, f := range fieldsOf(v.Type()) {
		field, value := v.Type().FieldByIndex(f.index), v.FieldByIndex(f.index)
		below := l.child(path, f.name)
		s := settingOfField(field, below)
		visit := func(v reflect.Value, path string) { do(path, v, s) }
		inner, _ := elements(field.Type)
		if inner != nil {
			visit = func(v reflect.Value, path string) { l.settingsBelow(v, path, do) }
		}
		switch {
		case value.Kind() == reflect.Map:
			l.entriesOf(value, below, visit)
		case value.Kind() == reflect.Slice && inner != nil:
			for i := range value.Len() {
				visit(value.Index(i), l.entry(below, i))
			}
		case value.Kind() == reflect.Slice && s.File:
			for i := range value.Len() {
				visit(value.Index(i), l.entry(below, i))
			}
		default:
			visit(value, below)
		}
	}
}

// entriesOf visits the values of a map, which are copies, and puts them back.
func (l *loader) entriesOf(m reflect.Value, path string, visit func(v reflect.Value, path string)) {
	for _, name := range slices.Sorted(maps.Keys(stringKeys(m))) {
		key := reflect.ValueOf(name)
		value := reflect.New(m.Type().Elem()).Elem()
		value.Set(m.MapIndex(key))
		visit(value, l.entry(path, name))
		m.SetMapIndex(key, value)
	}
}

// ranges checks each value against the range and the choices of its setting.
func (l *loader) ranges() {
	l.settings(func(path string, v reflect.Value, s Setting) {
		_, given := l.origins[path]
		if v.IsZero() && (s.Zero != "" || !given && !s.Required) {
			return
		}
		if message := s.fault(v); message != "" {
			l.check(true, path, "%s", message)
		}
	})
}

// fault returns the fault of a value of the setting, or "".
func (s Setting) fault(v reflect.Value) string {
	if s.OneOf != nil && !slices.Contains(s.OneOf, v.String()) {
		last := len(s.OneOf) - 1
		return fmt.Sprintf("%s is not %s; write %s or %s%s", quote(v.String()), s.Noun,
			strings.Join(s.OneOf[:last], ", "), s.OneOf[last], didYouMean(v.String(), s.OneOf))
	}
	less := s.Min != "" && v.Int() < s.bound(s.Min)
	more := s.Max != "" && v.Int() > s.bound(s.Max)
	switch {
	case less && s.Zero != "" && s.Max == "":
		return fmt.Sprintf("%s is less than %s; 0 means %s", show(v), s.Min, s.Zero)
	case less && s.Max == "":
		return fmt.Sprintf("%s is less than %s", show(v), s.Min)
	case more && s.Min == "":
		return fmt.Sprintf("%s is more than %s", show(v), s.Max)
	case less || more:
		return fmt.Sprintf("%s is not between %s and %s", show(v), s.Min, s.Max)
	}
	return ""
}

// bound is the number of a bound.
func (s Setting) bound(text string) int64 {
	v := reflect.New(s.Type).Elem()
	mustSet(v, text)
	return v.Int()
}

// show writes a number with its unit, as Print does.
func show(v reflect.Value) string { return printer{}.value(v, "").Value }
