//go:build !linux

package truth

import "syscall"

func endsWithParent() *syscall.SysProcAttr { return nil }
