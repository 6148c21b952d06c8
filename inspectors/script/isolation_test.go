package script

import (
	"context"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/inspectors/script/internal/files"
	"github.com/vedettehq/vedette/inspectors/script/internal/own"
	"github.com/vedettehq/vedette/inspectors/script/symbols"
)

// newExporter makes the symbols of one script that is not built.
func newExporter() *exporter {
	h := &host{output: &output{w: io.Discard}, tally: &tally{}, files: files.New(nil, nil)}
	h.start(context.Background(), nil)
	return &exporter{host: h, copies: new(own.Copies)}
}

// everyVariable calls f for each variable of the tables.
func everyVariable(f func(p symbols.Package, name string)) {
	for _, path := range symbols.Paths() {
		p, _ := symbols.Lookup(path)
		for _, name := range p.Names() {
			if p.Value(name).CanAddr() {
				f(p, name)
			}
		}
	}
}

// theirs returns the variable of the process. Of the transport that sends
// requests to those of the scripts it is the one that all others use.
func theirs(p symbols.Package, name string) reflect.Value {
	v := p.Value(name)
	if t, ok := v.Interface().(*separateTransport); ok {
		return reflect.ValueOf(&t.others).Elem()
	}
	return v
}

// TestVariablesAreOwn changes all that one script can reach through every
// variable of the tables, and looks at the same variable of a script that was
// loaded before, of one that is loaded later, and of the process.
func TestVariablesAreOwn(t *testing.T) {
	before, spoiler := newExporter(), newExporter()
	was := map[string]string{}
	everyVariable(func(p symbols.Package, name string) {
		was[p.Path+"."+name] = writeOut(before.symbol(p, name))
		was["the process's "+p.Path+"."+name] = writeOut(theirs(p, name))
	})
	changed := 0
	everyVariable(func(p symbols.Package, name string) {
		v := spoiler.symbol(p, name)
		if !v.CanSet() {
			t.Errorf("%s.%s is no variable for a script", p.Path, name)
			return
		}
		old := writeOut(v)
		spoil(v, map[uintptr]bool{})
		if writeOut(v) != old {
			changed++
		}
	})
	if all := len(was) / 2; changed < all*9/10 {
		t.Errorf("%d of %d variables were changed: the test does not reach them", changed, all)
	}
	later := newExporter()
	everyVariable(func(p symbols.Package, name string) {
		key := p.Path + "." + name
		for who, now := range map[string]string{
			"a script that was loaded before": writeOut(before.symbol(p, name)),
			"a script that is loaded later":   writeOut(later.symbol(p, name)),
		} {
			if now != was[key] {
				t.Errorf("%s sees what another one did to %s:\n%.300s\nwas\n%.300s", who, key, now, was[key])
			}
		}
		if now := writeOut(theirs(p, name)); now != was["the process's "+key] {
			t.Errorf("the process sees what a script did to %s", key)
		}
	})
}

// TestCopiesAgree holds that the variables of one script that point to one place
// in Go do so among its copies, that what programs compare stays what it is, and
// that nobody else has any of it.
func TestCopiesAgree(t *testing.T) {
	type pointer struct {
		theirs, mine uintptr
		name         string
	}
	x := newExporter()
	var all []pointer
	everyVariable(func(p symbols.Package, name string) {
		theirs, mine := p.Value(name), x.symbol(p, name)
		switch theirs.Kind() {
		case reflect.Interface:
			replaced := x.replacement(p.Path, name).IsValid()
			if !replaced && theirs.Interface() != mine.Interface() {
				t.Errorf("%s.%s is another value for scripts", p.Path, name)
			}
		case reflect.Pointer:
			if kept := own.IsKept(theirs.Type().Elem()); kept != (theirs.Pointer() == mine.Pointer()) {
				t.Errorf("%s.%s points to a copy: %v, want %v", p.Path, name, kept, !kept)
			}
			all = append(all, pointer{theirs.Pointer(), mine.Pointer(), p.Path + "." + name})
		}
	})
	for i, a := range all {
		for _, b := range all[:i] {
			if (a.theirs == b.theirs) != (a.mine == b.mine) {
				t.Errorf("%s and %s are one: %v, the copies %v", a.name, b.name, a.theirs == b.theirs, a.mine == b.mine)
			}
		}
	}
}

