//go:build !headless

package app

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gen2brain/beeep"

	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/assets"
	"github.com/entrenous/entrenous/identity"
)

// settleTime is how long a message may be unread before it is announced: in an
// open conversation it is read at once.
const settleTime = 700 * time.Millisecond

// desktop is what the daemon shows of itself: the tray icon and notifications.
type desktop struct {
	dir  string
	node *node.Node
	log  *slog.Logger

	mu     sync.Mutex
	noted  map[identity.ID]int // unread messages that were announced
	rung   map[string]bool     // calls that were announced, by id; watch alone touches it
	unread int
	icon   *tray
}

// showDesktop shows the tray icon and notifications until ctx ends. Where there
// is no desktop it does nothing.
func showDesktop(ctx context.Context, dir string, p *profile, quit func(), log *slog.Logger) {
	select {
	case <-ctx.Done():
		return
	case <-p.ready:
	}
	if !hasDesktop() {
		return
	}
	n := p.current()
	d := &desktop{dir: dir, node: n, log: log, noted: map[identity.ID]int{}, rung: map[string]bool{}}
	words := spokenWords(n.Settings().Language)
	d.icon = showTray(trayLabels{open: words["tray.open"], quit: words["tray.quit"]}, d.openWindow, quit)
	defer d.icon.close()
	for t := p.turn(); t != nil && ctx.Err() == nil; t = p.turn() {
		d.follow(ctx, t)
	}
}

// follow shows what one turn's node does.
func (d *desktop) follow(ctx context.Context, t *turn) {
	ctx, stop := t.during(ctx)
	defer stop()
	d.node = t.node
	d.watch(ctx)
}

// hasDesktop says whether there is a session to show something in. On Linux
// both icon and notifications go over the session's bus.
func hasDesktop() bool {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		return true
	}
	if os.Getenv("DBUS_SESSION_BUS_ADDRESS") != "" {
		return true
	}
	run := os.Getenv("XDG_RUNTIME_DIR")
	_, err := os.Stat(filepath.Join(run, "bus"))
	return run != "" && err == nil
}

// watch follows the node: unread messages for the icon, new ones to announce.
func (d *desktop) watch(ctx context.Context) {
	w := d.node.Watch()
	defer w.Close()
	var soon sync.WaitGroup
	defer soon.Wait()
	for {
		c, err := w.Next(ctx)
		if err != nil {
			return
		}
		switch c.Topic {
		case node.TopicMessage, node.TopicRead, node.TopicContact, node.TopicHello, node.TopicReset:
			if c.Topic == node.TopicMessage || c.Topic == node.TopicContact && c.State == "request" {
				soon.Go(func() { d.announceSoon(ctx, c) })
			}
			d.count()
		case node.TopicCall:
			d.called(c)
		}
	}
}

// called makes a call that rings here visible: a notification, and the window
// with the card to answer it.
func (d *desktop) called(c node.Change) {
	id := string(c.ID[:])
	if c.State != control.CallRinging {
		delete(d.rung, id)
		return
	}
	if d.rung[id] {
		return
	}
	calls := d.node.Calls()
	i := slices.IndexFunc(calls, func(o node.CallInfo) bool {
		return bytes.Equal(o.ID[:], c.ID[:len(o.ID)]) && !o.Outgoing && string(o.State) == control.CallRinging
	})
	if i < 0 {
		return
	}
	d.rung[id] = true
	if who, err := d.node.Contact(c.Who); err == nil && who.Muted {
		return
	}
	d.openWindow()
	if set := d.node.Settings(); set.Notify {
		d.notify(calls[i].Name, spokenWords(set.Language)["notify.call"])
	}
}

// count shows in the icon whether something is unread.
func (d *desktop) count() {
	people, err := d.node.Contacts()
	if err != nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	before := d.unread
	d.unread = 0
	for _, c := range people {
		d.unread += c.Unread
		if c.Unread < d.noted[c.ID] {
			d.noted[c.ID] = c.Unread
		}
	}
	if before != d.unread {
		d.icon.show(d.unread)
	}
}

// announceSoon announces what is still unread after a moment.
func (d *desktop) announceSoon(ctx context.Context, c node.Change) {
	select {
	case <-ctx.Done():
		return
	case <-time.After(settleTime):
	}
	set := d.node.Settings()
	who, err := d.node.Contact(c.Who)
	if err != nil || !set.Notify || who.Muted {
		return
	}
	words := spokenWords(set.Language)
	if c.Topic == node.TopicContact {
		d.notify(who.Shown, words["notify.request"])
		return
	}
	d.mu.Lock()
	fresh := who.Unread > d.noted[c.Who]
	d.noted[c.Who] = who.Unread
	d.mu.Unlock()
	if !fresh {
		return
	}
	d.notify(who.Shown, lastWords(who, words, set.NotifyText))
}

// lastWords is what a notification says of a friend's newest row: its text if
// that may be shown, or what it is.
func lastWords(who node.Contact, words map[string]string, show bool) string {
	r := who.Last
	switch {
	case r == nil || r.Author != who.ID:
	case r.Call != nil && r.Call.Reason == control.EndBusy:
		return words["call.busy.in"]
	case r.Call != nil && r.Call.Missed():
		return words["call.missed.in"]
	case show && r.Text != "":
		return control.Glance(control.Message{Text: r.Text}.Shown())
	}
	return words["notify.message"]
}

func (d *desktop) notify(title, text string) {
	beeep.AppName = "Entrenous"
	if err := beeep.Notify(title, plain(text), assets.Icon()); err != nil {
		d.log.Debug("notification", "err", err)
	}
}

// plain keeps a friend's text from being taken for markup, which notification
// daemons may render: they would fetch pictures and show links.
func plain(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// openWindow starts a window, or raises the one there is.
func (d *desktop) openWindow() {
	self, err := os.Executable()
	if err != nil {
		d.log.Warn("open window", "err", err)
		return
	}
	cmd := exec.Command(self, "--profile", d.dir) //nolint:noctx // the window outlives the click
	detach(cmd)
	if err := cmd.Start(); err != nil {
		d.log.Warn("open window", "err", err)
		return
	}
	go func() { _ = cmd.Wait() }() // only to let the system forget it
}
