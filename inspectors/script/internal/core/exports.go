package core

import (
	"errors"
	"reflect"
	"runtime"
	"strings"
)

// Exports are the names by which a Core program reaches a machine. Wrapper finds
// the type by which the interpreter makes an interface of the library out of
// functions.
func (m *Machine) Exports(wrapper func(path, name string) reflect.Type) map[string]reflect.Value {
	return map[string]reflect.Value{
		"At":            reflect.ValueOf(m.At),
		"Any":           reflect.ValueOf((*any)(nil)),
		"Type":          reflect.ValueOf((*Type)(nil)),
		"Defers":        reflect.ValueOf((*Defers)(nil)),
		"NewType":       reflect.ValueOf(NewType),
		"Method":        reflect.ValueOf(Method),
		"Box":           reflect.ValueOf(Box),
		"Error":         reflect.ValueOf(Error),
		"ID":            reflect.ValueOf(ID),
		"Is":            reflect.ValueOf(Is),
		"Value":         reflect.ValueOf(Value),
		"Holds":         reflect.ValueOf(Holds),
		"NotNil":        reflect.ValueOf(NotNil),
		"Equal":         reflect.ValueOf(Equal),
		"AsError":       reflect.ValueOf(AsError),
		"Native":        reflect.ValueOf(Native),
		"NoMethod":      reflect.ValueOf(NoMethod),
		"NegativeShift": reflect.ValueOf(NegativeShift),
		"Implements":    reflect.ValueOf(Implements),
		"NoAssertion":   reflect.ValueOf(NoAssertion),
		"As":            reflect.ValueOf(As),
		"Clear":         reflect.ValueOf(Clear),
		"ArrayPointer":  reflect.ValueOf(ArrayPointer),
		"Runes":         reflect.ValueOf(Runes),
		"Starts":        reflect.ValueOf(Starts),
		"Printed":       reflect.ValueOf(Printed),
		"Shape":         reflect.ValueOf(Shape),
		"Empty":         reflect.ValueOf(Empty),
		"Laid":          reflect.ValueOf(Laid),
		"Unwrapped":     reflect.ValueOf(Unwrapped),
		"Raw":           reflect.ValueOf(Raw),
		"Int32":         reflect.ValueOf(Int32),
		"Long":          reflect.ValueOf(Long),
		"Min":           reflect.ValueOf(Min),
		"Max":           reflect.ValueOf(Max),
		"Panic":         reflect.ValueOf(Panic),
		"Recover":       reflect.ValueOf(m.Recover),
		"NewDefers":     reflect.ValueOf(m.NewDefers),
		"Wrap": reflect.ValueOf(func(path, name string, object any, methods ...any) any {
			return wrap(wrapper(path, name), object, methods)
		}),
	}
}

// wrap makes a value of a wrapper: a struct of a value and a function for each
// method, whose field is named W and the method. Methods that it has no field for are
// optional.
func wrap(t reflect.Type, object any, methods []any) any {
	w := reflect.New(t).Elem()
	w.Field(0).Set(reflect.ValueOf(object))
	more := make(map[string]any)
	for i := 0; i < len(methods); i += 2 {
		name, _ := methods[i].(string)
		if f := w.FieldByName("W" + name); f.IsValid() {
			f.Set(reflect.ValueOf(methods[i+1]))
			continue
		}
		more[name] = methods[i+1]
	}
	if len(more) > 0 {
		return withOptional(w.Interface(), object, more)
	}
	return w.Interface()
}

// Normalised returns the value of a panic in Go's words. The interpreter detects by
// reflection what the processor would detect.
func Normalised(v any) any {
	if text, ok := v.(string); ok && strings.HasPrefix(text, "reflect") {
		switch {
		case strings.Contains(text, "cannot convert slice with length"):
			return &TypeError{"runtime error: " + strings.Replace(strings.TrimPrefix(text, "reflect: "), " to pointer to array", " to array or pointer to array", 1)}
		case strings.Contains(text, "index out of range"):
			return &TypeError{"runtime error: index out of range"}
		case strings.HasPrefix(text, "reflect.MakeSlice: negative len"):
			return &TypeError{"runtime error: makeslice: len out of range"}
		case strings.HasPrefix(text, "reflect.MakeSlice"):
			return &TypeError{"runtime error: makeslice: cap out of range"}
		case strings.HasPrefix(text, "reflect.MakeChan"):
			return &TypeError{"makechan: size out of range"}
		case strings.Contains(text, "out of bounds"), strings.Contains(text, "cap"):
			return &TypeError{"runtime error: slice bounds out of range"}
		case strings.Contains(text, "nil interface value"), strings.Contains(text, "nil function"):
			return nilDereferenced()
		}
	}
	if err, ok := v.(runtime.Error); ok {
		switch text := err.Error(); {
		case strings.HasPrefix(text, "hash of unhashable type: "):
			return &TypeError{"runtime error: " + strings.Replace(text, ": ", " ", 1)}
		case strings.HasPrefix(text, "runtime: allocation size out of range"):
			return &TypeError{"runtime error: makeslice: len out of range"}
		}
	}
	var zero *reflect.ValueError
	if err, ok := v.(error); ok && errors.As(err, &zero) && zero.Kind == reflect.Invalid {
		return nilDereferenced()
	}
	return v
}

// nilDereferenced is the panic value of a use of a nil pointer.
func nilDereferenced() (out any) {
	defer func() { out = recover() }()
	nilDereference()
	return nil
}

var _ runtime.Error = (*TypeError)(nil)
