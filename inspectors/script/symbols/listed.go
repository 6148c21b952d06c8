package symbols

import (
	"reflect"
	"slices"
	"strings"
)

// Listed returns a package that has names and no values: one that is translated
// with the script that uses it.
func Listed(path, name string, names []string) Package {
	return Package{Path: path, Name: name, names: strings.Join(names, " "), lookup: func(name string) reflect.Value {
		if slices.Contains(names, name) {
			return reflect.ValueOf(name)
		}
		return reflect.Value{}
	}}
}
