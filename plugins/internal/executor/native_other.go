//go:build !linux

package executor

import "syscall"

// confineNative does nothing on this system.
func confineNative() {}

// nativeAttributes puts a program into a separate group.
func nativeAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
