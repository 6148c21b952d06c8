package script

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors/script/internal/own"
	"github.com/vedettehq/vedette/inspectors/script/symbols"
)

// notCalled are the functions and methods that the tests below leave alone: what
// connects, waits, ends processes or changes files. The methods that the check
// refuses are left alone too.
func notCalled() *regexp.Regexp {
	return regexp.MustCompile(`^(Dial.*|Lookup.*|Get|Head|Post.*|Do|RoundTrip|Sleep|Resolve.*|Wait|Lock|RLock|` +
		`Kill.*|Terminate.*|Suspend.*|Resume.*|SendSignal.*|Chdir|Chmod|Chown|Truncate|Sync|Remove.*|Cmd|StartRe.*|.*Lock|Unlock|RUnlock|TryR?Lock)$`)
}

// region is a piece of memory that a script can change.
type region struct {
	address uintptr
	size    uintptr
	what    string
}

// gather adds to found what a script can change from v on, and the values on the
// way that have methods.
type gathered struct {
	regions map[uintptr]region
	values  []reflect.Value
}

func (g *gathered) add(v reflect.Value, path string, depth int) {
	if !v.IsValid() || depth > 12 {
		return
	}
	if v.Type().NumMethod() > 0 && v.CanInterface() && nameable(v.Type()) {
		g.values = append(g.values, v)
	}
	hold := func(address uintptr, size uintptr) bool {
		if old, ok := g.regions[address]; address == 0 || size == 0 || ok && old.size >= size {
			return false
		}
		g.regions[address] = region{address, size, path}
		return true
	}
	switch v.Kind() {
	case reflect.Pointer:
		t := v.Type().Elem()
		if v.IsNil() || own.IsKept(t) {
			return
		}
		if !nameable(t) && !hasExported(t) {
			if v.CanInterface() {
				g.values = append(g.values, v)
			}
			return
		}
		if hold(v.Pointer(), t.Size()) {
			if v.CanInterface() && v.Type().NumMethod() > 0 {
				g.values = append(g.values, v)
			}
			g.add(v.Elem(), path+".*", depth+1)
		}
	case reflect.Interface:
		g.add(opened(v), path+".()", depth+1)
	case reflect.Slice:
		if !v.IsNil() && hold(v.Pointer(), uintptr(v.Cap())*v.Type().Elem().Size()) && !plain(v.Type().Elem()) {
			for i := range min(v.Len(), 40) {
				g.add(v.Index(i), path+"[]", depth+1)
			}
		}
	case reflect.Array:
		for i := range min(v.Len(), 40) {
			if !plain(v.Type().Elem()) {
				g.add(v.Index(i), path+"[]", depth+1)
			}
		}
	case reflect.Map:
		if !v.IsNil() && hold(v.Pointer(), 1) {
			for entries := v.MapRange(); entries.Next(); {
				g.add(entries.Value(), path+"[k]", depth+1)
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				g.add(v.Field(i), path+"."+f.Name, depth+1)
			}
		}
	}
}

func plain(t reflect.Type) bool { return t.Kind() <= reflect.Complex128 || t.Kind() == reflect.String }

func hasExported(t reflect.Type) bool {
	for i := 0; t.Kind() == reflect.Struct && i < t.NumField(); i++ {
		if t.Field(i).IsExported() {
			return true
		}
	}
	return false
}

