// Package value yields one number in the simplest of shapes.
package value

func Inspect() (float64, error) { return 42.5, nil }
