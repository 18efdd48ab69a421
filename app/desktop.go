//go:build !headless

package app

import (
	"context"
	"log/slog"
)

// showDesktop shows the tray icon and notifications until ctx ends.
func showDesktop(ctx context.Context, dir string, p *profile, log *slog.Logger) {
	<-ctx.Done()
}
