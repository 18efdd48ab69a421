//go:build !headless

package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"fyne.io/fyne/v2"
	fyneapp "fyne.io/fyne/v2/app"

	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/app/ui"
	"github.com/entrenous/entrenous/assets"
)

const noDisplay = "There is no display here, so the node runs without a window. Write with “entrenous send”, read with “entrenous history”; “entrenous --help” lists the rest."

const (
	appID = "io.github.entrenous"
	// startPatience is how long a node may take until it answers.
	startPatience = 10 * time.Second
)

// hasDisplay says whether a window can be shown.
func hasDisplay() bool {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		return true
	}
	return os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != ""
}

// openWindow raises the window that is open already, or opens one over the
// node of the profile, which it starts if none runs.
func (p *program) openWindow(ctx context.Context, dir string) error {
	client := control.Dial(dir)
	defer client.Close()
	if err := p.startNode(ctx, dir, client); err != nil {
		return err
	}
	if open, err := client.RaiseWindow(ctx); err == nil && open {
		return nil
	}
	debug.SetGCPercent(50) // a window makes much garbage while it scrolls, and then little
	a := newCalm(fyneapp.NewWithID(appID))
	a.SetIcon(fyne.NewStaticResource("mark.png", assets.Icon()))
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	w := ui.New(ui.Options{
		Client: client, App: a, Log: p.logger(), Locale: locale(),
		Quit:  func() { quitAll(ctx, client); a.Quit() },
		Start: func(ctx context.Context) error { return p.startNode(ctx, dir, client) },
	})
	done := make(chan error, 1)
	go func() {
		done <- w.Run(ctx)
		fyne.Do(a.Quit)
	}()
	var resting sync.WaitGroup
	defer resting.Wait()
	resting.Go(func() {
		if err := rest(ctx); err != nil {
			p.logger().Debug("memory is kept", "err", err)
		}
	})
	w.Show()
	a.Run()
	stop()
	return <-done
}

// quitAll ends the node; the window follows.
func quitAll(ctx context.Context, c *control.Client) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	_ = c.Quit(ctx) // a node that is gone already is what was wanted
}

// startNode starts the node of a profile as a process of its own, which
// outlives the window, and waits until it answers.
func (p *program) startNode(ctx context.Context, dir string, c *control.Client) error {
	if running(ctx, c) {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the program: %w", err)
	}
	arguments := []string{"daemon", "--for-window", "--profile", dir}
	if p.verbose {
		arguments = append(arguments, "--verbose")
	}
	said := &tail{}
	cmd := exec.Command(self, arguments...) //nolint:noctx // it is meant to outlive us
	cmd.Stderr = said
	if log := os.Getenv("ENTRENOUS_LOG"); log != "" {
		f, err := os.OpenFile(filepath.Clean(log), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("open the log: %w", err)
		}
		defer f.Close()
		cmd.Stderr = f
	}
	detach(cmd)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the node: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	return awaitNode(ctx, c, ended, said)
}

func awaitNode(ctx context.Context, c *control.Client, ended <-chan error, said *tail) error {
	limit := time.NewTimer(startPatience)
	defer limit.Stop()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ended:
			if running(ctx, c) {
				return nil // another one was quicker
			}
			return &control.Failure{Message: "The node could not be started: " + said.last(), Code: control.CodeState}
		case <-limit.C:
			return &control.Failure{Message: "The node does not answer", Hint: "Look at what “entrenous daemon” says", Code: control.CodeTimeout}
		case <-look.C:
			if running(ctx, c) {
				return nil
			}
		}
	}
}

func running(ctx context.Context, c *control.Client) bool {
	_, err := c.Status(ctx)
	f := (*control.Failure)(nil)
	return err == nil || errors.As(err, &f) && f.Code != control.CodeNotHere
}

// tail keeps the end of what a process says.
type tail struct{ b []byte }

// Write keeps the last 4 KiB.
func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if len(t.b) > 4096 {
		t.b = t.b[len(t.b)-4096:]
	}
	return len(p), nil
}

func (t *tail) last() string {
	lines := strings.Split(strings.TrimSpace(string(t.b)), "\n")
	return strings.TrimPrefix(lines[0], "entrenous: ")
}
