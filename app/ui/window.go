// Package ui is the window: Fyne widgets over the local API of a node. It
// hides how a conversation is drawn, and decides nothing: what it shows it has
// asked the node for, and what a person does it tells the node. It may be
// killed at any moment and lose nothing.
package ui

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/assets"
)

// Options are what a Window stands on.
type Options struct {
	Client *control.Client             // the node; required
	App    fyne.App                    // required
	Log    *slog.Logger                // nil: slog.Default
	Now    func() time.Time            // nil: time.Now
	Locale string                      // of the system, "fr_CA.UTF-8"; used until a language is set
	Quit   func()                      // ends window and node; nil: App.Quit
	Closed func()                      // the person closed the window; nil: App.Quit
	Start  func(context.Context) error // starts a node again after it ended; nil: the window only waits for one
	// Do hands a function to the thread that may touch widgets, and may return
	// before it ran. nil: fyne.Do.
	Do func(func())
}

// A Window shows one account. Its methods belong to Fyne's thread, but Run
// to a goroutine of its own.
type Window struct {
	client *control.Client
	app    fyne.App
	log    *slog.Logger
	now    func() time.Time
	locale string
	quit   func()
	closed func()
	start  func(context.Context) error
	ui     func(func()) // runs a function on Fyne's thread; never called from it
	work   *work

	// What follows is touched on Fyne's thread only.

	win      fyne.Window
	words    *words
	theme    *Theme
	status   control.Status
	settings control.Settings
	contacts []control.Contact // as the node listed them last

	page   *fyne.Container // welcome, unlock or the main page
	over   *fyne.Container // the toast over the page
	shell  *shell          // the main page; nil until the node is ready
	phone  *phone
	toast  *toast
	banner *banner
	modals []modal
	stale  refresher // what is being read again
	shown  string    // the state of the profile that page shows
	front  bool      // the window has the focus: what it shows is seen
	recent []string  // emoji used before, the latest first
	nearby func()    // reads again who is nearby; nil while nobody looks
}

// New builds a window. It shows nothing until Run has spoken to the node.
func New(o Options) *Window {
	w := &Window{
		client: o.Client, app: o.App, log: o.Log, now: o.Now, locale: o.Locale,
		quit: o.Quit, closed: o.Closed, start: o.Start, ui: o.Do,
		work: newWork(), theme: &Theme{fonts: &fonts{}},
	}
	if w.log == nil {
		w.log = slog.Default()
	}
	if w.now == nil {
		w.now = time.Now
	}
	if w.quit == nil {
		w.quit = w.app.Quit
	}
	if w.closed == nil {
		w.closed = w.app.Quit
	}
	if w.ui == nil {
		w.ui = fyne.Do
	}
	w.speak("")
	w.phone = newPhone(w)
	w.build()
	return w
}

// speak chooses the language; what is already drawn keeps its own until it is
// built again.
func (w *Window) speak(lang string) {
	words, err := loadWords(lang, w.locale)
	if err != nil {
		w.log.Error("no words", "err", err)
		words = w.words
	}
	w.words = words
}

func (w *Window) build() {
	w.app.Settings().SetTheme(w.theme)
	w.win = w.app.NewWindow(w.tr("app.title"))
	w.win.SetIcon(fyne.NewStaticResource("mark.png", assets.Icon()))
	w.win.SetPadded(false)
	w.page = container.NewStack()
	w.toast, w.banner = newToast(w), newBanner(w)
	w.over = container.New(toastLayout{}, w.page, w.toast)
	w.win.SetContent(container.NewBorder(w.banner, nil, nil, nil, w.over))
	w.win.Resize(fyne.NewSize(1200, 780))
	w.win.SetCloseIntercept(w.close)
	w.front = true
	w.app.Lifecycle().SetOnEnteredForeground(func() { w.setFront(true) })
	w.app.Lifecycle().SetOnExitedForeground(func() { w.setFront(false) })
	w.listen()
}

// Show brings the window to the screen.
func (w *Window) Show() {
	w.win.Show()
	w.win.RequestFocus()
}

// Run keeps the window in step with the node until ctx ends. When the node
// ends it says so and waits for the next one.
func (w *Window) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { w.work.run(ctx) })
	for pause := time.Duration(0); ; pause = min(2*pause+100*time.Millisecond, 3*time.Second) {
		if began := time.Now(); w.follow(ctx) && time.Since(began) > time.Minute {
			pause = 0
		}
		if ctx.Err() != nil {
			return nil
		}
		w.ui(func() {
			w.banner.say(w.tr("node.gone"))
			w.phone.cut()
		})
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// follow reads everything once, then whatever changed, until the stream ends.
// It says whether there was a node.
func (w *Window) follow(ctx context.Context) bool {
	watch, err := w.client.Watch(ctx, true)
	if err != nil {
		w.log.Debug("no watch", "err", err)
		return false
	}
	defer watch.Close()
	stop := context.AfterFunc(ctx, func() { watch.Close() })
	defer stop()
	for {
		ch, err := watch.Next()
		if err != nil {
			w.log.Info("the node's changes ended", "err", err)
			return true
		}
		if ch.Type == control.ChangeHello {
			w.reload(ctx)
			continue
		}
		w.ui(func() { w.apply(ch) })
	}
}

// tr gives a sentence in the person's language.
func (w *Window) tr(key string, args ...any) string { return w.words.tr(key, args...) }

// count gives a sentence about n things.
func (w *Window) count(key string, n int) string { return w.words.count(key, n) }

// do asks the node something outside Fyne's thread, and shows what went wrong.
func (w *Window) do(f func(context.Context) error) {
	w.work.do(func(ctx context.Context) { w.report(ctx, f(ctx)) })
}

// doInOrder is do for what must not overtake each other.
func (w *Window) doInOrder(f func(context.Context) error) {
	w.work.inOrder(func(ctx context.Context) { w.report(ctx, f(ctx)) })
}

// after calls f on Fyne's thread when d has passed.
func (w *Window) after(d time.Duration, f func()) {
	w.work.do(func(ctx context.Context) {
		select {
		case <-ctx.Done():
		case <-time.After(d):
			w.ui(f)
		}
	})
}

func (w *Window) report(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		w.ui(func() { w.fail(err) })
	}
}

// fail shows what happened and what to do.
func (w *Window) fail(err error) {
	w.log.Info("told the person", "err", err)
	w.toast.say(w.words.failure(err))
}

// setFront follows the focus of the window: only what is in front is seen, and
// a draft is kept when the person turns away.
func (w *Window) setFront(on bool) {
	w.front = on
	w.phone.follow()
	if !on {
		w.phone.talk(false) // nobody would see the key come up
	}
	switch {
	case w.shell == nil:
	case on:
		w.shell.chat.timeline.seen()
	default:
		w.shell.leave()
	}
}

// close is what the window's own button does: the draft is kept, and the node
// lives on when the settings say so.
func (w *Window) close() {
	if w.shown == control.Ready && !w.settings.CloseToTray {
		w.end(w.quit)
		return
	}
	w.end(w.closed)
}

// end keeps the draft, then goes.
func (w *Window) end(how func()) {
	if w.shell != nil {
		w.shell.leave()
	}
	w.work.inOrder(func(context.Context) { w.ui(how) })
}
