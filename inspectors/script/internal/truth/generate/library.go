package generate

import (
	"fmt"
	"go/types"
)

// libraryKinds are what operators write with the library.
func libraryKinds() []statement {
	return []statement{
		{"parselines", 6, (*gen).parseLines},
		{"threshold", 4, (*gen).threshold},
		{"sortslice", 4, (*gen).sortSlice},
		{"strings", 4, (*gen).stringsOf},
		{"builder", 3, (*gen).builder},
		{"json", 4, (*gen).jsonOf},
		{"scanner", 3, (*gen).scanner},
		{"format", 4, (*gen).formatting},
		{"time", 2, (*gen).times},
		{"regexp", 2, (*gen).regexps},
		{"rates", 3, (*gen).rates},
		{"strconv", 3, (*gen).strconvOf},
		{"sync", 1, (*gen).syncOf},
		{"reader", 2, (*gen).readerOf},
		{"streams", 3, (*gen).streamOf},
		{"asked", 3, (*gen).askedOf},
		{"streams", 3, (*gen).streamOf},
		{"asked", 3, (*gen).askedOf},
	}
}

// parseLines reads numbers by name out of lines of text.
func (g *gen) parseLines() {
	g.use("fmt")
	g.use("strings")
	g.use("strconv")
	text := pick(g, `"MemTotal:  16384 kB\nMemFree: 1024 kB\nHugePages: 0\n"`, `"cpu0 10 20 30\ncpu1 5 6 x\n\nintr 99\n"`, `"a=1\nb = 2\n#c=3\nd\n"`, `"eth0: 100 2 0\nlo: 7 0 1\n"`)
	sep := pick(g, `":"`, `"="`, `" "`)
	m := g.fresh("m")
	t := pick[types.Type](g, tInt, tFloat)
	parse := "strconv.Atoi(%s)"
	if t == tFloat {
		parse = "strconv.ParseFloat(%s, 64)"
	}
	g.p("%s := make(map[string]%s)", m, g.ts(t))
	bad := g.fresh("bad")
	g.p("%s := 0", bad)
	g.declare(bad, tInt)
	g.p("for n, line := range strings.Split(%s, \"\\n\") {", text)
	g.p("line = strings.TrimSpace(line)")
	g.p("%s", pick(g, "if line == \"\" || strings.HasPrefix(line, \"#\") {\ncontinue\n}", "switch {\ncase line == \"\", line[0] == '#':\ncontinue\n}"))
	if g.chance(50) {
		g.p("key, rest, ok := strings.Cut(line, %s)\nif !ok {\n%s += n\ncontinue\n}", sep, bad)
	} else {
		g.p("i := strings.Index(line, %s)\nif i < 0 {\n%s++\ncontinue\n}\nkey, rest := line[:i], line[i+1:]\n_ = n", sep, bad)
	}
	g.p("fields := strings.Fields(rest)\nif len(fields) == 0 {\ncontinue\n}")
	g.p("v, err := "+parse+"\nif err != nil {\n%s++\nfmt.Println(err)\ncontinue\n}", "fields["+pick(g, "0", "len(fields)-1")+"]", bad)
	g.p("%s\n}", pick(g, m+"[key] = v", m+"[strings.ToLower(key)] += v", m+"[key], "+bad+" = v, "+bad+"+1"))
	g.p("fmt.Println(%s, %s)", m, bad)
}

