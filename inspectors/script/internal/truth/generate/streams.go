package generate

import (
	"fmt"
	"strings"
)

// streamOf hands readers and writers of the program to functions of the library that
// look for more methods than they ask for.
func (g *gen) streamOf() {
	for _, path := range []string{"fmt", "io", "strings", "bytes", "bufio"} {
		g.use(path)
	}
	w, r, x := g.fresh("sink"), g.fresh("source"), g.fresh("s")
	star := pick(g, "", "*")
	made := "&"
	if star == "" {
		made = pick(g, "", "&")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "type %s struct {\n\t*bytes.Buffer\n\tlog []string\n}\n\n", w)
	method := func(text string) {
		if g.chance(60) {
			fmt.Fprintf(&b, "func (s *%s) %s\n", w, text)
		}
	}
	method("Write(p []byte) (int, error) {\n\ts.log = append(s.log, \"w\"+string(p))\n\treturn s.Buffer.Write(p)\n}")
	method("WriteString(t string) (int, error) {\n\ts.log = append(s.log, \"s\"+t)\n\treturn len(t), nil\n}")
	method("ReadFrom(r io.Reader) (int64, error) {\n\tall, err := io.ReadAll(r)\n\ts.log = append(s.log, \"f\"+string(all))\n\treturn int64(len(all)), err\n}")
	fmt.Fprintf(&b, "\ntype %s struct {\n\t%s\n\tn *int\n}\n\n", r, pick(g, "*strings.Reader", "*bufio.Reader", "io.Reader", "io.RuneScanner\n\tio.Reader"))
	method = func(text string) {
		if g.chance(50) {
			fmt.Fprintf(&b, "func (s %s%s) %s\n", star, r, text)
		}
	}
	method("Close() error { *s.n += 100; return nil }")
	method("WriteTo(w io.Writer) (int64, error) { *s.n += 1000; n, err := io.WriteString(w, \"to\"); return int64(n), err }")
	fmt.Fprintf(&b, "func (s %s%s) Read(p []byte) (int, error) {\n\t*s.n++\n\treturn s.Reader.Read(p)\n}\n", star, r)
	text := b.String()
	g.decls = append(g.decls, text)
	inner := fmt.Sprintf("strings.NewReader(%q)", pick(g, "12 34 five", "", "7\n8", "a line\nmore"))
	if strings.Contains(text, "*bufio.Reader") {
		inner = "bufio.NewReader(" + inner + ")"
	}
	field := "Reader: " + inner
	if strings.Contains(text, "io.RuneScanner") {
		field = "RuneScanner: strings.NewReader(\"56 78\"), " + field
	}
	g.p("%s := &%s{Buffer: new(bytes.Buffer)}\nn%s := 0\nr%s := %s%s{%s, n: &n%s}\n_ = r%s", x, w, x, x, made, r, field, x, x)
	for range g.between(1, 4) {
		g.p("%s", strings.ReplaceAll(pick(g,
			"fmt.Println(io.WriteString(X, \"ws\"))",
			"fmt.Println(io.Copy(X, rX))",
			"fmt.Println(io.Copy(X, strings.NewReader(\"lib\")))",
			"fmt.Fprintf(X, \"%d,\", nX)",
			"{ var a, b int; k, err := fmt.Fscan(rX, &a); fmt.Println(k, err, a); k, err = fmt.Fscan(rX, &b); fmt.Println(k, err, b) }",
			"{ all, err := io.ReadAll(io.LimitReader(rX, 3)); fmt.Println(string(all), err) }",
			"{ w := bufio.NewWriter(X); fmt.Fprint(w, 1, 2); fmt.Println(w.Flush()) }",
			"{ c, ok := any(rX).(io.Closer); if ok { fmt.Println(c.Close()) }; _, to := any(rX).(io.WriterTo); fmt.Println(ok, to) }",
			"{ var w io.Writer = X; _, ok := w.(io.StringWriter); fmt.Println(ok, w == io.Writer(X)); fmt.Println(io.Copy(io.MultiWriter(w, X), rX)) }",
		), "X", x))
	}
	g.p("fmt.Printf(\"%%q %%q %%d\\n\", %s.log, %s.String(), n%s)", x, x, x)
}

