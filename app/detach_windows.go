//go:build !headless

package app

import (
	"os/exec"
	"syscall"
)

// detach lets a process live on when this one and its console end.
func detach(cmd *exec.Cmd) {
	const newGroup, detached = 0x200, 0x8
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: newGroup | detached}
}