// threshold rates values by limits.
func (g *gen) threshold() {
	g.use("fmt")
	t := pick[types.Type](g, tInt, tFloat, types.Typ[types.Uint64])
	helper := "rate" + g.fresh("")
	lo, hi := g.between(1, 20), g.between(21, 90)
	var body string
	switch g.r.Intn(3) {
	case 0:
		body = fmt.Sprintf("switch {\n\tcase v < %d:\n\t\treturn \"low\", 0\n\tcase v > %d, v == %d:\n\t\treturn \"high\", 2\n\tdefault:\n\t\treturn \"ok\", 1\n\t}", lo, hi, lo+1)
	case 1:
		body = fmt.Sprintf("if v < %d {\n\t\treturn \"low\", 0\n\t} else if v > %d {\n\t\treturn \"high\", 2\n\t}\n\treturn \"ok\", 1", lo, hi)
	default:
		body = fmt.Sprintf("limits := []struct {\n\t\tat %s\n\t\tname string\n\t}{{%d, \"low\"}, {%d, \"ok\"}}\n\tfor i, l := range limits {\n\t\tif v < l.at {\n\t\t\treturn l.name, i\n\t\t}\n\t}\n\treturn \"high\", len(limits)", g.ts(t), lo, hi)
	}
	g.helper(helper, fmt.Sprintf("func %s(v %s) (string, int) {\n\t%s\n}\n", helper, g.ts(t), body))
	g.p("for _, v := range []%s%s {\nname, n := %s(v)\nfmt.Println(v, name, n)\n}", g.ts(t), g.listBody(t, 3, 1, false), helper)
}

// sortSlice sorts a list by a field or by itself.
func (g *gen) sortSlice() {
	g.use("fmt")
	g.use("sort")
	list := g.fresh("list")
	switch g.r.Intn(5) {
	case 0:
		g.p("%s := []int%s\nsort.Ints(%s)\nfmt.Println(%s, sort.SearchInts(%s, %d))", list, g.listBody(tInt, 4, 1, false), list, list, list, g.r.Intn(20))
	case 1:
		g.p("%s := []string%s\nsort.Slice(%s, func(i, j int) bool { return len(%s[i]) < len(%s[j]) || len(%s[i]) == len(%s[j]) && %s[i] < %s[j] })\nfmt.Println(%s)", list, g.listBody(tString, 4, 1, false), list, list, list, list, list, list, list, list)
	case 2:
		t := pick[types.Type](g, tInt, tFloat, tString)
		g.p("type row%s struct {\nname string\nv %s\n}", list, g.ts(t))
		g.p("%s := []row%s{{\"a\", %s}, {\"b\", %s}, {\"c\", %s}}", list, list, g.et(t, 1), g.et(t, 1), g.et(t, 1))
		g.p("sort.SliceStable(%s, func(i, j int) bool { return %s[i].v %s %s[j].v })", list, list, pick(g, "<", ">"), list)
		g.p("for _, r := range %s {\nfmt.Println(r.name, r.v)\n}", list)
	case 3:
		g.helper("byLen", "type byLen []string\n\nfunc (b byLen) Len() int           { return len(b) }\nfunc (b byLen) Less(i, j int) bool { return len(b[i]) < len(b[j]) }\nfunc (b byLen) Swap(i, j int)      { b[i], b[j] = b[j], b[i] }\n")
		g.p("%s := byLen{\"ccc\", \"a\", \"bb\", %s + \"dddd\"}\nsort.Sort(%s)\nfmt.Println(%s[0], len(%s))", list, g.text(), list, list, list)
	default:
		g.p("%s := map[string]int{\"a\": %s, \"b\": %s, \"c\": 3}", list, g.et(tInt, 1), g.et(tInt, 1))
		g.p("var n%[1]s []string\nfor k := range %[1]s {\nn%[1]s = append(n%[1]s, k)\n}", list)
		g.p("sort.Slice(n%[1]s, func(i, j int) bool {\nif %[1]s[n%[1]s[i]] != %[1]s[n%[1]s[j]] {\nreturn %[1]s[n%[1]s[i]] > %[1]s[n%[1]s[j]]\n}\nreturn n%[1]s[i] < n%[1]s[j]\n})\nfmt.Println(n%[1]s)", list)
	}
}

