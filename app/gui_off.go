//go:build headless

package app

import (
	"context"
	"log/slog"

	"github.com/entrenous/entrenous/app/control"
)

const noDisplay = "This build has no window, so the node runs without one. Write with “entrenous send”, read with “entrenous history”; “entrenous --help” lists the rest."

func hasDisplay() bool { return false }

// openWindow cannot be reached: hasDisplay is false.
func (p *program) openWindow(context.Context, string) error {
	return &control.Failure{Message: "This build has no window", Hint: "Run “entrenous daemon”", Code: control.CodeState}
}

// showDesktop has nothing to show in a build without a desktop.
func showDesktop(context.Context, string, *profile, func(), *slog.Logger) {}
