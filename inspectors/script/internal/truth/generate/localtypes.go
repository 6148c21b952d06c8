package generate

import "strings"

// localTypes calls a generic function that declares types, for several arguments: each
// instance has its own types, though all have the same name.
func (g *gen) localTypes() {
	g.use("fmt")
	g.helper("ownInt", "type ownInt int\n")
	f := g.fresh("local")
	shape := pick(g, "struct{ k K }", "struct {\nk K\nn int\n}", "struct{ n int }", "struct {\nk K\nnext *item\n}", "struct {\nlist []K\n}", "[2]K", "int", "struct {\nK K\nm map[K]*item\n}")
	value := map[string]string{
		"struct{ k K }": "item{k}", "struct {\nk K\nn int\n}": "item{k, 2}", "struct{ n int }": "item{1}", "struct {\nk K\nnext *item\n}": "item{k, nil}",
		"struct {\nlist []K\n}": "item{[]K{k}}", "[2]K": "item{k}", "int": "item(3)", "struct {\nK K\nm map[K]*item\n}": "item{K: k}",
	}[shape]
	held := pick(g, "v", "v", "[]item{v}", "&v", "map[string]item{\"a\": v}", "box{v, 1}", "func() item { return v }()")
	shown := pick(g, "fmt.Sprint(held)", "fmt.Sprintf(\"%+v\", v)", "fmt.Sprint(v, len([]item{v, v}))")
	if strings.HasPrefix(held, "&") {
		shown = "fmt.Sprint(v)" // not where it lies
	}
	g.helper(f, "func "+f+"[K comparable](k K) (any, func(any) bool, string) {\ntype item "+shape+"\ntype box struct {\ni item\nn int\n}\nv := "+value+
		"\nvar held any = "+held+"\nreturn held, func(x any) bool {\nswitch x.(type) {\ncase item, *item, []item, map[string]item:\nreturn true\ncase box:\nreturn box{n: 1}.n == 1\n}\nreturn false\n}, "+shown+"\n}\n")
	arguments := []string{"1", "2", "\"a\"", "2.5", "ownInt(1)", "[2]bool{true}", "any(1)", "any(\"a\")", "true", "struct{ a ownInt }{3}", "uint8(7)"}
	n := g.between(2, 4)
	var names []string
	for range n {
		v := g.fresh("v")
		g.p("%s, is%s, s%s := %s(%s)\nfmt.Println(s%s)", v, v, v, f, pick(g, arguments...), v)
		names = append(names, v)
	}
	comparable := !strings.Contains(shape, "list") && !strings.Contains(shape, "map[") && !strings.HasPrefix(held, "[]") && !strings.HasPrefix(held, "map[")
	for _, a := range names {
		for _, b := range names {
			g.p("fmt.Println(is%s(%s))", a, b)
			if comparable && !strings.HasPrefix(held, "&") {
				g.p("fmt.Println(%s == %s)", a, b)
			}
		}
	}
}
