//go:build !linux

package app

import "context"

// rest does nothing here: what only the start needed is left to the system.
func rest(context.Context) error { return nil }
