package core

import (
	"encoding/json"
	"fmt"
	"go/token"
	"io"
	"reflect"
	"strings"

	"github.com/vedettehq/vedette/inspectors/script/symbols"
)

// Shape describes the values of a type, so that they are printed as in Go: the interpreter
// has no names of types and no methods, and exports all fields. The parts are: of a struct,
// the name and the type of each field, with true between them if the field is embedded; of
// a map, the types of its keys and elements; otherwise the type of the elements. A type is
// nil if the library knows it.
func Shape(t *Type, parts ...any) {
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			t.fields, t.embedded = append(t.fields, p), append(t.embedded, false)
		case bool:
			t.embedded[len(t.embedded)-1] = p
		case *Type:
			t.parts = append(t.parts, p)
		case nil:
			t.parts = append(t.parts, nil)
		}
	}
}

// Empty says how a nil interface for a type prints: as a nil slice or a nil map.
func Empty(t *Type, kind string) { t.empty = kind }

// Format prints the value in the way of its type, or of its underlying value.
func (o Object) Format(s fmt.State, verb rune) {
	p := &printer{s, verb}
	p.value(reflect.ValueOf(o.V), o.T, 0, visible)
}

// Printed returns the value in an interface for a function that checks whether it is a
// string.
func Printed(x any) any {
	if o, ok := open(x); ok && reflect.ValueOf(o.V).Kind() == reflect.String {
		return fmt.Sprint(x)
	}
	return x
}

// access says whether fmt may call the methods of a value, according to package reflect.
type access int

const (
	visible  access = iota
	embedded        // an embedded struct whose name is not exported: no methods, but those of its exported fields
	hidden          // in a field that is not exported: no methods at any depth
)

// below is the access to the parts of a value other than a struct.
func (a access) below() access {
	if a == visible {
		return visible
	}
	return hidden
}

// field is the access to a field of a struct.
func (a access) field(name string, embeds bool) access {
	switch {
	case a == hidden, !token.IsExported(name) && !embeds:
		return hidden
	case !token.IsExported(name):
		return embedded
	}
	return visible
}

// printer prints one value for one verb.
type printer struct {
	fmt.State
	verb rune
}

func (p *printer) text(s string) { _, _ = io.WriteString(p, s) }

// plain prints a value of the library.
func (p *printer) plain(v any) { fmt.Fprintf(p, fmt.FormatString(p, p.verb), v) }

func (p *printer) sharp() bool { return p.verb == 'v' && p.Flag('#') }

// value prints a value of a type, at a depth.
func (p *printer) value(v reflect.Value, t *Type, depth int, a access) {
	if t == nil || !v.IsValid() {
		p.library(v, depth)
		return
	}
	if a == visible && p.methods(v, t) {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		p.structure(v, t, depth, a)
	case reflect.Map:
		p.mapping(v, t, depth, a.below())
	case reflect.Slice, reflect.Array:
		p.list(v, t, depth, a.below())
	case reflect.Pointer:
		p.pointer(v, t, depth, a.below())
	case reflect.Interface:
		if v.IsNil() {
			p.nothing(t)
			return
		}
		p.value(v.Elem(), t, depth+1, a.below())
	default:
		if p.sharp() && v.Kind() == reflect.Func {
			p.text("(" + t.name + ")(")
			defer p.text(")")
		}
		if !strings.ContainsRune(verbsOf(v.Kind()), p.verb) {
			p.text("%!" + string(p.verb) + "(" + t.name + "=")
			fmt.Fprintf(p, fmt.FormatString(p, 'v')+")", v.Interface())
			return
		}
		p.plain(v.Interface())
	}
}

// nothing prints the value that a nil interface stands for.
func (p *printer) nothing(t *Type) {
	switch {
	case t.empty == "":
		p.text("<nil>")
	case p.sharp():
		p.text(t.name + "(nil)")
	case t.empty == "map":
		p.text("map[]")
	default:
		p.text("[]")
	}
}

// verbsOf returns the verbs of package fmt for a kind of plain values.
func verbsOf(k reflect.Kind) string {
	switch k {
	case reflect.Bool:
		return "tv"
	case reflect.String:
		return "vsxXq"
	case reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		return "vbgGxXfFeE"
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		return "vpbodxX"
	}
	return "vdboOxXcqU"
}

