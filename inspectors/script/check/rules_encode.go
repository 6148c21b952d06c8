package check

import (
	"fmt"
	"go/ast"
	"go/types"
	"reflect"
	"strings"
)

// encoded returns the arguments of a call that package encoding/json or
// encoding/xml looks into.
func (p *pass) encoded(call *ast.CallExpr) []ast.Expr {
	f := p.callee(call)
	if f == nil || f.Pkg() == nil || encoding(f.Pkg().Path()) == "" {
		return nil
	}
	switch f.Name() {
	case "Marshal", "MarshalIndent", "Encode", "Decode", "EncodeElement", "DecodeElement":
		return call.Args[:min(1, len(call.Args))]
	case "Unmarshal":
		return call.Args[min(1, len(call.Args)):]
	}
	return nil
}

// encoding returns the key of a struct's tags that a package reads, or "".
func encoding(path string) string {
	switch path {
	case "encoding/json":
		return "json"
	case "encoding/xml":
		return "xml"
	}
	return ""
}

// encodedFields refuses structs that the encoders would see differently: the interpreter
// exports fields with lower-case names, names embedded structs, and wraps values in
// interfaces with methods.
func encodedFields(p *pass, n ast.Node) {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return
	}
	for _, arg := range p.encoded(call) {
		look := &encodedType{pass: p, tag: encoding(p.callee(call).Pkg().Path()), seen: make(map[types.Type]bool)}
		t := p.typeOf(arg)
		look.at(t)
		if look.why == "" && look.tag == "xml" && lacksXMLName(t) && !strings.HasPrefix(p.callee(call).Name(), "Unm") &&
			!strings.HasPrefix(p.callee(call).Name(), "Dec") {
			look.why, look.fix = "package encoding/xml does not know the name of the type for the outermost element",
				"give the struct a field XMLName xml.Name, with a tag"
		}
		if look.why != "" {
			p.fault(arg, look.why, look.fix)
		}
	}
}

// encodedType looks through a type as an encoder does.
type encodedType struct {
	*pass
	tag      string // the key of the struct tags
	seen     map[types.Type]bool
	why, fix string
}

func (e *encodedType) at(t types.Type) {
	if e.why != "" || e.seen[t] || !isLiteral(t) && e.own(t) == nil && !isAny(t) {
		return
	}
	e.seen[t] = true
	if isAny(t) {
		for o := range e.facts.boxed {
			e.at(o)
		}
		return
	}
	if e.ownInterface(t) {
		e.why = "package encoding/" + e.tag + " sees the interpreter's wrapper of a value that is held as " + e.name(t)
		e.fix = "make the field an any, or a concrete type"
		return
	}
	s, ok := t.Underlying().(*types.Struct)
	if !ok {
		anyPart(t, false, func(part types.Type, _ *types.Var) bool { e.at(part); return false })
		return
	}
	for i := range s.NumFields() {
		e.field(t, s.Field(i), reflect.StructTag(s.Tag(i)).Get(e.tag))
	}
}

func (e *encodedType) field(in types.Type, f *types.Var, tag string) {
	if tag == "-" || e.why != "" {
		return
	}
	switch {
	case f.Embedded() && isStruct(deref(f.Type())) && tag == "" && hasExported(deref(f.Type())):
		e.why = fmt.Sprintf("package encoding/%s does not see the fields of the embedded %s as those of %s", e.tag, f.Name(), e.name(in))
		e.fix = "write its fields out"
	case f.Embedded() && !f.Exported(), f.Name() == "_":
	case !f.Exported():
	default:
		e.at(f.Type())
	}
}

// lacksXMLName reports a struct for which encoding/xml would use the name of the type.
func lacksXMLName(t types.Type) bool {
	s, ok := deref(t).Underlying().(*types.Struct)
	if !ok {
		return false
	}
	for i := range s.NumFields() {
		if s.Field(i).Name() == "XMLName" {
			return false
		}
	}
	return true
}

func deref(t types.Type) types.Type {
	if ptr, ok := t.Underlying().(*types.Pointer); ok {
		return ptr.Elem()
	}
	return t
}

func hasExported(t types.Type) bool {
	s, ok := t.Underlying().(*types.Struct)
	if !ok {
		return false
	}
	for i := range s.NumFields() {
		if s.Field(i).Exported() || s.Field(i).Embedded() {
			return true
		}
	}
	return false
}

// encodingMethod refuses methods by which a value would encode itself, because the
// interpreter shows them to the encoders for the outermost value at most.
func encodingMethod(p *pass, n ast.Node) {
	f, ok := n.(*ast.FuncDecl)
	if !ok || f.Recv == nil {
		return
	}
	switch f.Name.Name {
	case "MarshalJSON", "UnmarshalJSON", "MarshalText", "UnmarshalText", "MarshalXML", "UnmarshalXML", "MarshalBinary", "UnmarshalBinary":
	default:
		return
	}
	for _, path := range []string{"encoding/json", "encoding/xml"} {
		for _, imported := range p.pkg.Imports() {
			if imported.Path() == path {
				p.fault(f.Name, "package "+path+" does not see the method "+f.Name.Name+" within other values",
					"convert before and after: a field of a type that it knows, as string")
				return
			}
		}
	}
}
