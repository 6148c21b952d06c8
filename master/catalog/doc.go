// Package catalog keeps which inspectors hosts are to run.
package catalog
