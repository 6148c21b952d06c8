// Package core has what Core programs call: values that carry their type, the methods that
// the library may call on them, and deferred calls. See package lower.
package core

import (
	"fmt"
	"reflect"
	"strings"
)

// Any is the interface type of Core. The interpreter treats it as one of the library, and
// copies a value that is put into it.
type Any = any

// Type is a type of a script whose values are held in interfaces.
type Type struct {
	id      int
	name    string
	isError bool

	errorText, text, goText func(any) string
	unwrap                  func(any) error
	unwrapAll               func(any) []error
	timeout, temporary      func(any) bool
	is                      func(any, error) bool
	as                      func(any, any) bool
	format                  func(any, fmt.State, rune)
	json                    func(any) ([]byte, error)
	marshalText             func(any) ([]byte, error)

	fields   []string // the fields of a struct, as the script names them
	embedded []bool   // which of the fields are embedded
	parts    []*Type  // of the fields, elements, or key and element; nil for types of the library
	empty    string   // "slice" or "map" if a nil interface stands for a nil one
}

// NewType makes a type. The id is the script's own number for it, from 1.
func NewType(id int, name string, isError bool) *Type {
	return &Type{id: id, name: name, isError: isError}
}

// Method adds a method that the library may call to a type. The function takes the receiver
// first.
func Method(t *Type, name string, f any) {
	switch f := f.(type) {
	case func(any) string:
		switch name {
		case "Error":
			t.errorText = f
		case "String":
			t.text = f
		case "GoString":
			t.goText = f
		}
	case func(any) bool:
		switch name {
		case "Timeout":
			t.timeout = f
		case "Temporary":
			t.temporary = f
		}
	case func(any) error:
		t.unwrap = f
	case func(any) []error:
		t.unwrapAll = f
	case func(any, error) bool:
		t.is = f
	case func(any, any) bool:
		t.as = f
	case func(any, fmt.State, rune):
		t.format = f
	case func(any) ([]byte, error):
		if name == "MarshalJSON" {
			t.json = f
		} else {
			t.marshalText = f
		}
	}
}

// Object is a value of a type of the script, in an interface. Two of them are equal if Go
// would say so of their values.
type Object struct {
	T *Type
	V any
}

func (o Object) object() Object { return o }

// ErrorObject is an Object whose type is an error.
type ErrorObject struct{ Object }

// ErrorsObject is an Object whose type is an error that wraps several.
type ErrorsObject struct{ Object }

// Error is the message of the error.
func (o ErrorObject) Error() string { return o.T.errorText(o.V) }

// Unwrap is the error that it wraps, or nil.
func (o ErrorObject) Unwrap() error {
	if o.T.unwrap == nil {
		return nil
	}
	return o.T.unwrap(o.V)
}

// Is is what the script says of another error.
func (o ErrorObject) Is(target error) bool { return o.T.is != nil && o.T.is(o.V, target) }

// As is what the script does with a target.
func (o ErrorObject) As(target any) bool { return o.T.as != nil && o.T.as(o.V, target) }

// Error is the message of the error.
func (o ErrorsObject) Error() string { return o.T.errorText(o.V) }

// Unwrap is the errors that it wraps.
func (o ErrorsObject) Unwrap() []error { return o.T.unwrapAll(o.V) }

// Is is what the script says of another error.
func (o ErrorsObject) Is(target error) bool { return o.T.is != nil && o.T.is(o.V, target) }

// As is what the script does with a target.
func (o ErrorsObject) As(target any) bool { return o.T.as != nil && o.T.as(o.V, target) }

// Box puts a value into an interface, with its type.
func Box(t *Type, v any) any {
	o := Object{t, v}
	if t.isError {
		return boxError(o)
	}
	return o
}

// Error is Box for an interface of type error.
func Error(t *Type, v any) error {
	err, _ := Box(t, v).(error)
	return err
}

// open returns the object in an interface, even inside a wrapper of a library interface.
func open(x any) (Object, bool) {
	if x == nil {
		return Object{}, false
	}
	if o, ok := x.(interface{ object() Object }); ok {
		return o.object(), true
	}
	if v := reflect.ValueOf(x); v.Kind() == reflect.Struct && v.NumField() > 0 && v.Type().Field(0).Name == "IValue" {
		return open(v.Field(0).Interface())
	}
	return Object{}, false
}

// unwrapped returns the value in an interface as Go would see it: the object inside a
// wrapper.
func unwrapped(x any) any {
	if o, ok := open(x); ok {
		return Box(o.T, o.V)
	}
	return x
}

// ID returns the number of the type of the value in an interface: 0 for a library type, -1
// for nil.
func ID(x any) int {
	if x == nil {
		return -1
	}
	o, ok := open(x)
	if !ok {
		return 0
	}
	return o.T.id
}

// Is reports whether an interface holds a value of a type.
func Is(x any, t *Type) bool {
	o, ok := open(x)
	return ok && o.T == t
}