// library prints a value of the library, or the value in an interface.
func (p *printer) library(v reflect.Value, depth int) {
	if v.IsValid() && v.Kind() == reflect.Interface && v.IsNil() && p.sharp() {
		p.text(v.Type().String() + "(nil)")
		return
	}
	if !v.IsValid() || v.Kind() == reflect.Interface && v.IsNil() {
		p.text("<nil>")
		return
	}
	if depth > 0 && v.Kind() == reflect.Pointer && !v.IsNil() && !p.printsItself(v.Interface()) {
		p.address(v, v)
		return
	}
	p.plain(v.Interface())
}

// printsItself reports whether fmt calls a method of a value of the library for the
// verb.
func (p *printer) printsItself(v any) bool {
	if _, ok := v.(fmt.Formatter); ok {
		return true
	}
	if p.sharp() {
		_, ok := v.(fmt.GoStringer)
		return ok
	}
	switch v.(type) {
	case error, fmt.Stringer:
		return strings.ContainsRune("vsxXq", p.verb)
	}
	return false
}

// address prints a pointer of the library that is not nil, below the top, where fmt
// does not follow pointers. What an error of the verb shows is shown.
func (p *printer) address(v, shown reflect.Value) {
	switch {
	case p.sharp():
		fmt.Fprintf(p, "(%s)(0x%x)", v.Type(), v.Pointer())
	case p.verb == 'v':
		fmt.Fprintf(p, "0x%x", v.Pointer())
	case strings.ContainsRune("bodxX", p.verb):
		p.plain(uint64(v.Pointer()))
	default:
		fmt.Fprintf(p, "%%!%c(%s=", p.verb, v.Type())
		fmt.Fprintf(p, fmt.FormatString(p, 'v')+")", shown)
	}
}

// methods prints a value by a method of its type, if it has one for the verb.
func (p *printer) methods(v reflect.Value, t *Type) (done bool) {
	method := p.method(t)
	if method == "" {
		return false
	}
	defer func() {
		if r := recover(); r != nil {
			p.caught(v, method, r)
		}
		done = true
	}()
	verb := p.verb
	if verb == 'v' {
		verb = 's'
	}
	switch method {
	case "Format":
		lent, end := symbols.LendState(p.State)
		defer end()
		t.format(v.Interface(), lent, p.verb)
	case "GoString":
		p.text(t.goText(v.Interface()))
	case "Error":
		fmt.Fprintf(p, fmt.FormatString(p, verb), t.errorText(v.Interface()))
	case "String":
		fmt.Fprintf(p, fmt.FormatString(p, verb), t.text(v.Interface()))
	}
	return true
}

// method is the name of the method of a type that prints a value of it for the
// verb, as fmt chooses it, or "".
func (p *printer) method(t *Type) string {
	switch {
	case t.format != nil:
		return "Format"
	case p.sharp():
		if t.goText != nil {
			return "GoString"
		}
	case !strings.ContainsRune("vsxXq", p.verb):
	case t.errorText != nil:
		return "Error"
	case t.text != nil:
		return "String"
	}
	return ""
}

// caught prints that a method has panicked, in the words of fmt.
func (p *printer) caught(v reflect.Value, method string, r any) {
	if v.Kind() == reflect.Pointer && v.IsNil() {
		p.text("<nil>")
		return
	}
	p.text("%!" + string(p.verb) + "(PANIC=" + method + " method: ")
	_, _ = fmt.Fprint(p.State, Normalised(r))
	p.text(")")
}

func (t *Type) part(i int) *Type {
	if i < len(t.parts) {
		return t.parts[i]
	}
	return nil
}

func (p *printer) structure(v reflect.Value, t *Type, depth int, a access) {
	if p.sharp() {
		p.text(t.name)
	}
	p.text("{")
	for i := range v.NumField() {
		name, embeds := "", false
		if i < len(t.fields) {
			name, embeds = t.fields[i], t.embedded[i]
		}
		if i > 0 {
			p.text(p.comma())
		}
		if p.sharp() || p.Flag('+') && p.verb == 'v' {
			p.text(name + ":")
		}
		p.member(v.Field(i), t.part(i), depth, a.field(name, embeds))
	}
	p.text("}")
}

