package check_test

import (
	"fmt"
	"math/rand/v2"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/script/check"
	"github.com/vedettehq/vedette/inspectors/script/internal/own"
	"github.com/vedettehq/vedette/inspectors/script/symbols"
)

// refusedBy returns the rules that refuse a script.
func refusedBy(source string) (rules []string, text string) {
	for _, f := range check.Findings(inspectors.Script{File: "x.go", Line: 1, Source: source}) {
		rules = append(rules, f.Rule())
		text += f.Error() + "\n"
	}
	return rules, text
}

// writes are the statements by which Go lets a script change what the expression
// e of type t refers to. Each sets a place to what is there, so that it needs no
// name of a type.
func writes(t reflect.Type, e string, depth int) []string {
	set := func(place string) string { return place + " = " + place }
	var list []string
	if depth > 3 {
		return nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		list = append(list, set("*"+e))
		if t.Elem().Kind() == reflect.Struct {
			list = append(list, fieldWrites(t.Elem(), e, depth)...)
		}
	case reflect.Slice:
		list = append(list, set(e+"[0]"), "copy("+e+", "+e+")", "p := &"+e+"[0]\n\t_ = p")
		list = append(list, writes(t.Elem(), e+"[0]", depth+1)...)
		if t.Elem().Kind() == reflect.Struct {
			list = append(list, fieldWrites(t.Elem(), e+"[0]", depth)...)
		}
	case reflect.Map:
		if t.Key().Kind() == reflect.String {
			list = append(list, set(e+`["a"]`), "delete("+e+`, "a")`)
			list = append(list, writes(t.Elem(), e+`["a"]`, depth+1)...)
		}
	}
	return list
}

func fieldWrites(t reflect.Type, e string, depth int) []string {
	var list []string
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() {
			continue
		}
		place := e + "." + f.Name
		list = append(list, place+" = "+place, "p := &"+place+"\n\t_ = p")
		if f.Type.Kind() == reflect.Int {
			list = append(list, place+"++")
		}
		list = append(list, writes(f.Type, place, depth+1)...)
	}
	return list
}

// way takes the value of an expression to a variable v, and what stands outside
// of the function.
type way struct{ outside, inside string }

// ways are how a script can come to hold what a variable holds. T is the type as
// the script writes it, or "".
func ways(e, t string) []way {
	list := []way{
		{"", "v := " + e},
		{"", "var v = " + e},
		{"var v = " + e, ""},
		{"", "w := " + e + "\n\tv := w"},
		{"", "v, n := " + e + ", 1\n\t_ = n"},
		{"func get() interface{} { return 1 }", "v := " + e + "\n\tfunc() { _ = v }()"},
	}
	if t != "" {
		list = append(list,
			way{"func get() " + t + " { return " + e + " }", "v := get()"},
			way{"func get() (" + t + ", error) { return " + e + ", nil }", "v, err := get()\n\t_ = err"},
			way{"type box struct{ f " + t + " }", "b := box{f: " + e + "}\n\tv := b.f"},
			way{"type box struct{ f " + t + " }", "b := &box{" + e + "}\n\tv := b.f"},
			way{"type box struct{ f " + t + " }\n\nvar held box", "held.f = " + e + "\n\tv := held.f"},
			way{"", "var i interface{} = " + e + "\n\tv := i.(" + t + ")"},
			way{"", "var i interface{} = " + e + "\n\tv, ok := i.(" + t + ")\n\t_ = ok"},
			way{"", "var v " + t + "\n\tv = " + e},
		)
	}
	return list
}

// typeName writes a type of which the tables have the name, or "".
func typeName(t reflect.Type) (text string, imports []string) {
	if t.Name() == "" {
		switch t.Kind() {
		case reflect.Pointer:
			text, imports = typeName(t.Elem())
			return prefixed("*", text), imports
		case reflect.Slice:
			text, imports = typeName(t.Elem())
			return prefixed("[]", text), imports
		case reflect.Map:
			text, imports = typeName(t.Elem())
			return prefixed("map["+t.Key().String()+"]", text), imports
		}
		return "", nil
	}
	if t.PkgPath() == "" {
		return t.Name(), nil
	}
	if p, ok := symbols.Lookup(t.PkgPath()); !ok || !p.Has(t.Name()) {
		return "", nil
	}
	return path.Base(t.PkgPath()) + "." + t.Name(), []string{t.PkgPath()}
}

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

