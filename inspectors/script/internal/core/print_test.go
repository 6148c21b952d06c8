package core

import (
	"fmt"
	"io"
	"math/rand"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The types of the test: a struct of most kinds, with a part that prints itself.
type (
	level int
	inner struct {
		L level
		n float64
	}
	outer struct {
		A int
		b string
		C []float64
		D map[string]level
		e [2]bool
		F inner
		G []inner
		h map[level]inner
		I uint8
		J []byte
		k level
		L *inner
	}
	usual struct { // of types that the library knows
		T time.Time
		t time.Time
		D time.Duration
		d time.Duration
		i net.IP
		N net.IPNet
		n net.IPNet
		a netip.Addr
		u url.URL
		l []time.Duration
		m [2]time.Month
		W []time.Weekday
		f inner
		e error
		s fmt.Stringer
		x any
		p *url.URL
		h http.Header
	}
	spread struct {
		usual
		*part
		Weekdays
		last part
	}
	part struct {
		E, e error
		T, t time.Time
		X, x any
		L    level
	}
	Weekdays []time.Weekday
)

func (l level) String() string { return fmt.Sprintf("L%d", int(l)) }

// typesOf describes a native type as a script would.
func typesOf(t reflect.Type, known map[reflect.Type]*Type) *Type {
	if d, ok := known[t]; ok {
		return d
	}
	if isKnown(t) {
		return nil
	}
	if t.PkgPath() == "" && t.Kind() != reflect.Slice && t.Kind() != reflect.Map && t.Kind() != reflect.Array && t.Kind() != reflect.Pointer {
		return nil
	}
	d := NewType(len(known)+1, t.String(), false)
	known[t] = d
	if t == reflect.TypeFor[level]() {
		Method(d, "String", func(v any) string { return level(reflect.ValueOf(v).Int()).String() })
	}
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			if t.Field(i).Anonymous {
				Shape(d, t.Field(i).Name, true, typesOf(t.Field(i).Type, known))
				continue
			}
			Shape(d, t.Field(i).Name, typesOf(t.Field(i).Type, known))
		}
	case reflect.Map:
		Shape(d, typesOf(t.Key(), known), typesOf(t.Elem(), known))
	case reflect.Slice, reflect.Array, reflect.Pointer:
		Shape(d, typesOf(t.Elem(), known))
	}
	return d
}

// isKnown reports whether the library knows a type: one that it declares, or one that is
// made only of those.
func isKnown(t reflect.Type) bool {
	switch {
	case t.PkgPath() != "":
		return t.PkgPath() != reflect.TypeFor[level]().PkgPath()
	case t.Kind() == reflect.Slice, t.Kind() == reflect.Array, t.Kind() == reflect.Pointer:
		return t.Elem().PkgPath() != "" && isKnown(t.Elem())
	}
	return t.Kind() == reflect.Interface
}

// bare makes of a value what the interpreter holds: the same without names of
// types, with all fields exported.
func bare(v reflect.Value) reflect.Value {
	t := bareType(v.Type())
	out := reflect.New(t).Elem()
	if isKnown(v.Type()) {
		out.Set(reflect.NewAt(v.Type(), v.Addr().UnsafePointer()).Elem())
		return out
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			out.Field(i).Set(bare(v.Field(i)))
		}
	case reflect.Map:
		if !v.IsNil() {
			out.Set(reflect.MakeMap(t))
			for _, k := range v.MapKeys() {
				out.SetMapIndex(bare(k), bare(v.MapIndex(k)))
			}
		}
	case reflect.Slice:
		if !v.IsNil() {
			out.Set(reflect.MakeSlice(t, v.Len(), v.Len()))
			for i := range v.Len() {
				out.Index(i).Set(bare(v.Index(i)))
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			out.Index(i).Set(bare(v.Index(i)))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			out.Set(reflect.New(t.Elem()))
			out.Elem().Set(bare(v.Elem()))
		}
	case reflect.String:
		out.SetString(v.String())
	case reflect.Bool:
		out.SetBool(v.Bool())
	case reflect.Int:
		out.SetInt(v.Int())
	case reflect.Uint8:
		out.SetUint(v.Uint())
	default:
		out.SetFloat(v.Float())
	}
	return out
}

func bareType(t reflect.Type) reflect.Type {
	if isKnown(t) {
		return t
	}
	switch t.Kind() {
	case reflect.Struct:
		var fields []reflect.StructField
		for i := range t.NumField() {
			fields = append(fields, reflect.StructField{Name: "X" + t.Field(i).Name, Type: bareType(t.Field(i).Type)})
		}
		return reflect.StructOf(fields)
	case reflect.Map:
		return reflect.MapOf(bareType(t.Key()), bareType(t.Elem()))
	case reflect.Slice:
		return reflect.SliceOf(bareType(t.Elem()))
	case reflect.Array:
		return reflect.ArrayOf(t.Len(), bareType(t.Elem()))
	case reflect.Pointer:
		return reflect.PointerTo(bareType(t.Elem()))
	case reflect.Int:
		return reflect.TypeFor[int]()
	}
	return t
}

