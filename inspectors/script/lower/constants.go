package lower

import (
	"fmt"
	"go/constant"
	"go/types"
	"math"
	"strconv"
)

// constant writes a constant by its value, with its type if typed is set. The interpreter
// computes constants differently: it does not truncate divisions, compares to false, and
// mixes up types.
func (l *lowering) constant(v constant.Value, t types.Type, typed bool) code {
	t = l.subst(t)
	b, ok := t.Underlying().(*types.Basic)
	if !ok {
		if types.IsInterface(t) {
			return l.constant(v, types.Default(kindType(v)), true)
		}
		l.refuse(l.fn.pos, "a constant of the type "+t.String(), "make it a variable")
	}
	text := constantText(v, b)
	_, named := types.Unalias(t).(*types.Named)
	if named {
		typed = true
	}
	if b.Info()&types.IsUnsigned != 0 && len(text) > 18 {
		typed = true // the interpreter would treat it as an int
	}
	plain := !named && (b.Kind() == types.Int || b.Kind() == types.String || b.Kind() == types.Bool || b.Info()&types.IsUntyped != 0 &&
		b.Kind() != types.UntypedFloat && b.Kind() != types.UntypedRune && b.Kind() != types.UntypedComplex)
	if !typed && b.Info()&types.IsFloat != 0 {
		if _, err := strconv.ParseInt(text, 10, 64); err == nil {
			text += ".0"
		}
		return code{text, constantCode}
	}
	if plain || !typed && b.Info()&types.IsComplex == 0 {
		return code{text, constantCode}
	}
	return code{l.typ(t) + "(" + text + ")", constantCode}
}

func kindType(v constant.Value) types.Type {
	switch v.Kind() {
	case constant.Bool:
		return types.Typ[types.UntypedBool]
	case constant.String:
		return types.Typ[types.UntypedString]
	case constant.Int:
		return types.Typ[types.UntypedInt]
	case constant.Float:
		return types.Typ[types.UntypedFloat]
	}
	return types.Typ[types.UntypedComplex]
}

func constantText(v constant.Value, b *types.Basic) string {
	switch {
	case b.Info()&types.IsBoolean != 0:
		return strconv.FormatBool(constant.BoolVal(v))
	case b.Info()&types.IsString != 0:
		return strconv.Quote(constant.StringVal(v))
	case b.Info()&types.IsInteger != 0:
		return constant.ToInt(v).ExactString()
	case b.Info()&types.IsFloat != 0:
		return floatText(v, b.Kind() == types.Float32)
	}
	return "complex(" + floatText(constant.Real(v), false) + ", " + floatText(constant.Imag(v), false) + ")"
}

// floatText writes a number so that reading it gives the same float.
func floatText(v constant.Value, single bool) string {
	f, _ := constant.Float64Val(constant.ToFloat(v))
	if single {
		g, _ := constant.Float32Val(constant.ToFloat(v))
		f = float64(g)
	}
	if f == math.Trunc(f) && math.Abs(f) < 1e15 {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return fmt.Sprint(f)
}
