//go:build !linux

// Package statfs asks how full a file system is. On this system it is empty: there
// is nobody to ask but the system itself.
package statfs
