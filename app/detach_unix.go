//go:build !headless && !windows

package app

import (
	"os/exec"
	"syscall"
)

// detach lets a process live on when this one and its terminal end.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
