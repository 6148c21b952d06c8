package symbols_test

import (
	"fmt"
	"reflect"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/script"
	"github.com/vedettehq/vedette/inspectors/script/symbols"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestOutOfReach names what no inspector may have, should the list be widened
// without a thought.
func TestOutOfReach(t *testing.T) {
	for _, path := range []string{"os/exec", "os/signal", "unsafe", "reflect", "syscall", "runtime/debug", "plugin", "C", "embed", "net/http/pprof", "testing"} {
		if _, ok := symbols.Lookup(path); ok {
			t.Errorf("package %q is on the list", path)
		}
	}
	for path, names := range map[string]string{
		"os": "Exit Remove RemoveAll Rename Create OpenFile WriteFile Mkdir MkdirAll Chmod Chown Setenv StartProcess " +
			"FindProcess Stdout Stdin Args NewFile Symlink Link Truncate",
		"net": "Listen ListenTCP ListenUDP ListenUnix ListenPacket ListenIP ListenConfig FileConn FileListener TCPListener " +
			"Listener",
		"net/http":                              "ListenAndServe ListenAndServeTLS Serve ServeTLS Server Handle HandleFunc FileServer DefaultServeMux",
		"crypto/tls":                            "Listen NewListener Server",
		"time":                                  "AfterFunc Tick",
		"context":                               "AfterFunc",
		"runtime":                               "Goexit GC SetFinalizer GOMAXPROCS LockOSThread Breakpoint",
		"sync":                                  "WaitGroup NewCond Cond",
		"log":                                   "Fatal Fatalf SetOutput Default Panic",
		"github.com/shirou/gopsutil/v3/process": "SendSignal",
	} {
		p, ok := symbols.Lookup(path)
		if !ok {
			t.Errorf("package %q is not on the list", path)
		}
		for _, name := range strings.Fields(names) {
			if p.Has(name) {
				t.Errorf("%s.%s is on the list", path, name)
			}
		}
	}
}

func TestTables(t *testing.T) {
	paths := symbols.Paths()
	if !sort.StringsAreSorted(paths) || len(paths) < 40 {
		t.Errorf("%d paths, sorted: %v", len(paths), sort.StringsAreSorted(paths))
	}
	for _, path := range paths {
		p, ok := symbols.Lookup(path)
		if !ok || p.Path != path || p.Name == "" || len(p.Names()) == 0 {
			t.Errorf("Lookup(%q) = %+v, %v", path, p, ok)
			continue
		}
		for _, name := range append(p.Names(), p.Wrappers()...) {
			if !p.Value(name).IsValid() {
				t.Errorf("%s has no value of %s", path, name)
			}
		}
		for _, wrapper := range p.Wrappers() {
			iface := p.Value(wrapper[1:])
			if iface.Kind() != reflect.Pointer || iface.Type().Elem().Kind() != reflect.Interface {
				t.Errorf("%s.%s is no interface", path, wrapper[1:])
			} else if struc := p.Value(wrapper).Type().Elem(); !struc.Implements(iface.Type().Elem()) {
				t.Errorf("%v does not implement %v", struc, iface.Type().Elem())
			}
		}
		if p.Has("") || p.Has("nothing") || len(p.Wrappers()) > 0 && p.Has(p.Wrappers()[0]) {
			t.Errorf("%s has what it has not", path)
		}
	}
	if _, ok := symbols.Lookup("nothing"); ok {
		t.Error("Lookup finds nothing")
	}
}

// TestEverySymbolCompiles uses every name of every package in a script, and
// holds that the interpreter takes it.
func TestEverySymbolCompiles(t *testing.T) {
	for _, path := range symbols.Paths() {
		t.Run(path, func(t *testing.T) {
			p, _ := symbols.Lookup(path)
			var b strings.Builder
			fmt.Fprintf(&b, "//vedette:needs net exec:/bin/true secret:x fs:/x\npackage x\n\nimport %q\n\nfunc Inspect() (float64, error) {\n", path)
			for i, name := range p.Names() {
				if v := p.Value(name); v.Kind() == reflect.Pointer && v.IsNil() && !v.CanSet() {
					fmt.Fprintf(&b, "\tvar v%d *%s.%s\n\t_ = v%d\n", i, p.Name, name, i)
				} else if strings.HasPrefix(name, "MaxUint") {
					fmt.Fprintf(&b, "\tv%d := uint64(%s.%s)\n\t_ = v%d\n", i, p.Name, name, i)
				} else {
					fmt.Fprintf(&b, "\tv%d := %s.%s\n\t_ = v%d\n", i, p.Name, name, i)
				}
			}
			b.WriteString("\treturn 1, nil\n}\n")
			loaded, err := script.Load(inspectors.Definition{Name: "x", Timeout: time.Minute, Script: &inspectors.Script{File: "x.go", Source: b.String()}})
			if err != nil {
				t.Fatal(err)
			}
			loaded.Close()
		})
	}
}
