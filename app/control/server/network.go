package server

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/identity"
)

func (s *Server) networkRoutes() {
	s.verb("GET /v1/network", func(n *node.Node, r *http.Request) (any, error) { return network(r.Context(), n) })
	s.verb("PATCH /v1/network", s.editNetwork)
	s.verb("GET /v1/nearby", func(n *node.Node, _ *http.Request) (any, error) { return nearby(n), nil })
	s.verb("POST /v1/visible", func(n *node.Node, r *http.Request) (any, error) {
		in, err := decode[control.Visible](r)
		if err != nil {
			return nil, err
		}
		n.Show(time.Duration(max(min(in.Seconds, 24*3600), -1)) * time.Second)
		return nearby(n), nil
	})
	s.verb("POST /v1/nearby/{id}", addNearby)
}

func nearby(n *node.Node) control.Nearby {
	out := control.Nearby{Until: shown(n.VisibleUntil()), People: []control.Neighbour{}}
	for _, who := range n.Nearby() {
		one := control.Neighbour{ID: who.ID.String(), Name: who.Name, Words: identity.SafetyWords(n.ID(), who.ID)}
		if c, err := n.Contact(who.ID); err == nil {
			one.State = c.State.String()
		}
		out.People = append(out.People, one)
	}
	return out
}

func addNearby(n *node.Node, r *http.Request) (any, error) {
	in, err := decode[control.NewContact](r)
	if err != nil {
		return nil, err
	}
	if len(in.Note) > chat.MaxRequestText {
		return nil, &control.Failure{Message: "The words of a request may have 1 KiB", Code: control.CodeTooLong, Reason: "request_long"}
	}
	who, err := identity.ParseID(r.PathValue("id"))
	if err != nil {
		return nil, node.ErrNotAround
	}
	if err := n.AddNearby(r.Context(), who, in.Note); err != nil {
		return nil, err
	}
	return contactOf(n, who)
}

func network(ctx context.Context, n *node.Node) (control.Network, error) {
	w := n.Network()
	out := control.Network{
		LANOnly: w.LANOnly, Forced: n.LANOnly() && !w.LANOnly, Relays: w.Relays, Lend: control.Lend(w.Lend),
		MapPort: !w.NoMap, Unasked: !n.AsksRouter() && !w.NoMap,
	}
	if out.Relays == nil {
		out.Relays = []string{}
	}
	for _, r := range n.Relays() {
		out.States = append(out.States, control.Relay{Addr: r.Addr, Name: n.NameOf(r.Peer), Ready: r.Reserved, From: string(r.Origin), Small: r.Small, RTT: inMilliseconds(r.RTT)})
	}
	lent, err := n.Lent(ctx)
	if err != nil {
		return out, err
	}
	out.Lent = control.Lent{Month: lent.Month, Circuits: lent.Circuits}
	for id, bytes := range lent.Week {
		one := control.LentFor{ID: id.String(), Name: id.Short(), Bytes: bytes}
		if c, err := n.Contact(id); err == nil {
			one.Name = c.Shown
		}
		out.Lent.Week = append(out.Lent.Week, one)
	}
	slices.SortFunc(out.Lent.Week, func(a, b control.LentFor) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), strings.Compare(a.ID, b.ID))
	})
	return out, nil
}

// editNetwork stores the choices, and where they differ from those in force,
// lets a new node begin with them before it answers.
func (s *Server) editNetwork(n *node.Node, r *http.Request) (any, error) {
	in, err := decode[control.NetworkEdit](r)
	if err != nil {
		return nil, err
	}
	w := n.Network()
	if in.LANOnly != nil {
		w.LANOnly = *in.LANOnly
	}
	if in.Relays != nil {
		w.Relays = *in.Relays
	}
	if in.MapPort != nil {
		w.NoMap = !*in.MapPort
	}
	if in.Lend != nil {
		w.Lend = node.Lending(*in.Lend)
	}
	changed, err := n.PutNetwork(r.Context(), w)
	if err != nil {
		return nil, err
	}
	if changed {
		if err := s.profile.Again(r.Context()); err != nil {
			return nil, err
		}
		if n, err = s.node(); err != nil {
			return nil, err
		}
	}
	return network(r.Context(), n)
}
