package script

import (
	"context"
	"encoding"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log"
	"reflect"
	"strings"
	"time"

	"github.com/traefik/yaegi/interp"
	"github.com/vedettehq/vedette/inspectors/script/internal/core"
	"github.com/vedettehq/vedette/inspectors/script/internal/own"
	"github.com/vedettehq/vedette/inspectors/script/internal/source"
	"github.com/vedettehq/vedette/inspectors/script/lower"
	"github.com/vedettehq/vedette/inspectors/script/symbols"
)

// exports are the symbols of one interpreter: the names that the script uses from the
// packages that it imports. Library functions that would ignore the context of a run are
// replaced by ones that respect it.
func exports(s *source.Core, h *host, m *core.Machine) interp.Exports {
	x := &exporter{host: h, copies: new(own.Copies)}
	table := interp.Exports{hostPath + "/host": {
		"Enter":   reflect.ValueOf(h.Enter),
		"Leave":   reflect.ValueOf(h.Leave),
		"Context": reflect.ValueOf(h.Context),
		"Report":  reflect.ValueOf(h.Report),
		"Value":   reflect.ValueOf(h.Value),
		"Result":  reflect.ValueOf(h.Result),
	}}
	table[lower.HostPath+"/core"] = m.Exports(wrapper)
	mapTypes := make(map[reflect.Value][]reflect.Type)
	for path, names := range s.Used {
		x.addPackage(table, mapTypes, path, names)
	}
	// The interpreter looks up the wrappers of these when a value of an
	// interpreted type becomes one of their interfaces.
	for _, path := range []string{"context", "encoding", "fmt", "io", "sort"} {
		if _, ok := s.Used[path]; !ok {
			x.addPackage(table, mapTypes, path, nil)
		}
	}
	table["."] = map[string]reflect.Value{"MapTypes": reflect.ValueOf(mapTypes)}
	return table
}

// exporter makes the symbols of one interpreter.
type exporter struct {
	host   *host
	copies *own.Copies // copies of the variables that scripts would share
	last   *lastTimes  // of the processors, or nil
}

// symbol returns the interpreter's value for an exported name of a package.
func (x *exporter) symbol(p symbols.Package, name string) reflect.Value {
	if v := x.replacement(p.Path, name); v.IsValid() {
		return v
	}
	v := p.Value(name)
	if v.CanAddr() {
		return x.copies.Variable(v)
	}
	return v
}

func (x *exporter) addPackage(table interp.Exports, mapTypes map[reflect.Value][]reflect.Type, path string, names []string) {
	p, ok := symbols.Lookup(path)
	if !ok {
		return
	}
	values := make(map[string]reflect.Value, len(names))
	for _, name := range names {
		v := x.symbol(p, name)
		values[name] = v
		if types := methodsSeen(path, name); types != nil {
			mapTypes[v] = types
		}
	}
	for _, name := range p.Wrappers() {
		values[name] = p.Value(name)
	}
	key := path + "/" + p.Name
	if path == "fmt" {
		// Under its plain key, "fmt/fmt", the interpreter takes the table for
		// the whole standard library, compiles the generic packages that come
		// with it, and replaces what it prints with: 5 ms for each interpreter.
		key = "fmt/./fmt"
	}
	table[key] = values
}

// methodsSeen returns the interfaces whose methods a library function must see on an
// interpreted type, although its parameter is any.
func methodsSeen(path, name string) []reflect.Type {
	switch {
	case path == "fmt" && strings.Contains(name, "rint"), path == "fmt" && name == "Errorf", path == "log":
		return []reflect.Type{reflect.TypeFor[fmt.Formatter](), reflect.TypeFor[fmt.Stringer]()}
	case path == "fmt" && strings.Contains(name, "can"):
		return []reflect.Type{reflect.TypeFor[fmt.Scanner]()}
	case path == "encoding/json" && name == "Marshal":
		return []reflect.Type{reflect.TypeFor[json.Marshaler](), reflect.TypeFor[encoding.TextMarshaler]()}
	case path == "encoding/json" && name == "Unmarshal":
		return []reflect.Type{reflect.TypeFor[json.Unmarshaler](), reflect.TypeFor[encoding.TextUnmarshaler]()}
	case path == "encoding/xml" && name == "Marshal":
		return []reflect.Type{reflect.TypeFor[xml.Marshaler](), reflect.TypeFor[encoding.TextMarshaler]()}
	case path == "encoding/xml" && name == "Unmarshal":
		return []reflect.Type{reflect.TypeFor[xml.Unmarshaler](), reflect.TypeFor[encoding.TextUnmarshaler]()}
	}
	return nil
}

// replacement returns the script's replacement for a library function that prints to the
// process's output, ignores the context of the run, reads files, or remembers something for
// all its callers; and for variables of which the script has its own copies. It is the zero
// Value for all other names.
func (x *exporter) replacement(path, name string) reflect.Value {
	h := x.host
	if v := reading(h.files, path, name); v.IsValid() {
		return v
	}
	switch path {
	case "fmt":
		return printer(h, name)
	case "log":
		l := log.New(h.output, "", 0)
		switch name {
		case "Print":
			return reflect.ValueOf(l.Print)
		case "Printf":
			return reflect.ValueOf(l.Printf)
		case "Println":
			return reflect.ValueOf(l.Println)
		}
	case "time":
		if name == "Sleep" {
			return reflect.ValueOf(func(d time.Duration) { sleep(h.Context(), d) })
		}
	case "net":
		return h.ownWeb().dialer(name)
	case "net/http":
		return h.ownWeb().caller(name)
	case "crypto/tls":
		return x.tls(name)
	case "hash/crc32":
		return checksum(x.copies, name)
	case "github.com/shirou/gopsutil/v3/cpu":
		return x.percent(name)
	}
	return reflect.Value{}
}

func printer(h *host, name string) reflect.Value {
	switch name {
	case "Print":
		return reflect.ValueOf(func(a ...any) (int, error) { return fmt.Fprint(h.output, a...) })
	case "Printf":
		return reflect.ValueOf(func(format string, a ...any) (int, error) { return fmt.Fprintf(h.output, format, a...) })
	case "Println":
		return reflect.ValueOf(func(a ...any) (int, error) { return fmt.Fprintln(h.output, a...) })
	}
	return reflect.Value{}
}

// sleep is time.Sleep, but ends with the run.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// wrapper returns the type by which the interpreter makes a library interface out of
// functions.
func wrapper(path, name string) reflect.Type {
	p, _ := symbols.Lookup(path)
	return p.Value("_" + name).Type().Elem()
}
