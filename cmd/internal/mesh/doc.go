// Package mesh has the commands that speak with a running master: those that put
// inspectors onto hosts, and those that look at what runs there.
package mesh
