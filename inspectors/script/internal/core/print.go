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

// Shape says what the values of a type are made of, so that they are printed as
// Go prints them: the interpreter has no names of types and no methods, and
// exports all fields. The parts are, of a struct, the name and the type of each
// field; of a map, the types of its keys and elements; otherwise the type of the
// elements. A type is nil where the library knows it.
func Shape(t *Type, parts ...any) {
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			t.fields = append(t.fields, p)
		case *Type:
			t.parts = append(t.parts, p)
		case nil:
			t.parts = append(t.parts, nil)
		}
	}
}

// Empty says how a type prints where an interface that holds it is nil: as a slice or a
// map that is nil.
func Empty(t *Type, kind string) { t.empty = kind }

// Format prints the value as its type says, or as what it is made of.
func (o Object) Format(s fmt.State, verb rune) {
	p := &printer{s, verb}
	p.value(reflect.ValueOf(o.V), o.T, 0, false)
}

// Printed returns what an interface holds for a function that looks whether it is
// a string.
func Printed(x any) any {
	if o, ok := open(x); ok && reflect.ValueOf(o.V).Kind() == reflect.String {
		return fmt.Sprint(x)
	}
	return x
}

// printer prints one value for one verb.
type printer struct {
	fmt.State
	verb rune
}

func (p *printer) text(s string) { _, _ = io.WriteString(p, s) }

// plain prints what the library knows.
func (p *printer) plain(v any) { fmt.Fprintf(p, fmt.FormatString(p, p.verb), v) }

func (p *printer) sharp() bool { return p.verb == 'v' && p.Flag('#') }

// value prints a value of a type, at a depth; hidden says that it stands in a
// field that is not exported, where Go calls no methods.
func (p *printer) value(v reflect.Value, t *Type, depth int, hidden bool) {
	if t == nil || !v.IsValid() {
		p.library(v, depth)
		return
	}
	if !hidden && p.methods(v, t) {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		p.structure(v, t, depth, hidden)
	case reflect.Map:
		p.mapping(v, t, depth, hidden)
	case reflect.Slice, reflect.Array:
		p.list(v, t, depth, hidden)
	case reflect.Pointer:
		p.pointer(v, t, depth, hidden)
	case reflect.Interface:
		if v.IsNil() {
			p.nothing(t)
			return
		}
		p.value(v.Elem(), t, depth+1, hidden)
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

// nothing prints what an interface stands for that is nil.
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

// verbsOf returns the verbs that package fmt has for a kind of plain values.
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

// library prints a value that the library knows, or what an interface holds.
func (p *printer) library(v reflect.Value, depth int) {
	if !v.IsValid() || v.Kind() == reflect.Interface && v.IsNil() {
		p.text("<nil>")
		return
	}
	if depth > 0 && v.Kind() == reflect.Pointer && !v.IsNil() && (p.verb == 'v' || p.verb == 's' || p.verb == 'd') {
		switch v.Interface().(type) {
		case fmt.Formatter, fmt.Stringer, error:
		default:
			fmt.Fprintf(p, "0x%x", v.Pointer()) // fmt shows what is behind a pointer at the top alone
			return
		}
	}
	p.plain(v.Interface())
}

// methods prints a value by a method of its type, where it has one for the verb.
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

func (p *printer) structure(v reflect.Value, t *Type, depth int, hidden bool) {
	if p.sharp() {
		p.text(t.name)
	}
	p.text("{")
	for i := range v.NumField() {
		name := ""
		if i < len(t.fields) {
			name = t.fields[i]
		}
		if i > 0 {
			p.text(p.comma())
		}
		if p.sharp() || p.Flag('+') && p.verb == 'v' {
			p.text(name + ":")
		}
		private := hidden || !token.IsExported(name)
		f := v.Field(i)
		if f.Kind() == reflect.Interface && !f.IsNil() {
			f = f.Elem()
		}
		p.member(f, t.part(i), depth, private)
	}
	p.text("}")
}

// member prints a field or an element.
func (p *printer) member(v reflect.Value, t *Type, depth int, hidden bool) {
	if v.IsValid() && v.Kind() == reflect.Interface && !v.IsNil() {
		v = v.Elem()
	}
	if v.IsValid() && v.CanInterface() {
		if o, ok := open(v.Interface()); ok {
			p.value(reflect.ValueOf(o.V), o.T, depth+1, hidden)
			return
		}
		if hidden && t == nil && v.Kind() != reflect.Pointer {
			p.hidden(v, depth)
			return
		}
	}
	p.value(v, t, depth+1, hidden)
}

// hidden prints a value of the library in a field that is not exported, without
// its methods.
func (p *printer) hidden(v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Bool:
		p.plain(v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		p.plain(v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		p.plain(v.Uint())
	case reflect.Float64:
		p.plain(v.Float())
	case reflect.String:
		p.plain(v.String())
	default:
		p.library(v, depth)
	}
}

func (p *printer) comma() string {
	if p.sharp() {
		return ", "
	}
	return " "
}

func (p *printer) mapping(v reflect.Value, t *Type, depth int, hidden bool) {
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
		p.member(k, t.part(0), depth, hidden)
		p.text(":")
		p.member(v.MapIndex(k), t.part(1), depth, hidden)
	}
	if p.sharp() {
		p.text("}")
	} else {
		p.text("]")
	}
}

func (p *printer) list(v reflect.Value, t *Type, depth int, hidden bool) {
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
		p.member(v.Index(i), t.part(0), depth, hidden)
	}
	p.text(end)
}

func (p *printer) pointer(v reflect.Value, t *Type, depth int, hidden bool) {
	if depth == 0 && !v.IsNil() {
		switch v.Elem().Kind() {
		case reflect.Struct, reflect.Map, reflect.Slice, reflect.Array:
			p.text("&")
			p.value(v.Elem(), t.part(0), depth+1, hidden)
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

// MarshalJSON writes the value as its type says, or as what it is made of.
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