// TestAliasesAreFollowed writes, for each variable of the tables, scripts that
// come by what it holds in a way that nobody chose, and change it.
func TestAliasesAreFollowed(t *testing.T) {
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	tried := 0
	for _, importPath := range symbols.Paths() {
		p, _ := symbols.Lookup(importPath)
		for _, name := range p.Names() {
			v := p.Value(name)
			if !v.CanAddr() {
				continue
			}
			all := writes(v.Type(), "v", 0)
			if len(all) == 0 {
				continue
			}
			e := p.Name + "." + name
			text, imports := typeName(v.Type())
			for range 3 {
				all := ways(e, text)
				w, write := all[random.IntN(len(all))], writes(v.Type(), "v", 0)
				source := aliasScript(append(imports, importPath), w, write[random.IntN(len(write))])
				tried++
				if rules, said := refusedBy(source); !slices.Contains(rules, "shared") {
					t.Errorf("this passes, but for %v:\n%s\n%s", rules, said, source)
				}
			}
		}
	}
	if tried < 500 {
		t.Errorf("only %d scripts were tried", tried)
	}
}

func aliasScript(imports []string, w way, write string) string {
	slices.Sort(imports)
	var b strings.Builder
	b.WriteString("//vedette:needs net\npackage x\n\nimport (\n")
	for _, i := range slices.Compact(imports) {
		fmt.Fprintf(&b, "\t%q\n", i)
	}
	fmt.Fprintf(&b, ")\n\n%s\n\nfunc Inspect() (float64, error) {\n\t%s\n\t%s\n\treturn 1, nil\n}\n", w.outside, w.inside, write)
	return b.String()
}

