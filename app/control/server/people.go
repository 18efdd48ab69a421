package server

import (
	"net/http"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/identity"
)

// aboutWho registers a verb about the person named in the path.
func (s *Server) aboutWho(pattern string, f func(n *node.Node, who identity.ID, r *http.Request) (any, error)) {
	s.verb(pattern, func(n *node.Node, r *http.Request) (any, error) {
		who, err := n.Resolve(r.PathValue("who"))
		if err != nil {
			return nil, err
		}
		return f(n, who, r)
	})
}

// contactVerb registers a verb that answers with the person as they are after it.
func (s *Server) contactVerb(pattern string, f func(n *node.Node, who identity.ID, r *http.Request) error) {
	s.aboutWho(pattern, func(n *node.Node, who identity.ID, r *http.Request) (any, error) {
		if err := f(n, who, r); err != nil {
			return nil, err
		}
		return contactOf(n, who)
	})
}

func (s *Server) peopleRoutes() {
	s.verb("POST /v1/invites", invite)
	s.verb("GET /v1/contacts", func(n *node.Node, _ *http.Request) (any, error) { return contacts(n) })
	s.verb("POST /v1/contacts", add)
	s.contactVerb("GET /v1/contacts/{who}", func(*node.Node, identity.ID, *http.Request) error { return nil })
	s.contactVerb("PATCH /v1/contacts/{who}", editContact)
	s.aboutWho("DELETE /v1/contacts/{who}", func(n *node.Node, who identity.ID, r *http.Request) (any, error) {
		return nil, n.Remove(r.Context(), who)
	})
	s.contactVerb("POST /v1/contacts/{who}/accept", func(n *node.Node, who identity.ID, r *http.Request) error {
		return n.Accept(r.Context(), who)
	})
	s.contactVerb("POST /v1/contacts/{who}/block", func(n *node.Node, who identity.ID, r *http.Request) error {
		return n.Block(r.Context(), who)
	})
	s.contactVerb("POST /v1/contacts/{who}/unblock", func(n *node.Node, who identity.ID, r *http.Request) error {
		return n.Unblock(r.Context(), who)
	})
	s.aboutWho("GET /v1/contacts/{who}/safety", func(n *node.Node, who identity.ID, _ *http.Request) (any, error) {
		return safety(n, who)
	})
	s.aboutWho("POST /v1/contacts/{who}/safety", func(n *node.Node, who identity.ID, r *http.Request) (any, error) {
		in, err := decode[control.Verify](r)
		if err != nil {
			return nil, err
		}
		if err := n.Verify(r.Context(), who, in.OK); err != nil {
			return nil, err
		}
		return safety(n, who)
	})
	s.aboutWho("POST /v1/contacts/{who}/typing", func(n *node.Node, who identity.ID, r *http.Request) (any, error) {
		in, err := decode[control.Typing](r)
		if err != nil {
			return nil, err
		}
		n.Typing(who, in.On)
		return nil, nil
	})
}

func invite(n *node.Node, r *http.Request) (any, error) {
	in, err := decode[control.NewInvite](r)
	if err != nil {
		return nil, err
	}
	if in.Expires < 0 || in.Expires > 10*365*24*3600 {
		return nil, &control.Failure{Message: "An invite can live between a second and ten years", Hint: "Give the seconds; none or 0 is a week for a one-time invite", Code: control.CodeInvalid}
	}
	i, err := n.Invite(r.Context(), in.Once, time.Duration(in.Expires)*time.Second)
	if err != nil {
		return nil, err
	}
	return control.Invite{Link: i.String(), QR: i.QR(), Expires: shown(i.Expires), Once: in.Once}, nil
}

func add(n *node.Node, r *http.Request) (any, error) {
	in, err := decode[control.NewContact](r)
	if err != nil {
		return nil, err
	}
	if len(in.Note) > chat.MaxRequestText {
		return nil, &control.Failure{Message: "The words of a request may have 1 KiB", Code: control.CodeTooLong, Reason: "request_long"}
	}
	who, err := n.Add(r.Context(), in.Link, in.Name, in.Note)
	if err != nil {
		return nil, err
	}
	return contactOf(n, who)
}

func editContact(n *node.Node, who identity.ID, r *http.Request) error {
	in, err := decode[control.ContactEdit](r)
	if err != nil {
		return err
	}
	if in.Name != nil {
		if err := n.Rename(r.Context(), who, *in.Name); err != nil {
			return err
		}
	}
	if in.Route != nil {
		if err := n.SetRoute(r.Context(), who, node.Route(*in.Route)); err != nil {
			return err
		}
	}
	if in.Muted != nil {
		if err := n.Mute(r.Context(), who, *in.Muted); err != nil {
			return err
		}
	}
	if in.Echo != nil {
		if err := n.AllowEcho(r.Context(), who, *in.Echo); err != nil {
			return err
		}
	}
	if in.Volume != nil {
		return n.SetVolume(r.Context(), who, *in.Volume)
	}
	return nil
}

func safety(n *node.Node, who identity.ID) (control.Safety, error) {
	c, err := n.Contact(who)
	if err != nil {
		return control.Safety{}, err
	}
	me := n.ID()
	return control.Safety{
		Number: identity.SafetyNumber(me, who), Words: identity.SafetyWords(me, who),
		QR: identity.SafetyQR(me, who), Verified: c.Verified,
	}, nil
}

func contactOf(n *node.Node, who identity.ID) (control.Contact, error) {
	c, err := n.Contact(who)
	if err != nil {
		return control.Contact{}, err
	}
	return contact(n, c), nil
}

func contacts(n *node.Node) ([]control.Contact, error) {
	all, err := n.Contacts()
	if err != nil {
		return nil, err
	}
	out := make([]control.Contact, len(all))
	for i, c := range all {
		out[i] = contact(n, c)
	}
	return out, nil
}

func contact(n *node.Node, c node.Contact) control.Contact {
	out := control.Contact{
		ID: c.ID.String(), Conv: c.Conv.String(), Name: c.Shown, OwnName: chat.DisplayName(c.OwnName), State: c.State.String(),
		Presence: control.Away, LastSeen: shown(c.LastSeen), Path: c.PathName(), Verified: c.Verified, Since: shown(c.Since),
		Route: string(c.Route), Asked: c.Asked, Called: c.Called, Spent: c.Spent, Devices: c.Devices, Unread: c.Unread, Typing: c.Typing, Muted: c.Muted, Echo: c.Terms.Echo, Volume: c.Terms.Volume, Note: chat.DisplayText(c.RequestText), Draft: control.Glance(c.Draft),
	}
	if c.Online {
		out.Presence, out.RTT = control.Online, inMilliseconds(c.RTT)
	}
	if c.Last != nil {
		m := message(n, c.ID, *c.Last)
		m.Text = control.Glance(m.Text)
		out.Last = &m
	}
	return out
}
