package server

import (
	"net/http"
	"time"

	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/identity"
)

func (s *Server) profileRoutes() {
	s.handle("GET /v1/status", func(*http.Request) (any, error) { return s.status() })
	s.handle("POST /v1/setup", func(r *http.Request) (any, error) {
		in, err := decode[control.Setup](r)
		if err != nil {
			return nil, err
		}
		return s.profile.Setup(r.Context(), in)
	})
	s.handle("POST /v1/unlock", func(r *http.Request) (any, error) {
		in, err := decode[control.Unlock](r)
		if err != nil {
			return nil, err
		}
		if err := s.profile.Unlock(r.Context(), in.Passphrase); err != nil {
			return nil, err
		}
		return s.status()
	})
	s.verb("POST /v1/words", func(n *node.Node, r *http.Request) (any, error) {
		in, err := decode[control.Unlock](r)
		if err != nil {
			return nil, err
		}
		if err := s.profile.Check(r.Context(), in.Passphrase); err != nil {
			return nil, err
		}
		return control.Words{Words: n.Words()}, nil
	})
	s.handle("POST /v1/quit", func(*http.Request) (any, error) {
		s.profile.Quit()
		return nil, nil
	})
	s.handle("POST /v1/window", func(*http.Request) (any, error) { return control.Raised{Open: s.raise()}, nil })
	s.verb("GET /v1/settings", func(n *node.Node, _ *http.Request) (any, error) { return control.Settings(n.Settings()), nil })
	s.verb("PUT /v1/settings", func(n *node.Node, r *http.Request) (any, error) {
		in, err := decode[control.Settings](r)
		if err != nil {
			return nil, err
		}
		if err := n.PutSettings(r.Context(), node.Settings(in)); err != nil {
			return nil, err
		}
		return control.Settings(n.Settings()), nil
	})
	s.verb("GET /v1/devices", func(n *node.Node, _ *http.Request) (any, error) { return devices(n), nil })
	s.verb("GET /v1/doctor", func(n *node.Node, r *http.Request) (any, error) { return findings(n.Doctor(r.Context())) })
	s.mux.HandleFunc("GET /v1/watch", s.watch)
	s.mux.HandleFunc("POST /v1/backup", s.backup)
}

func (s *Server) status() (control.Status, error) {
	state, kept := s.profile.State()
	st := control.Status{API: control.Version, State: state, KeyKept: kept, PID: s.profile.PID, Profile: s.profile.Dir}
	n := s.profile.Node()
	if n == nil {
		return st, nil
	}
	st.ID, st.Device, st.Addrs = n.ID().String(), n.Device().String(), n.Addrs()
	st.Name, st.DeviceName, st.Reach, st.LANOnly = n.Settings().Name, n.DeviceName(), n.Reach(), n.LANOnly()
	people, err := n.Contacts()
	if err != nil {
		return st, err
	}
	for _, c := range people {
		if c.State.String() == control.Friend {
			st.Friends++
			st.Paths = append(st.Paths, control.FriendPath{ID: c.ID.String(), Name: c.Shown, Path: c.PathName(), RTT: inMilliseconds(c.RTT)})
		}
		if c.Online {
			st.Online++
		}
		st.Unread += c.Unread
	}
	return st, nil
}

func devices(n *node.Node) []control.Device {
	out := []control.Device{}
	for _, d := range n.Devices() {
		c, err := identity.ParseCertificate(d.Cert)
		if err != nil {
			continue
		}
		dev := control.Device{ID: d.ID.String(), Name: c.Name, This: d.ID == n.Device(), Online: n.DeviceOnline(d.ID), LastSeen: shown(d.LastSeen)}
		if c.NotBefore.After(time.Unix(0, 0)) {
			dev.Since = shown(c.NotBefore)
		}
		out = append(out, dev)
	}
	return out
}

func (s *Server) backup(w http.ResponseWriter, r *http.Request) {
	in, err := decode[control.Unlock](r)
	if err == nil {
		_, err = s.node()
	}
	if err == nil && in.Passphrase == "" {
		err = &control.Failure{Message: "A backup needs a passphrase", Hint: "Whoever has the file and the passphrase can read everything", Code: control.CodeInvalid, Reason: "backup_bare"}
	}
	if err != nil {
		s.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	out := &begun{w: w}
	if err := s.profile.Backup(r.Context(), in.Passphrase, out); err != nil {
		if !out.yes {
			s.fail(w, err)
			return
		}
		s.log.Error("backup", "err", err)
		panic(http.ErrAbortHandler) // the reader must see that the file is not whole
	}
}

// begun notes whether anything was written.
type begun struct {
	w   http.ResponseWriter
	yes bool
}

// Write passes b on.
func (b *begun) Write(p []byte) (int, error) {
	b.yes = true
	return b.w.Write(p)
}
