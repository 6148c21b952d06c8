// Package catalog has the commands that change which inspectors hosts run, and those
// that tell how far such a change is.
package catalog
