// Package catalog has the commands that change which inspectors hosts run, and those that
// follow such a change.
package catalog