// Value returns the value of an object.
func Value(x any) any {
	o, _ := open(x)
	return o.V
}

// Holds reports an interface that is not nil.
func Holds(x any) bool { return x != nil }

// NotNil panics as Go does at a method value of a nil interface.
func NotNil(x any) {
	if x == nil {
		nilDereference()
	}
}

// Unwrapped returns the value in a library interface as Go would see it.
func Unwrapped(x any) any { return unwrapped(x) }

// Equal compares the values in two interfaces.
func Equal(x, y any) bool { return unwrapped(x) == unwrapped(y) }

// AsError returns an interface as an error, if it is one.
func AsError(x any) (error, bool) { //nolint:revive // so Go writes the comma-ok form
	err, ok := x.(error)
	return err, ok
}

// Native returns a method of a value of the library, as a function.
func Native(x any, name string) any {
	if x == nil {
		nilDereference()
	}
	m := reflect.ValueOf(x).MethodByName(name)
	if !m.IsValid() {
		panic(fmt.Sprintf("%T has no method %s", x, name))
	}
	return m.Interface()
}

// NoMethod panics for the call of a method on an interface that cannot have it because it
// is nil.
func NoMethod(any) { nilDereference() }

// NegativeShift panics like a shift by less than zero.
func NegativeShift() {
	n := -1
	_ = 1 << n
}

func nilDereference() {
	var p *int
	*p = 0
}

// Implements reports whether a value of the library has methods, each given by its name and
// its type in Go syntax.
func Implements(x any, methods ...string) bool {
	if x == nil {
		return false
	}
	v := reflect.ValueOf(x)
	for i := 0; i < len(methods); i += 2 {
		m := v.MethodByName(methods[i])
		if !m.IsValid() || m.Type().String() != methods[i+1] {
			return false
		}
	}
	return true
}

// TypeError is the error of an assertion that failed.
type TypeError struct{ text string }

// Error is the message in the words of the runtime.
func (e *TypeError) Error() string { return e.text }

// RuntimeError makes it a runtime.Error.
func (e *TypeError) RuntimeError() {}

// NoAssertion panics like a failed assertion.
func NoAssertion(x any, from, to string) {
	if from == "any" {
		from = "interface {}"
	}
	held := "nil"
	if o, ok := open(x); ok {
		held = o.T.name
	} else if x != nil {
		held = reflect.TypeOf(x).String()
	}
	panic(&TypeError{fmt.Sprintf("interface conversion: %s is %s, not %s", strings.TrimPrefix(from, "interface conversion: "), held, to)})
}

// As is errors.As for a target of a type that the library does not know: match takes an
// error that fits.
func As(err error, target any, match func(any) bool) bool {
	for err != nil {
		if match(err) {
			return true
		}
		if o, ok := open(err); ok && o.T.as != nil && o.T.as(o.V, target) {
			return true
		}
		switch x := err.(type) {
		case interface{ Unwrap() error }:
			err = x.Unwrap()
		case interface{ Unwrap() []error }:
			for _, err := range x.Unwrap() {
				if As(err, target, match) {
					return true
				}
			}
			return false
		default:
			return false
		}
	}
	return false
}

// Laid returns a pointer or channel for a field that is held as an interface: nil if it is
// nil.
func Laid(x any) any {
	if reflect.ValueOf(x).IsNil() {
		return nil
	}
	return x
}

// Clear empties a map, or sets the elements of a slice to zero.
func Clear(x any) { reflect.ValueOf(x).Clear() }

// Min is the smaller of two numbers, like Go's min.
func Min(x, y float64) float64 { return min(x, y) }

// Max is the larger of two numbers, like Go's max.
func Max(x, y float64) float64 { return max(x, y) }

// Raw returns the value in an interface for a library function that looks into it: for an
// object its value, unless it encodes itself.
func Raw(x any) any {
	o, ok := open(x)
	if !ok || o.T.json != nil || o.T.marshalText != nil {
		return x
	}
	return o.V
}

// Runes returns the characters of a string, in the order of a range over them.
func Runes(s string) []rune { return []rune(s) }

// Starts returns where the characters of a string start.
func Starts(s string) []int {
	starts := make([]int, 0, len(s))
	for i := range s {
		starts = append(starts, i)
	}
	return starts
}

// ArrayPointer returns a pointer, of the type of none, to the array that holds the elements
// of a slice.
func ArrayPointer(slice, none any) any {
	return reflect.ValueOf(slice).Convert(reflect.TypeOf(none)).Interface()
}

// Int32 converts a float like Go on this machine, which matters for a NaN and for what is
// out of range.
func Int32(f float64) int32 { return int32(f) }

// Long panics like Go if a slice is too short for an array.
func Long(have, want int) {
	if have < want {
		panic(&TypeError{fmt.Sprintf("cannot convert slice with length %d to array or pointer to array with length %d", have, want)})
	}
}
