// Package own gives each script its own copies of everything that a library shares: the
// variables of packages, and all they point to.
//
// A value is copied once: two variables that point to one place in Go also do so among a
// script's copies.
package own

import "reflect"

// Copies are the copies of one script. The zero value has none. It must be used by one
// goroutine at a time.
type Copies struct {
	seen map[place]reflect.Value
}

// place is the address of a copied value. Length and type distinguish values that begin at
// the same address.
type place struct {
	address uintptr
	length  int
	typ     reflect.Type
}

// Variable returns a variable of the same type as v that holds a copy of v's
// value.
func (c *Copies) Variable(v reflect.Value) reflect.Value {
	mine := reflect.New(v.Type()).Elem()
	c.fill(mine, v)
	return mine
}

// Of returns the script's copy of a value that a library function returns.
func Of[T any](c *Copies, v T) T {
	var mine T
	c.fill(reflect.ValueOf(&mine).Elem(), reflect.ValueOf(&v).Elem())
	return mine
}

// fill sets to to a copy of from, which has the same type. An interface keeps its value,
// because variables of interface types hold values that programs compare, such as io.EOF.
// So does a pointer to a type that IsKept.
func (c *Copies) fill(to, from reflect.Value) {
	to.Set(from)
	switch from.Kind() {
	case reflect.Pointer:
		if !from.IsNil() && !IsKept(from.Type().Elem()) {
			c.once(to, from, 0, func() reflect.Value { return reflect.New(from.Type().Elem()) }, func(made reflect.Value) {
				c.fill(made.Elem(), from.Elem())
			})
		}
	case reflect.Slice:
		if !from.IsNil() {
			c.once(to, from, from.Len(), func() reflect.Value { return reflect.MakeSlice(from.Type(), from.Len(), from.Len()) }, func(made reflect.Value) {
				for i := range from.Len() {
					c.fill(made.Index(i), from.Index(i))
				}
			})
		}
	case reflect.Map:
		if !from.IsNil() {
			c.once(to, from, 0, func() reflect.Value { return reflect.MakeMapWithSize(from.Type(), from.Len()) }, func(made reflect.Value) {
				c.fillMap(made, from)
			})
		}
	case reflect.Array:
		if refers(from.Type().Elem()) {
			for i := range from.Len() {
				c.fill(to.Index(i), from.Index(i))
			}
		}
	case reflect.Struct:
		for i := range from.NumField() {
			if from.Type().Field(i).IsExported() {
				c.fill(to.Field(i), from.Field(i))
			}
		}
	}
}

func (c *Copies) fillMap(to, from reflect.Value) {
	for entries := from.MapRange(); entries.Next(); {
		key, value := reflect.New(from.Type().Key()).Elem(), reflect.New(from.Type().Elem()).Elem()
		c.fill(key, entries.Key())
		c.fill(value, entries.Value())
		to.SetMapIndex(key, value)
	}
}

// once sets to to the copy of the target of from. It makes that copy the first time, and
// records it before filling it, because the value may refer to itself.
func (c *Copies) once(to, from reflect.Value, length int, make func() reflect.Value, fill func(reflect.Value)) {
	at := place{from.Pointer(), length, from.Type()}
	made, ok := c.seen[at]
	if !ok {
		made = make()
		if c.seen == nil {
			c.seen = map[place]reflect.Value{}
		}
		c.seen[at] = made
		fill(made)
	}
	to.Set(made)
}

// refers reports whether a value of the type may share something with a copy.
func refers(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface, reflect.Struct, reflect.Array:
		return true
	}
	return false
}

// kept are the types whose values a library compares by address, and hands out itself: a
// copy of time.Local would not be the location of time.Now. All scripts of a process share
// them, and the check lets no script change them.
func kept() []string { return []string{"time.Location", "net/http.ProtocolError"} }

// Shared are the types whose values a library hands to several scripts, by import path and
// name: the kept ones, and the certificates that crypto/tls and crypto/x509 hold for all
// connections.
func Shared() []string { return append(kept(), "crypto/x509.Certificate") }

// IsKept reports whether pointers to the type are not replaced by pointers to a
// copy.
func IsKept(t reflect.Type) bool {
	for _, name := range kept() {
		if t.Kind() == reflect.Struct && t.PkgPath()+"."+t.Name() == name {
			return true
		}
	}
	return false
}

// Methods are the methods by which a script would change, or get hold of, something that
// belongs to the whole process, by type and name, each with a remedy. Unlike functions,
// methods cannot be replaced, so the check refuses them.
func Methods() map[string]string {
	return map[string]string{
		"net.IP.DefaultMask":               "write net.CIDRMask(8, 32), or 16 or 24 in place of 8",
		"net/http.Request.MultipartReader": "take it out: a request that an inspector makes has no parts to read",
		"os.File.Chdir":                    "name files by their whole path",
	}
}
