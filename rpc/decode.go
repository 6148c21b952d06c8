package rpc

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
)

// Decode reads the params into what params points to.
//
// A struct is read from an object with its members, or from an array that gives
// its fields in order, those of embedded structs in their place; entries may be
// missing at the array's end. A struct without fields, or with only omitempty
// fields, may be absent. Anything else is read as it is.
//
// Reading is strict: an unknown member, a wrong type or absent params give an
// *Error with CodeInvalidParams whose message names the member and what was
// expected. Params that are Extensible are read without their unknown members.
func (r *Request) Decode(params any) error {
	return r.decode(params, r.Peer.shapes.of(reflect.TypeOf(params)))
}

func (r *Request) decode(params any, s *shape) error {
	v := reflect.ValueOf(params)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return fmt.Errorf("cannot decode the params of %q into %T: it is not a pointer", r.Method, params)
	}
	if err := decodeParams(r.Peer.codec, r.params, v, s); err != nil {
		return Errorf(CodeInvalidParams, "%s: %v", r.Method, err)
	}
	return nil
}

func decodeParams(c codec, raw []byte, v reflect.Value, s *shape) error {
	isStruct := s.typ.Kind() == reflect.Struct && !s.opaque
	absent := raw == nil || c.isNull(raw)
	switch {
	case absent && (isStruct && s.allOptional() || s.typ.Kind() == reflect.Interface):
		return nil
	case absent:
		return fmt.Errorf("params are missing: expected %s", s.expects())
	case isStruct && c.isArray(raw):
		return decodePositional(c, raw, v, s)
	}
	if err := c.decodeStrict(raw, v.Interface(), s); err != nil {
		return explain(c, raw, s, "", err)
	}
	return nil
}

// decodePositional reads an array onto the fields of a struct.
func decodePositional(c codec, raw []byte, v reflect.Value, s *shape) error {
	items := c.elements(raw)
	if len(items) > len(s.fields) {
		return fmt.Errorf("too many params: %d, expected at most %d (%s)", len(items), len(s.fields), s.names())
	}
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		v = v.Elem()
	}
	for i, item := range items {
		f := s.fields[i]
		if err := c.decodeStrict(item, v.FieldByIndex(f.index).Addr().Interface(), f.shape); err != nil {
			return explain(c, item, f.shape, f.name, err)
		}
	}
	return nil
}

// explain finds the first member of raw that does not fit the shape and says
// so; it returns err when it finds none. It runs only after a failure.
func explain(c codec, raw []byte, s *shape, path string, err error) error {
	if v, anyErr := c.decodeAny(raw); anyErr == nil {
		if why := s.mismatch(v, path); why != nil {
			return why
		}
	}
	if path == "" {
		return err
	}
	return fmt.Errorf("member %q: %w", path, err)
}

// mismatch returns why the decoded value v does not fit, or nil.
func (s *shape) mismatch(v any, path string) error {
	if v == nil || s.opaque {
		return nil
	}
	ok := true
	switch s.typ.Kind() {
	case reflect.Struct, reflect.Map:
		m, isMap := v.(map[string]any)
		if ok = isMap; ok {
			return s.mismatchMembers(m, path)
		}
	case reflect.Slice, reflect.Array:
		if _, isBytes := v.([]byte); isBytes {
			return nil
		}
		list, isList := v.([]any)
		if ok = isList; ok {
			for i, e := range list {
				if err := s.elem.mismatch(e, fmt.Sprintf("%s[%d]", path, i)); err != nil {
					return err
				}
			}
		}
	case reflect.String:
		_, ok = v.(string)
	case reflect.Bool:
		_, ok = v.(bool)
	case reflect.Float32, reflect.Float64:
		ok = isNumber(v)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		ok = s.holdsInteger(v)
	}
	if ok {
		return nil
	}
	if path == "" {
		return fmt.Errorf("expected %s, got %s", s.expects(), describe(v))
	}
	return fmt.Errorf("member %q: expected %s, got %s", path, s.expects(), describe(v))
}

func (s *shape) mismatchMembers(m map[string]any, path string) error {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names) // the same fault is named every time
	for _, name := range names {
		inner := s.elem
		if s.typ.Kind() == reflect.Struct {
			i, ok := s.byName[name]
			if !ok && s.open && !s.knows(name) {
				continue
			}
			if !ok {
				return errUnknownMember(path, name, s)
			}
			inner = s.fields[i].shape
		}
		if err := inner.mismatch(m[name], joinPath(path, name)); err != nil {
			return err
		}
	}
	return nil
}

func isNumber(v any) bool {
	switch n := v.(type) {
	case float64:
		return !math.IsNaN(n) && !math.IsInf(n, 0)
	case json.Number:
		_, err := n.Float64()
		return err == nil
	case int64, uint64:
		return true
	}
	return false
}

// holdsInteger tells whether the decoded value v is an integer in range.
func (s *shape) holdsInteger(v any) bool {
	switch v.(type) {
	case int64, uint64, json.Number:
	default:
		return false
	}
	var err error
	if reflect.Zero(s.typ).CanInt() {
		_, err = strconv.ParseInt(fmt.Sprint(v), 10, s.typ.Bits())
	} else {
		_, err = strconv.ParseUint(fmt.Sprint(v), 10, s.typ.Bits())
	}
	return err == nil
}

func describe(v any) string {
	switch v := v.(type) {
	case string:
		return "a string"
	case bool:
		return fmt.Sprint(v)
	case []any:
		return "an array"
	case []byte:
		return "a byte string"
	case map[string]any:
		return "an object"
	default:
		return fmt.Sprint("the number ", v)
	}
}
