//go:build !linux

package executor

import "syscall"

// confineNative does nothing on this system.
func confineNative() {}

// nativeAttributes give a program a group of its own.
func nativeAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