func (g *gen) stringsOf() {
	g.use("fmt")
	g.use("strings")
	s := g.e(tString, 2)
	switch g.r.Intn(8) {
	case 0:
		g.p("fmt.Println(strings.Split(%s, %s), len(strings.Fields(%s)))", s, pick(g, `","`, `";"`, `""`), s)
	case 1:
		g.p("for i, f := range strings.FieldsFunc(%s, func(r rune) bool { return r == ' ' || r == '=' }) {\nfmt.Println(i, f)\n}", s)
	case 2:
		g.p("fmt.Println(strings.Map(func(r rune) rune {\nif r == 'a' {\nreturn -1\n}\nreturn r + 1\n}, %s))", s)
	case 3:
		g.p("fmt.Println(strings.NewReplacer(\"a\", \"1\", \"é\", %s).Replace(%s))", g.text(), s)
	case 4:
		a, b, ok := g.fresh("a"), g.fresh("b"), g.fresh("ok")
		g.p("%s, %s, %s := strings.Cut(%s, %s)", a, b, ok, s, pick(g, `"="`, `"a"`, `" "`))
		g.declare(a, tString)
		g.declare(b, tString)
		g.declare(ok, tBool)
	case 5:
		g.p("fmt.Println(strings.Repeat(%s, %d), strings.Title(\"ab cd\"))", g.text(), g.r.Intn(4))
	case 6:
		g.p("fmt.Println(strings.TrimFunc(%s, func(r rune) bool { return r < 'c' }), strings.IndexByte(%s, 'b'))", s, s)
	default:
		g.p("for i, r := range %s {\nif r > 127 {\nfmt.Println(i, string(r), r)\ncontinue\n}\nfmt.Print(i)\n}\nfmt.Println()", guarded(s))
	}
}

func (g *gen) builder() {
	g.use("fmt")
	b := g.fresh("b")
	if g.chance(50) {
		g.use("strings")
		g.p("var %s strings.Builder", b)
	} else {
		g.use("bytes")
		g.p("var %s bytes.Buffer", b)
	}
	g.p("for i, s := range []string{%s, %s, %s} {", g.text(), g.text(), g.text())
	g.p("if i > 0 {\n%s.WriteString(\", \")\n}", b)
	g.p("%s\n}", pick(g, fmt.Sprintf("fmt.Fprintf(&%s, \"%%q\", s)", b), b+".WriteString(s)", b+".WriteByte(byte('0' + i + len(s)))", fmt.Sprintf("for _, r := range s {\n%s.WriteRune(r + 1)\n}", b)))
	g.p("fmt.Println(%s.String(), %s.Len())", b, b)
}

// jsonOf encodes and decodes.
func (g *gen) jsonOf() {
	g.use("fmt")
	g.use("encoding/json")
	switch g.r.Intn(4) {
	case 0:
		v := g.fresh("v")
		g.p("var %s map[string]any\nif err := json.Unmarshal([]byte(`{\"a\": %d, \"b\": [1, \"x\", null], \"c\": {\"d\": true}}`), &%s); err != nil {\nfmt.Println(err)\n}", v, g.r.Intn(99), v)
		g.p("if n, ok := %s[\"a\"].(float64); ok {\nfmt.Println(n + 1)\n}", v)
		g.p("list%s, _ := %s[\"b\"].([]any)\nfor i, e := range list%s {\nswitch e := e.(type) {\ncase float64:\nfmt.Println(i, \"number\", e)\ncase string:\nfmt.Println(i, \"text\", e)\ncase nil:\nfmt.Println(i, \"null\")\n}\n}", v, v, v)
		g.p("if c, ok := %s[\"c\"].(map[string]any); ok {\nfmt.Println(c[\"d\"] == true, len(c))\n}", v)
	case 1:
		t := "Status" + g.fresh("")
		g.helper(t, fmt.Sprintf("type %s struct {\n\tName string `json:\"name\"`\n\tLoad float64 `json:\"load,omitempty\"`\n\tParts []struct {\n\t\tID int `json:\"id\"`\n\t\tUp *bool\n\t} `json:\"parts\"`\n\tTags map[string]int\n}\n", t))
		v := g.fresh("s")
		g.p("var %s %s\nerr%s := json.Unmarshal([]byte(`{\"name\": %s, \"load\": %d.5, \"parts\": [{\"id\": %d}, {\"id\": 2, \"Up\": true}], \"Tags\": {\"x\": 1}}`), &%s)", v, t, v, pick(g, `"é"`, `"web"`), g.r.Intn(9), g.r.Intn(9), v)
		g.p("fmt.Println(err%s, %s.Name, %s.Load, len(%s.Parts), %s.Tags)", v, v, v, v, v)
		g.p("for _, p := range %s.Parts {\nfmt.Println(p.ID, p.Up != nil && *p.Up)\n}", v)
		g.p("%s.Load = 0\nb%s, _ := json.Marshal(%s)\nfmt.Println(string(b%s))", v, v, v, v)
	case 2:
		v := g.fresh("b")
		g.p("%s, err%s := json.Marshal(map[string]any{\"n\": %s, \"s\": %s, \"l\": []int{1, 2}, \"z\": nil})", v, v, g.e(tInt, 1), g.text())
		g.p("fmt.Println(string(%s), err%s)", v, v)
	default:
		v := g.fresh("l")
		g.p("var %s []struct{ A int; B string }\nfmt.Println(json.Unmarshal([]byte(`[{\"a\": 1, \"b\": \"x\"}, {\"A\": %s}]`), &%s))", v, pick(g, "2", "\"no\"", "3.5"), v)
		g.p("fmt.Println(len(%s))\nfor _, e := range %s {\nfmt.Println(e.A, e.B)\n}", v, v)
	}
}

