//go:build !headless

package app

import (
	"strconv"

	"fyne.io/systray"

	"github.com/entrenous/entrenous/assets"
)

// trayLabels are the words of the icon's menu.
type trayLabels struct{ open, quit string }

// tray is the icon in the notification area.
type tray struct {
	end  func()
	done chan struct{}
}

// showTray shows the icon. open and quit are called for its menu, open also for
// a click on the icon itself.
func showTray(l trayLabels, open, quit func()) *tray {
	t := &tray{done: make(chan struct{})}
	start, end := systray.RunWithExternalLoop(func() { t.ready(l, open, quit) }, nil)
	t.end = end
	start()
	return t
}

func (t *tray) ready(l trayLabels, open, quit func()) {
	systray.SetIcon(assets.Tray(false))
	systray.SetTitle("Entrenous")
	systray.SetTooltip("Entrenous")
	systray.SetOnTapped(open)
	opens := systray.AddMenuItem(l.open, "")
	systray.AddSeparator()
	quits := systray.AddMenuItem(l.quit, "")
	go func() {
		for {
			select {
			case <-opens.ClickedCh:
				open()
			case <-quits.ClickedCh:
				quit()
			case <-t.done:
				return
			}
		}
	}()
}

// show puts the badge on the icon and the count beside it.
func (t *tray) show(unread int) {
	systray.SetIcon(assets.Tray(unread > 0))
	if unread == 0 {
		systray.SetTooltip("Entrenous")
		return
	}
	systray.SetTooltip("Entrenous (" + strconv.Itoa(unread) + ")")
}

func (t *tray) close() {
	close(t.done)
	t.end()
}
