// Package access has the commands about who may do what with a running master.
package access