// scanner reads lines or words one by one.
func (g *gen) scanner() {
	g.use("fmt")
	g.use("bufio")
	g.use("strings")
	sc, n := g.fresh("sc"), g.fresh("n")
	g.p("%s := bufio.NewScanner(strings.NewReader(%s))", sc, pick(g, `"a b\nc\n\nd e f\n"`, `"1 2\n3"`, `"é ü\n日 本\n"`))
	if g.chance(40) {
		g.p("%s.Split(bufio.%s)", sc, pick(g, "ScanWords", "ScanRunes"))
	}
	g.p("%s := 0\nfor %s.Scan() {\n%s++", n, sc, n)
	g.p("%s", pick(g, "if "+sc+".Text() == \"\" {\ncontinue\n}", "if "+n+" > 3 {\nbreak\n}", ""))
	g.p("fmt.Println(%s, %s.Text())\n}", n, sc)
	g.p("fmt.Println(%s, %s.Err())", n, sc)
}

// formatting prints with verbs.
func (g *gen) formatting() {
	g.use("fmt")
	switch g.r.Intn(6) {
	case 0:
		g.p("fmt.Printf(\"%%d|%%5d|%%-5d|%%05d|%%+d|%%x|%%o|%%b\\n\", %s, %s, 7, %s, 3, %s, 8, 5)", g.e(tInt, 1), g.e(tInt, 1), g.e(tInt, 1), g.e(tInt, 1))
	case 1:
		g.p("fmt.Printf(\"%%v|%%.2f|%%8.3f|%%e|%%g|%%6.1f%%%%\\n\", %s, %s, %s, %s, %s, 99.95)", g.e(tFloat, 1), g.e(tFloat, 1), g.e(tFloat, 1), g.e(tFloat, 1), g.e(tFloat, 1))
	case 2:
		g.p("fmt.Printf(\"%%s|%%q|%%10s|%%-10s|%%.3s|%%x|%% x\\n\", %s, %s, %s, %s, %s, %s, \"hi\")", g.e(tString, 1), g.e(tString, 1), g.text(), g.text(), g.text(), g.text())
	case 3:
		g.p("fmt.Printf(\"%%v %%v %%v %%v\\n\", %s, %s, []int{1, 2}, map[string]int{\"b\": 2, \"a\": 1})", g.e(tBool, 1), g.e(g.basicType(), 1))
	case 4:
		g.p("fmt.Printf(\"%%*d|%%[2]d %%[1]d|%%c|%%U|%%t\\n\", 4, %s, 'é', 0x1F600, %s)", g.e(tInt, 1), g.e(tBool, 1))
	default:
		v := g.fresh("v")
		g.p("%s := fmt.Sprint(%s, %s, %s)", v, g.e(g.basicType(), 1), g.e(g.basicType(), 1), g.e(g.basicType(), 1))
		g.declare(v, tString)
		a, b := g.fresh("a"), g.fresh("b")
		g.p("var %s int\nvar %s string\nn%s, err%s := fmt.Sscanf(\"7 up\", \"%%d %%s\", &%s, &%s)", a, b, a, a, a, b)
		g.p("fmt.Println(n%s, err%s, %s, %s)", a, a, a, b)
	}
}

