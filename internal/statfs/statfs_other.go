//go:build !linux

// Package statfs asks how full a file system is. On this system it holds
// nothing: there is nobody to ask but the system itself.
package statfs