func randomOuter(r *rand.Rand) outer {
	part := func() inner { return inner{level(r.Intn(9)), r.NormFloat64()} }
	o := outer{
		A: r.Int() - r.Int(), b: strings.Repeat("x\"", r.Intn(3)), e: [2]bool{r.Intn(2) == 0, true}, F: part(),
		I: uint8(r.Intn(256)), k: level(r.Intn(9)),
	}
	for range r.Intn(4) {
		o.C = append(o.C, r.NormFloat64()*1e6)
		o.G = append(o.G, part())
		o.J = append(o.J, byte(r.Intn(256)))
		if o.D == nil {
			o.D, o.h = make(map[string]level), make(map[level]inner)
		}
		o.D[fmt.Sprint(r.Intn(20))] = level(r.Intn(9))
		o.h[level(r.Intn(20))] = part()
	}
	return o
}

func randomUsual(r *rand.Rand) usual {
	at := time.Unix(r.Int63n(2e9), r.Int63n(1e9)).UTC()
	ip := net.IPv4(byte(r.Intn(256)), 0, 2, byte(r.Intn(256)))
	k := usual{
		T: at, t: at.Add(time.Hour), D: time.Duration(r.Int63n(1e12)), d: time.Duration(r.Int63n(1e12)),
		N: net.IPNet{IP: ip, Mask: net.CIDRMask(r.Intn(33), 32)}, n: net.IPNet{IP: ip.To4(), Mask: net.CIDRMask(r.Intn(33), 32)},
		a: netip.AddrFrom4([4]byte{10, 0, 0, byte(r.Intn(256))}), u: url.URL{Scheme: "http", Host: "h", Path: "/a b"},
		m: [2]time.Month{time.Month(r.Intn(13)), 1}, f: inner{level(r.Intn(9)), 2},
	}
	if r.Intn(2) == 0 {
		k.i, k.s, k.x = ip, k.D, at
		k.l, k.W = []time.Duration{k.d, 1}, []time.Weekday{time.Weekday(r.Intn(8))}
		k.e = syscall.Errno(r.Intn(40))
		k.h = http.Header{"A": {"b", "c"}}
	}
	if r.Intn(3) == 0 {
		k.p, k.x = &url.URL{Host: "p"}, &url.URL{Host: "q"}
	}
	return k
}

func randomPart(r *rand.Rand) part {
	k := randomUsual(r)
	return part{E: k.e, e: io.EOF, T: k.T, t: k.t, X: k.x, x: k.s, L: level(r.Intn(9))}
}

// TestPrintsAsGo prints random values as a script's and natively, with random
// verbs and flags.
func TestPrintsAsGo(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	verbs := []string{"%v", "%+v", "%s", "%d", "%q", "%x", "%6v", "%-4v|", "%.2f", "%08.3f", "%+d", "%X", "%t", "%#v", "%o"}
	known := make(map[reflect.Type]*Type)
	for range 500 {
		whole := randomOuter(random)
		library := randomUsual(random)
		parts := spread{library, nil, Weekdays{2, 3}, randomPart(random)}
		values := []any{
			parts, &parts,
			[]spread{parts},
			library, &library,
			[]usual{library},
			whole,
			&whole, whole.F, whole.G, whole.D, whole.k, whole.h, whole.e, whole.C,
		}
		for _, value := range values {
			native := reflect.New(reflect.TypeOf(value)).Elem()
			native.Set(reflect.ValueOf(value))
			object := Box(typesOf(native.Type(), known), bare(native).Interface())
			if known[native.Type()] == nil {
				continue
			}
			verb := verbs[random.Intn(len(verbs))]
			if got, want := fmt.Sprintf(verb, object), fmt.Sprintf(verb, value); got != want {
				t.Fatalf("%s of %T\n got %s\nwant %s", verb, value, got, want)
			}
		}
	}
}

// TestEqualAsGo holds that objects are equal where what they stand for is, and
// that types are told apart.
func TestEqualAsGo(t *testing.T) {
	a, b := NewType(1, "a", false), NewType(2, "b", false)
	if !Equal(Box(a, 1), Box(a, 1)) || Equal(Box(a, 1), Box(b, 1)) || Equal(Box(a, 1), 1) || !Equal(nil, nil) || Equal(Box(a, nil), nil) {
		t.Error("not as Go")
	}
	defer func() {
		if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), "uncomparable") {
			t.Errorf("slices compare: %v", r)
		}
	}()
	Equal(Box(a, []int{1}), Box(a, []int{1}))
}