// times computes with fixed times.
func (g *gen) times() {
	g.use("fmt")
	g.use("time")
	t := g.fresh("t")
	g.p("%s := time.Date(2024, %d, %d, %d, 30, 0, 0, time.UTC)", t, g.between(1, 12), g.between(1, 28), g.r.Intn(24))
	switch g.r.Intn(4) {
	case 0:
		g.p("fmt.Println(%s.Format(%s), %s.Weekday(), %s.Month() == time.March)", t, pick(g, "time.RFC3339", `"2006-01-02 15:04"`, "time.Kitchen"), t, t)
	case 1:
		g.p("d%s := %s.Add(%d * time.Hour).Sub(%s)\nfmt.Println(d%s, d%s.Hours(), d%s > time.Hour)", t, t, g.between(-30, 30), t, t, t, t)
	case 2:
		g.p("u%s, err%s := time.Parse(time.RFC3339, %s)\nfmt.Println(u%s.Unix(), err%s, u%s.Before(%s))", t, t, pick(g, `"2024-02-29T12:00:00Z"`, `"2023-02-29T12:00:00Z"`, `"x"`), t, t, t, t)
	default:
		g.p("switch m := %s.Month(); {\ncase m >= time.June && m <= time.August, m == time.December:\nfmt.Println(\"holiday\", m)\ncase %s.Weekday() == time.Sunday:\nfmt.Println(\"sunday\")\ndefault:\nfmt.Println(%s.YearDay(), %s.Truncate(time.Hour).Equal(%s))\n}", t, t, t, t, t)
	}
}

func (g *gen) regexps() {
	g.use("fmt")
	g.use("regexp")
	re := "re" + g.fresh("")
	g.helper(re, fmt.Sprintf("var %s = regexp.MustCompile(`%s`)\n", re, pick(g, `(\w+)=(\d+)`, `^[a-c]+`, `\s+`, `(é|a)(.)?`)))
	s := g.e(tString, 2)
	switch g.r.Intn(3) {
	case 0:
		g.p("if m := %s.FindStringSubmatch(%s + \" k=42\"); m != nil {\nfmt.Println(len(m), m[0])\nfor _, s := range m[1:] {\nfmt.Println(s)\n}\n}", re, s)
	case 1:
		g.p("fmt.Println(%s.ReplaceAllString(%s, \"<$0>\"), %s.MatchString(%s))", re, s, re, g.text())
	default:
		g.p("fmt.Println(%s.FindAllString(%s, -1), %s.Split(\"a b=1  c\", -1))", re, s, re)
	}
}

// rates keeps what was there before, from run to run.
func (g *gen) rates() {
	if g.fn.level < levelInspect || g.fn.lits > 0 {
		g.threshold()
		return
	}
	g.use("fmt")
	last := "last" + g.fresh("")
	switch g.r.Intn(3) {
	case 0:
		g.helper(last, fmt.Sprintf("var %s = map[string]uint64{}\n", last))
		g.p("for i, name := range []string{\"sda\", \"sdb\"} {\nnow := uint64(len(%s)*100 + i*%d)\nif before, ok := %s[name]; ok && now >= before {\nfmt.Println(name, now-before)\n}\n%s[name] = now + %d\n}", last, g.between(1, 9), last, last, g.r.Intn(30))
	case 1:
		g.helper(last, fmt.Sprintf("var %s struct {\n\tn    int\n\tseen []string\n\tsum  float64\n}\n", last))
		g.p("%s.n++\n%s.sum += float64(%s.n) * 0.5\n%s.seen = append(%s.seen, fmt.Sprint(%s.n))\nfmt.Println(%s.n, %s.sum, %s.seen)", last, last, last, last, last, last, last, last, last)
	default:
		g.helper(last, fmt.Sprintf("var %s []int\n\nfunc remember%s(n int) (before int, first bool) {\n\tif first = len(%s) == 0; !first {\n\t\tbefore = %s[len(%s)-1]\n\t}\n\t%s = append(%s, n)\n\treturn\n}\n", last, last, last, last, last, last, last))
		g.p("before%s, first%s := remember%s(len(%s)*3 + %d)\nfmt.Println(before%s, first%s)", last, last, last, last, g.r.Intn(5), last, last)
	}
}

