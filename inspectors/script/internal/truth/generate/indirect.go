package generate

// cells are structs that are reached through pointers to pointers.
const cells = `type cell struct {
	n    int
	at   [3]int
	in   struct{ at [2]int }
	s    []int
	m    map[string]int
	next *cell
}

func (c *cell) bump() int { c.n++; return c.n }

func (c cell) sum() int { return c.n + c.at[0] + c.at[1] + c.at[2] }

type finder struct {
	first *cell
	place **cell
	all   []**cell
}

func newFinder(n int) *finder {
	f := &finder{}
	f.place = &f.first
	for i := 0; i < n; i++ {
		*f.place = &cell{n: i, s: []int{i, 0}, m: map[string]int{}}
		f.all = append(f.all, f.place)
		f.place = &(*f.place).next
	}
	f.place = &f.first
	return f
}

func (f *finder) find(n int) **cell {
	p := &f.first
	for i := 0; i < 9 && *p != nil && (*p).n != n && (*p).next != nil; i++ {
		p = &(*p).next
	}
	return p
}

func (f *finder) show() {
	c := f.first
	for i := 0; i < 9 && c != nil; i, c = i+1, c.next {
		fmt.Println(c.n, c.at, c.in, c.s, c.m)
	}
}
`

// indirect reads and sets parts of structs through pointers to pointers.
func (g *gen) indirect() {
	g.use("fmt")
	g.helper("cells", cells)
	f := g.fresh("f")
	g.p("%s := newFinder(%d)\nv%s := cell{n: 50, s: []int{1, 2}, m: map[string]int{}}\np%s, i%s := %s.find(1), 1\npp%s, arr%s := &p%s, &v%s.at", f, g.between(2, 4), f, f, f, f, f, f, f, f)
	g.p("parr%s := &arr%s\n(*parr%s)[1], i%s = 8, i%s%%2\n(**parr%s)[0]++", f, f, f, f, f, f)
	for range g.between(3, 6) {
		a, b := g.cellPart(f), g.cellPart(f)
		switch g.r.Intn(10) {
		case 0:
			g.p("%s, %s = %s, %s", a, b, g.et(tInt, 1), a)
		case 1:
			g.p("%s %s %s", a, pick(g, "+=", "*=", "<<=", "^=", "&^="), pick(g, "3", "2", b+"&3"))
		case 2:
			g.p("%s%s", a, pick(g, "++", "--"))
		case 3:
			g.p("fmt.Println(%s, %s, %s.bump(), %s.sum())", a, b, g.cell(f), g.cell(f))
		case 4:
			g.p("{\nbump, sum := %s.bump, %s.sum\nfmt.Println(bump(), sum(), bump())\n}", g.cell(f), g.cell(f))
		case 5:
			g.p("{\nq := &%s.at[i%s]\n*q += 100\n(*&*q)++\n}", g.cell(f), f)
		case 6:
			g.p("*%s.all[1] = &cell{n: %s, s: []int{3, 4}, m: map[string]int{}, next: (*%s.all[1]).next}", f, g.et(tInt, 1), f)
		case 7:
			g.p("for i, x := range %s.at {\n%s += i + x\n}\nfmt.Println(len(%s.s), %s.at[1:], *%s.find(2) == nil)", g.cell(f), b, g.cell(f), g.cell(f), f)
		case 8:
			g.p("%s = cell{n: 9, s: %s.s, m: map[string]int{\"a\": %s}, next: %s.next}", pick(g, "**p"+f, "*"+f+".first", "v"+f), g.cell(f), a, "(*"+f+".place)")
		default:
			g.p("%s = %s", a, g.et(tInt, 1))
		}
	}
	g.p("%s.show()\nfmt.Println(v%s.n, v%s.at, v%s.in, (**pp%s) != nil)", f, f, f, f, f)
}

// cell is an expression of a cell or a pointer to one.
func (g *gen) cell(f string) string {
	return pick(g, "(*p"+f+")", "(**p"+f+")", "(**pp"+f+")", "(***pp"+f+")", "(*"+f+".place)", "(*"+f+".all[i"+f+"])", "(**"+f+".all[0])",
		"(*"+f+".find(1))", "(**"+f+".find(i"+f+"))", "(&v"+f+")", "(*&v"+f+")", "v"+f, f+".first", "(*"+f+").first")
}

// cellPart is a number in a cell.
func (g *gen) cellPart(f string) string {
	return g.cell(f) + pick(g, ".n", ".at[1]", ".at[i"+f+"]", ".in.at[i"+f+"]", ".s[0]", ".s[i"+f+"]", ".m[\"a\"]")
}
