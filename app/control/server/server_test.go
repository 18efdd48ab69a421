package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/app/control/server"
	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/app/node/nodetest"
	"github.com/entrenous/entrenous/identity"
)

// profile is one without a node, in some state.
func profile(state string) server.Profile {
	return server.Profile{
		Dir:   "somewhere",
		State: func() (string, string) { return state, "" },
		Node:  func() *node.Node { return nil },
		Setup: func(context.Context, control.Setup) (control.SetupDone, error) {
			return control.SetupDone{}, identity.ErrVaultExists
		},
		Unlock: func(context.Context, string) error { return identity.ErrWrongPassphrase },
		Check:  func(context.Context, string) error { return identity.ErrWrongPassphrase },
		Backup: func(context.Context, string, io.Writer) error { return errors.New("no room") },
		Quit:   func() {},
	}
}

func of(p *nodetest.Person) server.Profile {
	f := profile(control.Ready)
	f.Node = p.Node
	return f
}

// ask sends one request and decodes the failure that comes back, if one does.
func ask(ctx context.Context, t *testing.T, s http.Handler, method, path, body string) (int, control.Failure, string) {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
	r.Host = "anything.example" // the socket is the door; names of hosts play no part
	s.ServeHTTP(w, r)
	var f control.Failure
	if w.Code != http.StatusOK {
		if err := json.Unmarshal(w.Body.Bytes(), &f); err != nil {
			t.Errorf("%s %s answers %q", method, path, w.Body)
		}
	}
	return w.Code, f, w.Body.String()
}

func TestAProfileWithoutANodeSaysWhatIsMissing(t *testing.T) {
	for state, hint := range map[string]string{control.Empty: "init", control.Locked: "passphrase", control.Ready: "Try again"} {
		s := server.New(profile(state), nil)
		for _, path := range []string{"/v1/contacts", "/v1/contacts/bob", "/v1/search?q=x", "/v1/settings", "/v1/devices", "/v1/contacts/bob/export"} {
			if code, f, _ := ask(t.Context(), t, s, "GET", path, ""); code != http.StatusConflict || f.Code != control.CodeState || !strings.Contains(f.Hint, hint) {
				t.Errorf("%s when %s: %d %+v", path, state, code, f)
			}
		}
		if code, _, body := ask(t.Context(), t, s, "GET", "/v1/status", ""); code != http.StatusOK || !strings.Contains(body, state) {
			t.Errorf("status when %s: %d %s", state, code, body)
		}
		if code, f, _ := ask(t.Context(), t, s, "POST", "/v1/unlock", `{"passphrase":"wrong"}`); code != http.StatusForbidden || f.Code != control.CodePass {
			t.Errorf("unlock when %s: %d %+v", state, code, f)
		}
		if code, f, _ := ask(t.Context(), t, s, "POST", "/v1/setup", `{"name":"x"}`); code != http.StatusConflict || f.Code != control.CodeState {
			t.Errorf("setup when %s: %d %+v", state, code, f)
		}
	}
}

func TestWrongRequestsAreRefusedInWords(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		s := server.New(of(alice), nil)
		id := strings.Repeat("1", 64)
		for _, row := range []struct{ method, path, body, code string }{
			{"GET", "/", "", control.CodeNotFound},
			{"GET", "/v2/contacts", "", control.CodeNotFound},
			{"GET", "/v1/contacts/zoe", "", control.CodeNotFound},
			{"GET", "/v1/contacts/zoe/export", "", control.CodeNotFound},
			{"DELETE", "/v1/contacts/zoe", "", control.CodeNotFound},
			{"GET", "/v1/contacts/bob/messages?limit=0", "", control.CodeInvalid},
			{"GET", "/v1/contacts/bob/messages?limit=501", "", control.CodeInvalid},
			{"GET", "/v1/contacts/bob/messages?before=xyz", "", control.CodeInvalid},
			{"GET", "/v1/contacts/bob/messages?before=" + id, "", control.CodeNotFound},
			{"POST", "/v1/contacts/bob/messages", `{"text":""}`, control.CodeInvalid},
			{"POST", "/v1/contacts/bob/messages", `{"txet":"mistyped"}`, control.CodeInvalid},
			{"POST", "/v1/contacts/bob/messages", `{"text":"a"} {"text":"b"}`, control.CodeInvalid},
			{"POST", "/v1/contacts/bob/messages", `{"text":`, control.CodeInvalid},
			{"POST", "/v1/contacts/bob/messages", `[]`, control.CodeInvalid},
			{"POST", "/v1/contacts/bob/messages", `{"text":"x","wait":"carried"}`, control.CodeInvalid},
			{"POST", "/v1/contacts/bob/messages", `{"text":"x","reply_to":"xyz"}`, control.CodeInvalid},
			{"POST", "/v1/contacts/bob/messages", `{"text":"` + strings.Repeat("a", 64<<10+1) + `"}`, control.CodeTooLong},
			{"POST", "/v1/contacts/bob/messages", `{"text":"` + strings.Repeat("a", 600<<10) + `"}`, control.CodeTooLong},
			{"POST", "/v1/contacts/bob/read", `{"up_to":"` + id + `"}`, control.CodeNotFound},
			{"GET", "/v1/messages/xyz", "", control.CodeInvalid},
			{"GET", "/v1/messages/" + id, "", control.CodeNotFound},
			{"PATCH", "/v1/messages/" + id, `{"text":"x"}`, control.CodeNotFound},
			{"DELETE", "/v1/messages/" + id, "", control.CodeNotFound},
			{"POST", "/v1/messages/" + id + "/reactions", `{"emoji":"❤"}`, control.CodeNotFound},
			{"POST", "/v1/contacts", `{"link":"entrenous:nonsense"}`, control.CodeInvalid},
			{"POST", "/v1/contacts", `{"link":"x","note":"` + strings.Repeat("a", 2000) + `"}`, control.CodeTooLong},
			{"POST", "/v1/invites", `{"expires":-1}`, control.CodeInvalid},
			{"POST", "/v1/words", `{"passphrase":"wrong"}`, control.CodePass},
			{"POST", "/v1/backup", `{}`, control.CodeInvalid},
			{"POST", "/v1/backup", `{"passphrase":"x"}`, control.CodeInternal},
		} {
			if _, f, _ := ask(town.Context(), t, s, row.method, row.path, row.body); f.Code != row.code || f.Message == "" {
				t.Errorf("%s %.60s %.40s: %+v", row.method, row.path, row.body, f)
			}
		}
	})
}