func (g *gen) strconvOf() {
	g.use("fmt")
	g.use("strconv")
	v, e := g.fresh("v"), g.fresh("err")
	switch g.r.Intn(5) {
	case 0:
		g.p("%s, %s := strconv.ParseInt(%s, %d, 64)", v, e, pick(g, `"ff"`, `"-12"`, `"077"`, g.text()), pick(g, 0, 10, 16))
		g.declare(v, types.Typ[types.Int64])
	case 1:
		// No NaN and no Inf: Go leaves open what integer is made of them.
		g.p("%s, %s := strconv.ParseFloat(%s, 64)", v, e, pick(g, `"1e3"`, `"0x1p-2"`, g.text()))
		g.declare(v, tFloat)
	case 2:
		g.p("%s, %s := strconv.Unquote(%s)", v, e, pick(g, "`\"a\\tb\"`", "`'x'`", "`\"`"))
		g.declare(v, tString)
	case 3:
		g.p("fmt.Println(strconv.FormatInt(int64(%s), %d), strconv.Quote(%s), strconv.FormatFloat(%s, '%s', %d, 64))", g.e(tInt, 1), pick(g, 2, 16, 36), g.text(), g.e(tFloat, 1), pick(g, "f", "g", "e"), g.between(-1, 3))
		return
	default:
		g.p("%s, %s := strconv.ParseBool(%s)", v, e, pick(g, `"1"`, `"F"`, `"yes"`))
		g.declare(v, tBool)
	}
	g.p("if %s != nil {\nfmt.Println(%s)\n}", e, e)
}

func (g *gen) syncOf() {
	g.use("fmt")
	g.use("sync")
	o := "once" + g.fresh("")
	switch g.r.Intn(2) {
	case 0:
		g.helper(o, fmt.Sprintf("var %s sync.Once\n", o))
		g.p("%s.Do(func() { fmt.Println(\"once\") })", o)
	default:
		g.helper(o, fmt.Sprintf("var %s struct {\n\tsync.Mutex\n\tn int\n}\n\nfunc next%s() int {\n\t%s.Lock()\n\tdefer %s.Unlock()\n\t%s.n++\n\treturn %s.n\n}\n", o, o, o, o, o, o))
		g.p("fmt.Println(next%s(), next%s())", o, o)
	}
}

// readerOf reads through readers of the library and of the program.
func (g *gen) readerOf() {
	g.use("fmt")
	g.use("io")
	g.use("strings")
	switch g.r.Intn(3) {
	case 0:
		g.p("if b, err := io.ReadAll(io.LimitReader(strings.NewReader(%s), 3)); err == nil {\nfmt.Println(len(b), string(b))\n}", g.e(tString, 1))
	case 1:
		g.helper("upper", "type upper struct{ r io.Reader }\n\nfunc (u upper) Read(p []byte) (int, error) {\n\tn, err := u.r.Read(p)\n\tfor i := range p[:n] {\n\t\tif p[i] >= 'a' && p[i] <= 'z' {\n\t\t\tp[i] -= 32\n\t\t}\n\t}\n\treturn n, err\n}\n")
		v := g.fresh("u")
		g.p("var %s io.Reader = upper{strings.NewReader(%s)}\nb%s, err%s := io.ReadAll(%s)\nfmt.Println(string(b%s), err%s)", v, g.e(tString, 1), v, v, v, v, v)
	default:
		g.helper("count", "type countWriter struct{ n int }\n\nfunc (c *countWriter) Write(p []byte) (int, error) {\n\tc.n += len(p)\n\treturn len(p), nil\n}\n")
		v := g.fresh("c")
		g.p("%s := &countWriter{}\nvar w%s io.Writer = %s\nfmt.Fprintf(w%s, \"%%d-%%s\", %s, %s)\nfmt.Println(%s.n)", v, v, v, v, g.e(tInt, 1), g.text(), v)
	}
}
