package rpc

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// shape is what a message may look like, taken from the Go type that it is read
// into: the members of structs by their json tags. It finds the member that is
// at fault and says so in words that do not need the Go source.
type shape struct {
	typ    reflect.Type // without pointers
	opaque bool         // reads itself; nothing is known
	fields []field      // of a struct, in order, those of embedded structs in their place
	byName map[string]int
	elem   *shape // of a slice, array or map
	deep   bool   // a struct is in here somewhere
	open   bool   // members that are not known are ignored
}

type field struct {
	name     string
	index    []int // for reflect.Value.FieldByIndex
	shape    *shape
	optional bool // omitempty
}

// shapes caches what it has made. Its zero value is ready.
type shapes struct{ m sync.Map } // reflect.Type → *shape

func (c *shapes) of(t reflect.Type) *shape {
	if s, ok := c.m.Load(t); ok {
		return s.(*shape)
	}
	s, _ := c.m.LoadOrStore(t, newShape(t))
	return s.(*shape)
}

// Extensible is implemented by params that are read although they have members which this
// end does not know, because the other one is newer.
type Extensible interface{ IgnoresUnknownMembers() }

// newShape describes t. All parts of an Extensible are open.
func newShape(t reflect.Type) *shape {
	made := make(map[reflect.Type]*shape)
	s := makeShape(t, made)
	if reflect.PointerTo(s.typ).Implements(reflect.TypeFor[Extensible]()) {
		for _, part := range made {
			part.open = true
		}
	}
	return s
}

// knows reports whether a member has a name that is no news: one of the shape, or one
// that the decoder of JSON takes for one of those.
func (s *shape) knows(name string) bool {
	return slices.ContainsFunc(s.fields, func(f field) bool { return strings.EqualFold(f.name, name) })
}

// makeShape describes t. made holds the shapes of the types around it, which
// ends the recursion of types that contain themselves.
func makeShape(t reflect.Type, made map[reflect.Type]*shape) *shape {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if s, ok := made[t]; ok {
		return s
	}
	s := &shape{typ: t}
	made[t] = s
	pt := reflect.PointerTo(t)
	if pt.Implements(reflect.TypeFor[json.Unmarshaler]()) || pt.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		s.opaque = true
		return s
	}
	switch t.Kind() {
	case reflect.Struct:
		s.deep = true
		s.addFields(t, nil, made)
		s.byName = make(map[string]int, len(s.fields))
		for i, f := range s.fields {
			s.byName[f.name] = i
		}
	case reflect.Slice, reflect.Array, reflect.Map:
		s.elem = makeShape(t.Elem(), made)
		s.deep = s.elem.deep
	}
	return s
}

func (s *shape) addFields(t reflect.Type, index []int, made map[reflect.Type]*shape) {
	for f := range t.Fields() {
		tag := f.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		at := append(slices.Clone(index), f.Index...)
		switch {
		case tag == "-":
		case f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct:
			s.addFields(f.Type, at, made)
		case f.IsExported():
			if name == "" {
				name = f.Name
			}
			optional := slices.Contains(strings.Split(options, ","), "omitempty")
			s.fields = append(s.fields, field{name: name, index: at, shape: makeShape(f.Type, made), optional: optional})
		}
	}
}

// names lists the members of a struct for a message: "host, key".
func (s *shape) names() string {
	names := make([]string, len(s.fields))
	for i, f := range s.fields {
		names[i] = f.name
	}
	return strings.Join(names, ", ")
}

// allOptional tells whether a struct may be left out as a whole.
func (s *shape) allOptional() bool {
	return !slices.ContainsFunc(s.fields, func(f field) bool { return !f.optional })
}

// expects says in words what a value must be.
func (s *shape) expects() string {
	switch s.typ.Kind() {
	case reflect.Struct:
		if s.opaque {
			return "a value for " + s.typ.String()
		}
		if len(s.fields) == 0 {
			return "an object without members"
		}
		return "an object with " + s.names()
	case reflect.Map:
		return "an object"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Float32, reflect.Float64:
		return "a finite number"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if s.typ.Bits() == 64 {
			return "an integer not below 0"
		}
		return fmt.Sprintf("an integer from 0 to %d", uint64(1)<<s.typ.Bits()-1)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if s.typ.Bits() == 64 {
			return "an integer"
		}
		top := int64(1) << (s.typ.Bits() - 1)
		return fmt.Sprintf("an integer from %d to %d", -top, top-1)
	}
	return "any value"
}

func joinPath(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func errUnknownMember(path, name string, s *shape) error {
	known := "no members"
	if len(s.fields) > 0 {
		known = s.names()
	}
	return fmt.Errorf("unknown member %q (known: %s)", joinPath(path, name), known)
}

// checkJSON refuses members of valid JSON that the shape does not know, by
// their exact names, and members that are given twice. It leaves the types of
// values to the decoder.
func (s *shape) checkJSON(data []byte, path string) error {
	if !s.deep {
		return nil
	}
	data = data[jsonSpaceEnd(data, 0):]
	var err error
	switch {
	case s.fields != nil || s.byName != nil:
		if data[0] != '{' {
			return nil
		}
		return s.checkJSONStruct(data, path)
	case data[0] == '[' && s.typ.Kind() != reflect.Map:
		jsonElements(data, func(i int, v []byte) bool {
			err = s.elem.checkJSON(v, fmt.Sprintf("%s[%d]", path, i))
			return err == nil
		})
	case data[0] == '{' && s.typ.Kind() == reflect.Map:
		jsonMembers(data, func(name, v []byte) bool {
			err = s.elem.checkJSON(v, joinPath(path, jsonText(name)))
			return err == nil
		})
	}
	return err
}

func (s *shape) checkJSONStruct(data []byte, path string) (err error) {
	seen := make([]bool, len(s.fields))
	jsonMembers(data, func(quoted, v []byte) bool {
		name := jsonText(quoted)
		i, ok := s.byName[name]
		switch {
		case !ok && s.open && !s.knows(name):
		case !ok:
			err = errUnknownMember(path, name, s)
		case seen[i]:
			err = fmt.Errorf("member %q is given twice", joinPath(path, name))
		default:
			seen[i] = true
			if f := s.fields[i].shape; f.deep {
				err = f.checkJSON(v, joinPath(path, name))
			}
		}
		return err == nil
	})
	return err
}
