package script

import (
	"context"
	"encoding"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log"
	"net"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/traefik/yaegi/interp"
	"github.com/vedettehq/vedette/inspectors/script/internal/source"
	"github.com/vedettehq/vedette/inspectors/script/symbols"
)

// exports are the symbols that one interpreter gets: of the packages that the
// script imports the names that it selects, with the library functions that
// would ignore the context of a run replaced by ones that heed it.
func exports(s *source.Source, h *host) interp.Exports {
	table := interp.Exports{hostPath + "/host": {
		"Enter":   reflect.ValueOf(h.Enter),
		"Leave":   reflect.ValueOf(h.Leave),
		"Context": reflect.ValueOf(h.Context),
		"Report":  reflect.ValueOf(h.Report),
		"Value":   reflect.ValueOf(h.Value),
		"Result":  reflect.ValueOf(h.Result),
	}}
	mapTypes := make(map[reflect.Value][]reflect.Type)
	for path, names := range s.Used {
		addPackage(table, mapTypes, h, path, names)
	}
	// The interpreter looks up the wrappers of these when a value of an
	// interpreted type becomes one of their interfaces.
	for _, path := range []string{"context", "encoding", "fmt", "io", "sort"} {
		if _, ok := s.Used[path]; !ok {
			addPackage(table, mapTypes, h, path, nil)
		}
	}
	table["."] = map[string]reflect.Value{"MapTypes": reflect.ValueOf(mapTypes)}
	return table
}

func addPackage(table interp.Exports, mapTypes map[reflect.Value][]reflect.Type, h *host, path string, names []string) {
	p, ok := symbols.Lookup(path)
	if !ok {
		return
	}
	values := make(map[string]reflect.Value, len(names))
	for _, name := range names {
		v := replacement(h, path, name)
		if !v.IsValid() {
			v = p.Value(name)
		}
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

// methodsSeen returns the interfaces whose methods, where an interpreted type
// has them, a library function must see although its parameter is any.
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

// replacement returns what a script gets in place of a library function that
// prints to the process's own output, that would not heed the context of the
// run, or that reads files, or the zero Value.
func replacement(h *host, path, name string) reflect.Value {
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
		return dialer(h, name)
	case "net/http":
		return httpCaller(h, name)
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

// sleep waits as time.Sleep does, but no longer than the run may last.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func dialer(h *host, name string) reflect.Value {
	switch name {
	case "Dial":
		return reflect.ValueOf(func(network, address string) (net.Conn, error) {
			return new(net.Dialer).DialContext(h.Context(), network, address)
		})
	case "DialTimeout":
		return reflect.ValueOf(func(network, address string, timeout time.Duration) (net.Conn, error) {
			return (&net.Dialer{Timeout: timeout}).DialContext(h.Context(), network, address)
		})
	case "LookupAddr":
		return reflect.ValueOf(func(addr string) ([]string, error) { return net.DefaultResolver.LookupAddr(h.Context(), addr) })
	case "LookupHost":
		return reflect.ValueOf(func(host string) ([]string, error) { return net.DefaultResolver.LookupHost(h.Context(), host) })
	case "LookupIP":
		return reflect.ValueOf(func(host string) ([]net.IP, error) { return net.DefaultResolver.LookupIP(h.Context(), "ip", host) })
	}
	return reflect.Value{}
}

// boundTransport ends a request with the run that makes it.
type boundTransport struct{ host *host }

func (t boundTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Context() == context.Background() {
		req = req.WithContext(t.host.Context())
	}
	return http.DefaultTransport.RoundTrip(req)
}

func httpCaller(h *host, name string) reflect.Value {
	client := &http.Client{Transport: boundTransport{h}}
	switch name {
	case "DefaultClient":
		return reflect.ValueOf(&client).Elem()
	case "DefaultTransport":
		return reflect.ValueOf(&client.Transport).Elem()
	case "Get":
		return reflect.ValueOf(client.Get)
	case "Head":
		return reflect.ValueOf(client.Head)
	case "Post":
		return reflect.ValueOf(client.Post)
	case "PostForm":
		return reflect.ValueOf(client.PostForm)
	}
	return reflect.Value{}
}
