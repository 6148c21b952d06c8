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