// TestWhatIsSharedStaysAsItIs refuses to change the values that the library hands
// to everybody, wherever a script has them from.
func TestWhatIsSharedStaysAsItIs(t *testing.T) {
	for name, c := range map[string]struct {
		refused bool
		body    string
	}{
		"a location":                 {true, "l := time.Now().Location()\n*l = *time.UTC\nreturn 1, nil"},
		"a location of a date":       {true, "*time.Date(2020, 1, 1, 0, 0, 0, 0, time.Local).Location() = *time.UTC\nreturn 1, nil"},
		"a location in a loop":       {true, "l := time.Local\nfor _, *l = range []time.Location{} {\n}\nreturn 1, nil"},
		"a location, converted":      {true, "type place time.Location\nl := (*place)(time.Local)\n*l = place{}\nreturn 1, nil"},
		"a location, in parentheses": {true, "l := time.Local\n(*(l)) = *time.UTC\nreturn 1, nil"},
		"a certificate": {true, "resp, err := http.Get(\"https://localhost\")\nif err != nil {\n\treturn 0, err\n}\n" +
			"resp.TLS.PeerCertificates[0].NotAfter = time.Now()\nreturn 1, nil"},
		"a part of a certificate":     {true, "var c x509.Certificate\np := &c\nq := p\nq.DNSNames[0] = \"\"\nreturn 1, nil"},
		"a slice of a certificate":    {true, "cert := &x509.Certificate{}\nnames := cert.DNSNames\nnames[0] = \"\"\nreturn 1, nil"},
		"a certificate, sorted":       {true, "cert := &x509.Certificate{}\nsort.Strings(cert.DNSNames)\nreturn 1, nil"},
		"a certificate, decoded into": {true, "cert := &x509.Certificate{}\nreturn 1, json.Unmarshal([]byte(\"{}\"), cert)"},
		"certificates, decoded into":  {true, "var s tls.ConnectionState\nreturn 1, json.Unmarshal([]byte(\"{}\"), &s.PeerCertificates)"},
		"a certificate as any":        {true, "m := map[string]any{}\nput := func(v any) { m[\"a\"] = v }\nput(&x509.Certificate{})\nreturn 1, nil"},
		"an error":                    {true, "http.ErrNotSupported.ErrorString = \"\"\nreturn 1, nil"},
		"an error, by another name":   {true, "e := http.ErrNotSupported\nf := e\nf.ErrorString = \"\"\nreturn 1, nil"},
		"a mask":                      {true, "m := net.ParseIP(\"10.0.0.1\").DefaultMask()\nm[0] = 0\nreturn 1, nil"},
		"a transport":                 {true, "t := http.DefaultTransport.(*http.Transport)\nt.MaxIdleConns = 1\nreturn 1, nil"},
		"a type switch":               {true, "switch t := http.DefaultTransport.(type) {\ncase *http.Transport:\n\tt.MaxIdleConns = 1\n}\nreturn 1, nil"},
		"an element in a range":       {true, "for _, t := range unicode.GraphicRanges {\n\tt.R16[0].Hi = 1\n}\nreturn 1, nil"},
		"a copy's tables":             {true, "t := *unicode.Digit\nt.R16[0].Hi = 1\nreturn 1, nil"},

		"an expiry": {false, "resp, err := http.Get(\"https://localhost\")\nif err != nil {\n\treturn 0, err\n}\n" +
			"cert := resp.TLS.PeerCertificates[0]\nfmt.Println(cert.Subject, cert)\nreturn time.Until(cert.NotAfter).Hours(), nil"},
		"an unknown authority": {false, "resp, err := http.Get(\"https://localhost\")\nvar unknown x509.UnknownAuthorityError\nif errors.As(err, &unknown) {\n" +
			"\treturn 0, nil\n}\nif err != nil {\n\treturn 0, err\n}\nreturn float64(len(resp.TLS.PeerCertificates)), nil"},
		"the fields of a copy":   {false, "c := *http.DefaultClient\nc.Timeout = time.Second\nreturn 1, nil"},
		"a transport of its own": {false, "t := http.DefaultTransport.(*http.Transport).Clone()\nt.MaxIdleConns = 1\nreturn 1, nil"},
		"times":                  {false, "last := time.Now()\np := &last\n*p = time.Now().In(time.Local)\nreturn 1, nil"},
		"a list of tables": {false, "list := []*unicode.RangeTable{unicode.Digit, nil}\nlist[1] = unicode.Letter\nm := map[string]*unicode.RangeTable{}\n" +
			"m[\"a\"] = unicode.Digit\nm[\"b\"] = list[0]\nreturn float64(len(m)), nil"},
		"another location": {false, "l := time.Local\nif l = time.UTC; l == time.UTC {\n\treturn 1, nil\n}\nreturn 0, nil"},
		"sorted names": {false, "cert := &x509.Certificate{}\nnames := append([]string{}, cert.DNSNames...)\nsort.Strings(names)\nnames[0] = \"\"\n" +
			"return 1, nil"},
		"bytes": {false, "b := []byte(\"abc\")\ncopy(b, base64.StdEncoding.EncodeToString(b))\nreturn float64(len(b)), nil"},
	} {
		t.Run(name, func(t *testing.T) {
			rules, said := refusedBy("//vedette:needs net\n" + c.body)
			if got := slices.Contains(rules, "shared"); got != c.refused || slices.Contains(rules, "types") {
				t.Errorf("refused: %v, want %v\n%s%s", got, c.refused, said, c.body)
			}
		})
	}
}

// TestSharingMethods refuses every method that reaches what belongs to all.
func TestSharingMethods(t *testing.T) {
	for method := range own.Methods() {
		dot := strings.LastIndex(method, ".")
		of := method[:dot]
		source := fmt.Sprintf("//vedette:needs net\npackage x\n\nimport %q\n\nfunc Inspect() (float64, error) {\n\tvar v %s\n\t_ = v.%s\n\treturn 1, nil\n}\n",
			of[:strings.LastIndex(of, ".")], path.Base(of), method[dot+1:])
		if rules, said := refusedBy(source); !slices.Contains(rules, "shared") || slices.Contains(rules, "types") {
			t.Errorf("%s is not refused: %s", method, said)
		}
	}
}
