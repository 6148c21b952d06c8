package generate

import (
	"fmt"
	"go/types"
	"strings"
)

// packageKinds are about packages of the library that have their own types.
func packageKinds() []statement {
	return []statement{
		{"heap", 3, (*gen).heap},
		{"tabwriter", 3, (*gen).tabwriter},
		{"big", 3, (*gen).big},
		{"printed", 3, (*gen).printed},
	}
}

// heap keeps values in a heap of the program.
func (g *gen) heap() {
	g.use("container/heap")
	g.use("fmt")
	q := g.fresh("queue")
	elem := pick[types.Type](g, tInt, tFloat, tString, types.Typ[types.Uint8])
	held, value := g.ts(elem), "h.list[i]"
	wrap := func(x string) string { return x }
	switch g.r.Intn(3) {
	case 0: // structs
		g.decls = append(g.decls, fmt.Sprintf("type %sItem struct {\n\tkey %s\n\tat int\n}\n", q, g.ts(elem)))
		held, value = q+"Item", "h.list[i].key"
		wrap = func(x string) string { return fmt.Sprintf("%sItem{%s, %d}", q, x, g.r.Intn(9)) }
	case 1: // pointers to them, which know their place
		g.decls = append(g.decls, fmt.Sprintf("type %sItem struct {\n\tkey %s\n\tat int\n}\n", q, g.ts(elem)))
		held, value = "*"+q+"Item", "h.list[i].key"
		wrap = func(x string) string { return fmt.Sprintf("&%sItem{key: %s}", q, x) }
	}
	other := strings.ReplaceAll(value, "[i]", "[j]")
	notes, moved := "", ""
	if held[0] == '*' {
		notes, moved = "v.at = len(h.list)\n\t", "h.list[i].at, h.list[j].at = i, j\n\t"
	}
	g.decls = append(g.decls, fmt.Sprintf(`type %[1]s struct {
	list []%[2]s
	moves int
}

func (h %[1]s) Len() int { return len(h.list) }
func (h %[1]s) Less(i, j int) bool { return %[3]s %[4]s %[5]s }
func (h *%[1]s) Swap(i, j int) {
	h.list[i], h.list[j] = h.list[j], h.list[i]
	%[6]sh.moves++
}
func (h *%[1]s) Push(x any) {
	v := x.(%[2]s)
	%[7]sh.list = append(h.list, v)
}
func (h *%[1]s) Pop() any {
	n := len(h.list) - 1
	v := h.list[n]
	h.list = h.list[:n]
	return v
}
`, q, held, value, pick(g, "<", ">"), other, moved, notes))
	h := g.fresh("h")
	g.p("%s := &%s{}", h, q)
	if g.chance(40) {
		g.p("%s.list = append(%s.list, %s, %s, %s)\nheap.Init(%s)", h, h, wrap(g.e(elem, 1)), wrap(g.e(elem, 1)), wrap(g.e(elem, 1)), h)
	}
	g.p("for i := range %d {\nheap.Push(%s, %s)\nif i > 2 {\nfmt.Println(heap.Remove(%s, i/2) != nil)\n}\n}", g.between(1, 6), h, wrap(g.e(elem, 1)), h)
	if g.chance(50) && held != g.ts(elem) {
		g.p("%s.list[0].key = %s\nheap.Fix(%s, 0)", h, g.e(elem, 1), h)
	}
	shown := "v"
	if held != g.ts(elem) {
		shown = "v.key, v.at"
	}
	from := h
	if g.chance(40) {
		g.p("var i%s heap.Interface = %s", h, h)
		from = "i" + h
	}
	g.p("for %s.Len() > 0 {\nv, ok := heap.Pop(%s).(%s)\nfmt.Println(%s, ok, len(%s.list))\n}\nfmt.Println(%s.moves)", from, from, held, shown, h, h)
}

// tabwriter writes a table.
func (g *gen) tabwriter() {
	g.use("text/tabwriter")
	g.use("fmt")
	g.use(pick(g, "strings", "bytes"))
	b, w := g.fresh("table"), g.fresh("w")
	buffer := "strings.Builder"
	if g.imports["bytes"] {
		buffer = "bytes.Buffer"
	}
	g.p("var %s %s", b, buffer)
	flags := pick(g, "0", "tabwriter.AlignRight", "tabwriter.Debug", "tabwriter.DiscardEmptyColumns|tabwriter.AlignRight", "tabwriter.TabIndent")
	args := fmt.Sprintf("&%s, %d, %d, %d, %s, %s", b, g.r.Intn(6), g.r.Intn(9), g.r.Intn(3), pick(g, "' '", "'.'", "'\\t'"), flags)
	place := w
	if g.chance(70) {
		g.p("%s := tabwriter.NewWriter(%s)", w, args)
	} else {
		g.p("var %s tabwriter.Writer\n%s.Init(%s)", w, w, args)
		place = "&" + w
	}
	for range g.between(1, 4) {
		switch g.r.Intn(3) {
		case 0:
			g.p("fmt.Fprintf(%s, \"%%v\\t%%v\\t%%v\\n\", %s, %s, %s)", place, g.printable(1), g.printable(1), g.printable(1))
		case 1:
			g.p("for i := range %d {\nfmt.Fprint(%s, i, \"\\t\", %s, \"\\n\")\n}", g.between(1, 3), place, g.printable(1))
		default:
			g.p("if n, err := %s.Write([]byte(%s + \"\\tend\\n\")); n < 0 || err != nil {\nfmt.Println(n, err)\n}", w, guarded(g.e(tString, 1)))
		}
	}
	g.p("fmt.Println(%s.Flush())\nfmt.Printf(\"%%q\\n\", %s.String())", w, b)
}

