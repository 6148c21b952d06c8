package lower

import (
	"fmt"
	"go/types"
	"strings"
)

// wrap makes an interface of the library of a value of the script: its methods
// are functions in a wrapper that the library understands.
func (l *lowering) wrap(c code, from, to types.Type) code {
	d := l.dynamicOf(from)
	v := l.temp()
	if isError(to) {
		l.line(v + " := " + l.host() + ".Error(" + d.name + ", " + c.text + ")")
		return code{v, atom}
	}
	n, _ := types.Unalias(to).(*types.Named)
	i, _ := to.Underlying().(*types.Interface)
	x := l.hold(c, from)
	boxed := l.temp()
	l.line(boxed + " := " + l.host() + ".Box(" + d.name + ", " + x.text + ")")
	args := []string{fmt.Sprintf("%q", n.Obj().Pkg().Path()), fmt.Sprintf("%q", n.Obj().Name()), boxed}
	for _, i := range append([]*types.Interface{i}, optionalOf(n.Obj(), from)...) {
		for m := range i.Methods() {
			f := l.temp()
			l.line(f + " := " + l.boundMethod(x, from, m.Name(), m.Pkg(), m.Signature()))
			args = append(args, fmt.Sprintf("%q", m.Name()), f)
		}
	}
	l.line(v + " := " + l.host() + ".Wrap(" + strings.Join(args, ", ") + ").(" + l.typ(to) + ")")
	return code{v, atom}
}

// optionalOf returns the interfaces that a type has beyond one of the library, where
// functions look for them and do something else where they find one: io.Copy,
// io.WriteString, http.NewRequest, fmt.Fscan and rand.New.
func optionalOf(to *types.TypeName, from types.Type) (list []*types.Interface) {
	var names []string
	switch to.Pkg().Path() + "." + to.Name() {
	case "io.Writer":
		names = []string{"StringWriter", "ReaderFrom"}
	case "io.Reader":
		names = []string{"WriterTo", "Closer", "RuneScanner"}
	case "math/rand.Source":
		names = []string{"Source64"}
	}
	for _, name := range names {
		i, ok := to.Pkg().Scope().Lookup(name).Type().Underlying().(*types.Interface)
		if ok && types.Implements(from, i) {
			list = append(list, i)
		}
	}
	return list
}

// boundMethod makes a function of a method and its receiver.
func (l *lowering) boundMethod(recv code, t types.Type, name string, pkg *types.Package, sig *types.Signature) string {
	var params []string
	var args []code
	for i, v := range vars(sig.Params()) {
		p := fmt.Sprintf("a%s%d", mark, i)
		params = append(params, p+" "+l.typ(v.Type()))
		args = append(args, code{p, atom})
	}
	body := l.returning(sig, func() string { return l.callMethod(code{recv.text, atom}, t, name, pkg, args) })
	return l.maker([]capture{l.capture(recv.text, t)}, strings.Join(params, ", "), l.results(sig), body)
}
