package ui

import (
	"context"
	"slices"

	"fyne.io/fyne/v2"

	"github.com/entrenous/entrenous/app/control"
)

// routes are the choices of who learns where this computer is, the most open first.
func routes() []string {
	return []string{control.RouteDirect, control.RouteThrough, control.RouteRelay}
}

// routeChoice lets somebody be reached by any path, or only through others.
type routeChoice struct {
	w    *Window
	who  string // whose it is
	pick *choice
	say  *text
	box  fyne.CanvasObject
}

func newRouteChoice(w *Window) *routeChoice {
	v := &routeChoice{w: w, say: smallText("")}
	var names []string
	for _, r := range routes() {
		names = append(names, w.tr("route."+r))
	}
	v.pick = newChoice(names, 0, func(i int) { v.w.setRoute(v.who, routes()[i], nil) })
	v.box = newColumn(6, labelText(w.tr("route.label")), v.pick.object(), v.say)
	return v
}

// set shows what holds for a person.
func (v *routeChoice) set(c control.Contact) {
	at := max(0, slices.Index(routes(), c.Route))
	v.who, v.pick.at = c.ID, at
	v.pick.show()
	v.say.set(v.w.tr("route.say."+routes()[at], c.Name))
}

// setRoute keeps the choice, and then goes on.
func (w *Window) setRoute(who, route string, then func()) {
	w.change(func(ctx context.Context) error {
		_, err := w.client.EditContact(ctx, who, control.ContactEdit{Route: &route})
		if err == nil && then != nil {
			w.ui(then)
		}
		return err
	})
}

// askRoute asks, before the first call with somebody whose safety number was
// not compared, whether they may learn where this computer is; then it goes on.
// A call by command was the first one too.
func (w *Window) askRoute(c control.Contact, then func()) {
	if c.Verified || c.Asked || c.Called {
		then()
		return
	}
	choose := func(route string) func() {
		return func() {
			w.closeModal()
			w.setRoute(c.ID, route, then)
		}
	}
	direct := primaryButton(w.tr("route.ask.direct"), choose(control.RouteDirect))
	w.modal(newSheet(460, newCard(newColumn(20,
		newColumn(6, titleText(w.tr("route.ask.title", c.Name)), mutedText(w.tr("route.ask.say", c.Name))),
		newColumn(8,
			newRow(8, direct),
			newRow(8, secondaryButton(w.tr("route.ask.through"), choose(control.RouteThrough))),
			newRow(8, secondaryButton(w.tr("card.cancel"), w.closeModal)),
		),
	))))
	w.focus(direct)
}