// big computes with numbers of any size.
func (g *gen) big() {
	g.use("math/big")
	g.use("fmt")
	x, y := g.fresh("big"), g.fresh("big")
	g.p("%s := big.NewInt(int64(%s))", x, g.e(tInt, 1))
	switch g.r.Intn(3) {
	case 0:
		g.p("%s, ok%s := new(big.Int).SetString(%q, 10)\nif !ok%s {\n%s = big.NewInt(3)\n}", y, y, pick(g, "123456789012345678901234567890", "-99999999999999999999", "x", "0"), y, y)
	case 1:
		g.p("var of%s struct {\nname string\nn big.Int\n}\nof%s.n.SetUint64(uint64(%s) + 1)\n%s := &of%s.n", y, y, g.e(tInt, 1), y, y)
	default:
		g.p("%s := new(big.Int).Set(%s)", y, x)
	}
	for range g.between(1, 4) {
		switch g.r.Intn(6) {
		case 0:
			g.p("for i := range %d {\n%s.%s(%s, big.NewInt(int64(i*7 + 1)))\n}", g.between(1, 5), x, pick(g, "Mul", "Add", "Sub"), x)
		case 1:
			g.p("if %s.Cmp(%s) < 0 {\n%s, %s = %s, %s\n}", x, y, x, y, y, x)
		case 2:
			g.p("if %s.Sign() != 0 {\nq, r := new(big.Int).QuoRem(%s, %s, new(big.Int))\nfmt.Println(q, r)\n}", y, x, y)
		case 3:
			g.p("fmt.Println(%s.BitLen(), %s.Sign(), %s.IsInt64(), %s.Text(16))", x, y, x, y)
		case 4:
			g.p("func() {\ndefer func() { fmt.Println(recover()) }()\nfmt.Println(big.NewRat(int64(%s), int64(%d)).FloatString(3))\n}()", g.e(tInt, 1), g.r.Intn(4))
		default:
			g.p("fmt.Println(new(big.Float).SetPrec(80).SetInt(%s).Text('g', 20), new(big.Int).Lsh(%s, uint(%d)))", x, y, g.r.Intn(90))
		}
	}
	g.p("list%s := []*big.Int{%s, %s, new(big.Int).Neg(%s)}\nfmt.Println(list%s, list%s[0] == %s, fmt.Sprintf(\"%%d %%x %%v\", %s, %s, %s))", x, x, y, x, x, x, x, x, y, x)
}

// printed prints structs of types of the library, in fields that are exported and in
// fields that are not, where fmt calls no methods.
func (g *gen) printed() {
	g.use("fmt")
	name := g.fresh("kept")
	kinds := [][3]string{
		{"time.Time", "time", "time.Unix(%d, 5).UTC()"},
		{"time.Duration", "time", "time.Duration(%d) * time.Millisecond"},
		{"[]time.Duration", "time", "[]time.Duration{%d, 1}"},
		{"[2]time.Month", "time", "[2]time.Month{%d, 3}"},
		{"map[string]time.Weekday", "time", "map[string]time.Weekday{\"x\": %d}"},
		{"net.IP", "net", "net.IPv4(10, 0, 0, %d)"},
		{"net.IPNet", "net", "net.IPNet{IP: net.IP{10, 0, 0, %d}, Mask: net.CIDRMask(8, 32)}"},
		{"any", "time", "time.Duration(%d)"},
		{"fmt.Stringer", "time", "time.Month(%d)"},
		{"int", "", "%d"},
		{"string", "", `"s%d"`},
	}
	var fields, values []string
	for range g.between(1, 5) {
		field, kind := pick(g, "a", "B", "c", "D", "e")+g.fresh(""), kinds[g.r.Intn(len(kinds))]
		if kind[1] != "" {
			g.use(kind[1])
		}
		fields = append(fields, field+" "+kind[0])
		if g.chance(75) {
			values = append(values, field+": "+fmt.Sprintf(kind[2], g.between(1, 12)))
		}
	}
	embedded := pick(g, name, "In "+name)
	g.decls = append(g.decls, fmt.Sprintf("type %s struct {\n\t%s\n}\n\ntype in%s struct {\n\t%s\n\tlast %s\n\tAlso *%s\n}\n",
		name, strings.Join(fields, "\n\t"), name, embedded, name, name))
	x := g.fresh("x")
	g.p("%s := %s{%s}", x, name, strings.Join(values, ", "))
	verb := pick(g, "%v", "%d", "%s", "%q", "%x", "%8v")
	if embedded != name && g.chance(30) {
		verb = pick(g, "%+v", "%#v") // of a program beside others, the names of types have another form
	}
	first, _, _ := strings.Cut(embedded, " ")
	shown := pick(g, x, "&"+x, "[]"+name+"{"+x+"}", "map[int]"+name+"{1: "+x+"}", "in"+name+"{last: "+x+"}", "in"+name+"{"+first+": "+x+"}", "any("+x+")")
	g.p("fmt.Printf(\"%s\\n\", %s)\nfmt.Println(%s)", verb, shown, shown)
}