// nameable reports whether a script can write the type, or it has no name.
func nameable(t reflect.Type) bool {
	if t.Name() == "" || t.PkgPath() == "" {
		return true
	}
	p, ok := symbols.Lookup(t.PkgPath())
	return ok && p.Has(t.Name())
}

// opened returns the value in an interface where a script can get at it by an
// assertion, or the zero Value.
func opened(v reflect.Value) reflect.Value {
	in := v.Elem()
	if !in.IsValid() {
		return in
	}
	t := in.Type()
	if t.Kind() == reflect.Pointer && t.Name() == "" {
		t = t.Elem()
	}
	if !nameable(t) {
		return reflect.Value{}
	}
	return in
}

// spoil changes everything that Go lets a script change from v on. It ignores the check and
// its rules, except for the types that are kept.
func spoil(v reflect.Value, seen map[uintptr]bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() && !own.IsKept(v.Type().Elem()) && !seen[v.Pointer()] {
			seen[v.Pointer()] = true
			spoil(v.Elem(), seen)
		}
	case reflect.Interface:
		if in := opened(v); in.IsValid() {
			spoil(in, seen)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			spoil(v.Index(i), seen)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			spoil(v.MapIndex(key), seen)
			v.SetMapIndex(key, reflect.Zero(v.Type().Elem()))
		}
		if !v.IsNil() {
			v.SetMapIndex(reflect.Zero(v.Type().Key()), reflect.Zero(v.Type().Elem()))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				spoil(v.Field(i), seen)
			}
		}
	}
	if !v.CanSet() {
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.String:
		v.SetString(v.String() + "!")
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(v.Int() ^ 1)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(v.Uint() ^ 1)
	case reflect.Struct:
		if zeroed := v.NumField() > 0 && !v.Type().Field(0).IsExported(); zeroed {
			v.SetZero() // as *p = T{}
		}
	default:
		v.SetZero()
	}
}

// writeOut writes out all that a value holds, whether a script can get at it or
// not.
func writeOut(v reflect.Value) string {
	var b strings.Builder
	writeTo(&b, v, map[uintptr]bool{})
	return b.String()
}

func writeTo(b *strings.Builder, v reflect.Value, seen map[uintptr]bool) {
	switch v.Kind() {
	case reflect.Invalid:
		b.WriteString("nil")
	case reflect.Pointer, reflect.Map:
		if v.IsNil() || seen[v.Pointer()] {
			fmt.Fprintf(b, "%v:nil=%v", v.Type(), v.IsNil())
			return
		}
		seen[v.Pointer()] = true
		if v.Kind() == reflect.Pointer {
			b.WriteString("&")
			writeTo(b, v.Elem(), seen)
			return
		}
		keys := v.MapKeys()
		slices.SortFunc(keys, func(x, y reflect.Value) int { return strings.Compare(fmt.Sprint(x), fmt.Sprint(y)) })
		for _, key := range keys {
			fmt.Fprintf(b, "%v:", key)
			writeTo(b, v.MapIndex(key), seen)
		}
	case reflect.Interface:
		if !v.IsNil() {
			fmt.Fprintf(b, "(%v)", v.Elem().Type())
			writeTo(b, v.Elem(), seen)
		}
	case reflect.Slice, reflect.Array:
		fmt.Fprintf(b, "%d[", v.Len())
		for i := range v.Len() {
			writeTo(b, v.Index(i), seen)
			b.WriteString(" ")
		}
		b.WriteString("]")
	case reflect.Struct:
		b.WriteString("{")
		for i := range v.NumField() {
			writeTo(b, v.Field(i), seen)
			b.WriteString(" ")
		}
		b.WriteString("}")
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		fmt.Fprintf(b, "%v:nil=%v", v.Type(), v.IsZero())
	default:
		fmt.Fprint(b, v)
	}
}