// askedOf gives the library values of the program that it asks for more: errors for a
// time that ran out, sources of random numbers, and values that read themselves.
func (g *gen) askedOf() {
	for _, path := range []string{"errors", "fmt", "math/rand", "net", "os", "strings"} {
		g.use(path)
	}
	e, r, v, x := g.fresh("fault"), g.fresh("numbers"), g.fresh("pair"), g.fresh("x")
	var b strings.Builder
	fmt.Fprintf(&b, "type %s struct {\n\tn   int\n\terr error\n}\n\nfunc (e %s) Error() string { return fmt.Sprint(\"fault \", e.n, \" \", e.err) }\n", e, e)
	method := func(percent int, text string) {
		if g.chance(percent) {
			fmt.Fprintf(&b, text+"\n", e)
		}
	}
	method(60, "func (e %s) Timeout() bool { return e.n > 2 }")
	method(60, "func (e %s) Temporary() bool { return e.n%%2 == 0 }")
	method(60, "func (e %s) Unwrap() error { return e.err }")
	method(40, "func (e %[1]s) As(target any) bool {\n\tswitch t := target.(type) {\n\tcase **os.PathError:\n\t\t*t = &os.PathError{Op: \"as\", Path: \"/x\", Err: e}\n\tcase *%[1]s:\n\t\t*t = %[1]s{n: 7}\n\tdefault:\n\t\treturn false\n\t}\n\treturn true\n}")
	fmt.Fprintf(&b, "type %[1]s struct{ n uint64 }\n\nfunc (s *%[1]s) Int63() int64 { s.n++; return int64(s.n) << 40 }\nfunc (s *%[1]s) Seed(n int64) { s.n = uint64(n) }\n", r)
	if g.chance(50) {
		fmt.Fprintf(&b, "func (s *%s) Uint64() uint64 { s.n += 10; return s.n << 50 }\n", r)
	}
	fmt.Fprintf(&b, "type %[1]s struct{ k, v string }\n\nfunc (p *%[1]s) Scan(s fmt.ScanState, verb rune) error {\n\tword, err := s.Token(true, nil)\n\tif err != nil {\n\t\treturn err\n\t}\n\tp.k, p.v, _ = strings.Cut(string(word), \"=\")\n\tif p.v == \"\" {\n\t\treturn errors.New(\"no value\")\n\t}\n\treturn nil\n}\n", v)
	g.decls = append(g.decls, b.String())
	inner := pick(g, "nil", "os.ErrNotExist", "net.ErrClosed", e+"{n: 4}", "&os.PathError{Op: \"open\", Path: \"/a\", Err: os.ErrPermission}")
	g.p("var %s error = %s{%d, %s}\n_ = %s", x, e, g.between(1, 4), inner, x)
	if g.chance(40) {
		g.p("%s = %s", x, strings.ReplaceAll(pick(g, "fmt.Errorf(\"w: %w\", X)", "errors.Join(errors.New(\"first\"), X)", "&os.PathError{Op: \"read\", Path: \"/b\", Err: X}"), "X", x))
	}
	for range g.between(2, 5) {
		g.p("%s", strings.NewReplacer("_X_", x, "_E_", e, "_R_", r, "_V_", v).Replace(pick(g,
			"fmt.Println(os.IsTimeout(_X_), os.IsNotExist(_X_), errors.Is(_X_, os.ErrPermission))",
			"{ var t net.Error; ok := errors.As(_X_, &t); fmt.Println(ok, ok && t.Timeout(), ok && t.Temporary()) }",
			"{ var t interface{ Timeout() bool }; ok := errors.As(_X_, &t); fmt.Println(ok, ok && t.Timeout()) }",
			"{ var t _E_; ok := errors.As(_X_, &t); fmt.Println(ok, t.n) }",
			"{ var t *os.PathError; if errors.As(_X_, &t) { fmt.Println(t, t.Timeout()) } }",
			"{ t, ok := _X_.(interface{ Temporary() bool }); fmt.Println(ok, ok && t.Temporary()) }",
			"{ _, ok := _X_.(net.Error); fmt.Println(ok, _X_) }",
			"{ g := rand.New(&_R_{}); fmt.Println(g.Int63(), g.Uint64(), g.Intn(100)) }",
			"{ var p _V_; var i int; k, err := fmt.Sscan(\"a=b 5\", &p, &i); fmt.Println(k, err, p, i) }",
			"{ p := new(_V_); k, err := fmt.Sscanf(\"7 k\", \"%d %v\", new(int), p); fmt.Println(k, err, *p) }",
		)))
	}
}