// argument makes a value of a type that a function may take, no part of which anybody else
// has. Variant chooses among several.
func argument(t reflect.Type, variant int) reflect.Value {
	v := reflect.New(t).Elem()
	texts := []string{"tcp", "10.0.0.1", "/sys/kernel/mm", "UTC", "1", "GET"}
	numbers := []int{0, 1, 2, 0x82f63b78, 0xedb88320}
	switch t.Kind() {
	case reflect.String:
		v.SetString(texts[variant%len(texts)])
	case reflect.Int, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Int8:
		if n := int64(numbers[variant%3]); t != reflect.TypeFor[time.Duration]() {
			v.SetInt(n)
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if n := uint64(numbers[variant%len(numbers)]); !v.OverflowUint(n) {
			v.SetUint(n)
		}
	case reflect.Bool:
		v.SetBool(variant%2 == 1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(t, 4, 4))
		for i := range 4 {
			v.Index(i).Set(argument(t.Elem(), variant))
		}
	case reflect.Pointer:
		switch v.Interface().(type) { // the zero values of these never end
		case *bufio.Reader:
			v.Set(reflect.ValueOf(bufio.NewReader(strings.NewReader("HTTP/1.1 200 OK\r\nA: b\r\n\r\n"))))
		case *bufio.Writer:
			v.Set(reflect.ValueOf(bufio.NewWriter(io.Discard)))
		default:
			v.Set(reflect.New(t.Elem()))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(t))
	case reflect.Func:
		v.Set(reflect.MakeFunc(t, func([]reflect.Value) []reflect.Value {
			out := make([]reflect.Value, t.NumOut())
			for i := range out {
				out[i] = reflect.Zero(t.Out(i))
			}
			return out
		}))
	case reflect.Interface:
		for _, have := range []any{context.Background(), strings.NewReader("4 some text"), new(bytes.Buffer), io.EOF, []byte("some text")} {
			if reflect.TypeOf(have).Implements(t) && t.NumMethod() > 0 {
				v.Set(reflect.ValueOf(have))
				break
			}
		}
	}
	return v
}

// variants returns how many arguments there are to choose from.
func variants(f reflect.Type) int {
	for i := range f.NumIn() {
		if plain(f.In(i)) {
			return 6
		}
	}
	return 1
}

// results calls a function or method with new arguments. It returns nil if the call panics.
func results(f reflect.Value, variant int) (out []reflect.Value) {
	defer func() {
		if recover() != nil {
			out = nil
		}
	}()
	args := make([]reflect.Value, 0, f.Type().NumIn())
	for i := range f.Type().NumIn() {
		if f.Type().IsVariadic() && i == f.Type().NumIn()-1 {
			break
		}
		args = append(args, argument(f.Type().In(i), variant))
	}
	return f.Call(args)
}

// reached returns all that a script can change of what the functions of the
// tables return, and the methods of that, and the methods of those. Keep holds
// it, so that no memory is used twice.
func reached(t *testing.T, x *exporter) (regions map[uintptr]region, keep any) {
	g := &gathered{regions: map[uintptr]region{}}
	not := notCalled()
	all := [][]reflect.Value{}
	called := 0
	call := func(f reflect.Value, what string) {
		for variant := range variants(f.Type()) {
			done := make(chan []reflect.Value, 1)
			go func() {
				defer x.host.ownWeb().enter()()
				done <- results(f, variant)
			}()
			select {
			case out := <-done:
				if out != nil {
					called++
				}
				all = append(all, out)
				for i, v := range out {
					g.add(v, fmt.Sprintf("%s/%d→%d", what, variant, i), 0)
				}
			case <-time.After(time.Minute):
				t.Fatalf("%s has not returned", what)
			}
		}
	}
	for _, path := range symbols.Paths() {
		p, _ := symbols.Lookup(path)
		for _, name := range p.Names() {
			v := x.symbol(p, name)
			switch {
			case not.MatchString(name):
			case v.Kind() == reflect.Func:
				call(v, path+"."+name)
			case v.Kind() == reflect.Pointer && v.IsNil() && path != "bufio" && path != "sync":
				g.values = append(g.values, reflect.New(v.Type().Elem()), argument(v.Type().Elem(), 1))
			}
		}
	}
	seen := map[reflect.Type]int{}
	for round := 0; round < 3; round++ {
		values := g.values
		all = append(all, values)
		g.values = nil
		for _, v := range values {
			if seen[v.Type()]++; seen[v.Type()] > 2 || v.Kind() == reflect.Interface || strings.HasPrefix(v.Type().String(), "*io.Pipe") {
				continue // of an interface the value in it was added, where a script can get at it
			}
			for i := range v.NumMethod() {
				name := v.Type().Method(i).Name
				of := v.Type()
				if of.Kind() == reflect.Pointer {
					of = of.Elem()
				}
				if _, refused := own.Methods()[of.PkgPath()+"."+of.Name()+"."+name]; !refused && !not.MatchString(name) {
					call(v.Method(i), v.Type().String()+"."+name)
				}
			}
		}
	}
	t.Logf("%d calls returned, %d regions", called, len(g.regions))
	return g.regions, all
}

// TestFunctionsShareNothing calls every function of the tables for two scripts, with
// separate arguments, and every method of the results. What one script can change of the
// results is not what the other one gets, and no variable of a third script, or of the
// process, has changed.
func TestFunctionsShareNothing(t *testing.T) {
	third := newExporter()
	was := map[string]string{}
	everyVariable(func(p symbols.Package, name string) {
		was[p.Path+"."+name] = writeOut(theirs(p, name)) + writeOut(third.symbol(p, name))
	})
	one, other := newExporter(), newExporter()
	first, keepFirst := reached(t, one)
	second, keepSecond := reached(t, other)
	for address, r := range second {
		if also, ok := first[address]; ok {
			t.Errorf("%s of one script is %s of another: %d bytes", r.what, also.what, r.size)
		}
	}
	everyVariable(func(p symbols.Package, name string) {
		if now := writeOut(theirs(p, name)) + writeOut(third.symbol(p, name)); now != was[p.Path+"."+name] {
			t.Errorf("%s.%s is another one after the calls:\n%.300s\nwas\n%.300s", p.Path, name, now, was[p.Path+"."+name])
		}
	})
	runtime.KeepAlive([]any{keepFirst, keepSecond, one, other})
}