// member prints a field or an element.
func (p *printer) member(v reflect.Value, t *Type, depth int, a access) {
	if v.IsValid() && v.Kind() == reflect.Interface && !v.IsNil() {
		v, a = v.Elem(), a.below()
	}
	if v.IsValid() && v.CanInterface() {
		if o, ok := open(v.Interface()); ok {
			p.value(reflect.ValueOf(o.V), o.T, depth+1, a)
			return
		}
		if a != visible && t == nil && v.Kind() != reflect.Interface { // one that holds something has been opened
			p.hidden(v)
			return
		}
	}
	p.value(v, t, depth+1, a)
}

// hidden prints a value of the library in an unexported field: fmt calls no methods of
// anything that it reaches through such a field, at any depth.
func (p *printer) hidden(v reflect.Value) {
	shut := reflect.ValueOf(struct{ x any }{v.Interface()}).Field(0).Elem()
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		p.address(v, shut)
		return
	}
	p.plain(shut)
}

func (p *printer) comma() string {
	if p.sharp() {
		return ", "
	}
	return " "
}

func (p *printer) mapping(v reflect.Value, t *Type, depth int, a access) {
	if p.sharp() {
		p.text(t.name)
		if v.IsNil() {
			p.text("(nil)")
			return
		}
		p.text("{")
	} else {
		p.text("map[")
	}
	for i, k := range sortedKeys(v) {
		if i > 0 {
			p.text(p.comma())
		}
		p.member(k, t.part(0), depth, a)
		p.text(":")
		p.member(v.MapIndex(k), t.part(1), depth, a)
	}
	if p.sharp() {
		p.text("}")
	} else {
		p.text("]")
	}
}

func (p *printer) list(v reflect.Value, t *Type, depth int, a access) {
	if v.Type().Elem().Kind() == reflect.Uint8 && t.part(0) == nil && strings.ContainsRune("sqxX", p.verb) {
		p.plain(v.Interface())
		return
	}
	open, end := "[", "]"
	if p.sharp() {
		open, end = t.name+"{", "}"
		if v.Kind() == reflect.Slice && v.IsNil() {
			p.text(t.name + "(nil)")
			return
		}
	}
	p.text(open)
	for i := range v.Len() {
		if i > 0 {
			p.text(p.comma())
		}
		p.member(v.Index(i), t.part(0), depth, a)
	}
	p.text(end)
}

func (p *printer) pointer(v reflect.Value, t *Type, depth int, a access) {
	if depth == 0 && !v.IsNil() {
		switch v.Elem().Kind() {
		case reflect.Struct, reflect.Map, reflect.Slice, reflect.Array:
			p.text("&")
			p.value(v.Elem(), t.part(0), depth+1, a)
			return
		}
	}
	switch {
	case p.sharp():
		p.text("(" + t.name + ")(")
		if v.IsNil() {
			p.text("nil")
		} else {
			fmt.Fprintf(p, "0x%x", v.Pointer())
		}
		p.text(")")
	case strings.ContainsRune("bodxX", p.verb):
		p.plain(uint64(v.Pointer()))
	case v.IsNil() && p.verb == 'v':
		fmt.Fprintf(p, fmt.FormatString(p, 'v'), nil)
	case p.verb == 'v':
		fmt.Fprintf(p, "0x%x", v.Pointer())
	case v.IsNil():
		p.text("%!" + string(p.verb) + "(" + t.name + "=")
		fmt.Fprintf(p, fmt.FormatString(p, 'v')+")", nil)
	default:
		fmt.Fprintf(p, "%%!%c(%s=0x%x)", p.verb, t.name, v.Pointer())
	}
}

// MarshalJSON encodes the value in the way of its type, or of its underlying value.
func (o Object) MarshalJSON() ([]byte, error) {
	if o.T.json != nil {
		return o.T.json(o.V)
	}
	if o.T.marshalText != nil {
		text, err := o.T.marshalText(o.V)
		if err != nil {
			return nil, err
		}
		return json.Marshal(string(text))
	}
	return json.Marshal(o.V)
}
