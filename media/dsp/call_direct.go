//go:build cgo && !nocgo && linux && amd64

package dsp

// #include "apm.h"
import "C"

import (
	"unsafe"

	"github.com/entrenous/entrenous/media/dsp/direct"
)

// caller makes the one call of C that is made a hundred times a second.
type caller struct{ stack direct.Stack }

func (c *caller) open() (err error) {
	c.stack, err = direct.NewStack()
	return err
}

func (c *caller) run(a *C.apm) { c.stack.Call(unsafe.Pointer(C.apm_run), unsafe.Pointer(a)) }

func (c *caller) close() { c.stack.Close() }