func TestAnEndlessWaitEndsAndTheMessageIsThereAllTheSame(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		bob.Sleep()
		s := server.New(of(alice), nil)
		start := time.Now()
		_, f, _ := ask(town.Context(), t, s, "POST", "/v1/contacts/bob/messages", `{"text":"x","wait":"seen","timeout_ms":9223372036854775807}`)
		if f.Code != control.CodeTimeout || time.Since(start) != time.Hour {
			t.Errorf("after %v: %+v", time.Since(start), f)
		}
		if got := alice.Texts(bob); len(got) != 1 {
			t.Errorf("alice has written %q", got)
		}
	})
}

// slow is a viewer who reads nothing until it is let go.
type slow struct {
	*httptest.ResponseRecorder
	let chan struct{}
}

func (s *slow) Write(b []byte) (int, error) {
	<-s.let
	return s.ResponseRecorder.Write(b)
}

func (s *slow) SetWriteDeadline(time.Time) error { return nil }

func TestASlowViewerGetsAResetAndEndsWhenItIsKilled(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		s := server.New(of(alice), nil)
		ctx, kill := context.WithCancel(town.Context())
		w := &slow{httptest.NewRecorder(), make(chan struct{})}
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/v1/watch?as=window", nil))
		}()
		town.Settle()
		for range 1500 {
			alice.Send(bob, "more than a slow viewer can take")
		}
		if _, _, body := ask(town.Context(), t, s, "POST", "/v1/window", ""); !strings.Contains(body, "true") {
			t.Errorf("raising says %s", body)
		}
		close(w.let)
		town.Pass(time.Second)
		kill()
		<-done
		lines := strings.Split(strings.TrimSpace(w.Body.String()), "\n")
		if len(lines) > 1100 || !strings.Contains(lines[0], control.ChangeHello) || !strings.Contains(w.Body.String(), `"reset"`) || !strings.Contains(w.Body.String(), "raise") {
			t.Errorf("%d lines, beginning with %s", len(lines), lines[0])
		}
		if _, _, body := ask(town.Context(), t, s, "POST", "/v1/window", ""); !strings.Contains(body, "false") {
			t.Errorf("a killed window is still there: %s", body)
		}
	})
}

func TestAViewerOfAnEmptyProfileHearsWhenItIsReady(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice := town.Join("alice")
		var ready bool
		p := profile(control.Empty)
		p.Node = func() *node.Node {
			if !ready {
				return nil
			}
			return alice.Node()
		}
		s := server.New(p, nil)
		ctx, kill := context.WithCancel(town.Context())
		w, done := httptest.NewRecorder(), make(chan struct{})
		go func() {
			defer close(done)
			s.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/v1/watch", nil))
		}()
		town.Settle()
		ready = true
		s.Opened()
		town.Settle()
		kill()
		<-done
		if body := w.Body.String(); !strings.Contains(body, control.ChangeHello) || !strings.Contains(body, control.Ready) {
			t.Errorf("the viewer hears %s", body)
		}
	})
}

func TestARowOfADeviceSaysWhoseItIs(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		alice.Second()
		told := func(p, with *nodetest.Person) (rows []control.Message) {
			_, _, body := ask(t.Context(), t, server.New(of(p), nil), http.MethodGet, "/v1/contacts/"+with.ID().String()+"/messages", "")
			var page control.Page
			if err := json.Unmarshal([]byte(body), &page); err != nil {
				t.Fatal(err)
			}
			for _, m := range page.Rows {
				if m.Kind == control.KindDevice {
					rows = append(rows, m)
				}
			}
			return rows
		}
		for _, c := range []struct {
			p, with *nodetest.Person
			mine    bool
		}{{bob, alice, false}, {alice, bob, true}} {
			town.Eventually("the row is there", func() bool { return len(told(c.p, c.with)) > 0 })
			d := told(c.p, c.with)[0].Device
			if d == nil || d.Person != alice.ID().String() || d.Mine != c.mine || d.Name == "" || d.Act != control.DeviceAdded {
				t.Errorf("%s is told %+v", c.p.Name, d)
			}
		}
	})
}
