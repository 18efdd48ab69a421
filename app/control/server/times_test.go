package server_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/app/control/server"
	"github.com/entrenous/entrenous/app/node/nodetest"
)

func TestWhoHasAClockThatSaysAnythingIsServed(t *testing.T) {
	for name, now := range map[string]time.Time{
		"the end of time":    time.UnixMilli(chat.MaxSeq - 1),
		"the year 10000":     time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
		"the last midnight":  time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("west", -14*3600)),
		"before the machine": time.Date(-5000, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		nodetest.Run(t, func(town *nodetest.Town) {
			alice, bob := town.Join("alice"), town.Join("bob")
			town.Befriend(alice, bob)
			bob.Now = func() time.Time { return now }
			bob.Sleep()
			bob.Wake()
			bob.Send(alice, "what time is it?")
			alice.WantRow(bob, "what time is it?")
			for _, p := range []*nodetest.Person{alice, bob} {
				s := server.New(of(p), nil)
				other := map[*nodetest.Person]string{alice: "bob", bob: "alice"}[p]
				for _, path := range []string{"/v1/contacts", "/v1/contacts/" + other, "/v1/contacts/" + other + "/messages", "/v1/contacts/" + other + "/export", "/v1/search?q=time", "/v1/devices", "/v1/nearby", "/v1/status", "/v1/doctor"} {
					code, _, body := ask(town.Context(), t, s, "GET", path, "")
					if code != http.StatusOK || !json.Valid([]byte(body)) && !strings.HasSuffix(path, "export") || body == "" {
						t.Errorf("%s: GET %s of %s's friend: %d %q", name, path, other, code, body)
					}
				}
				if _, _, body := ask(town.Context(), t, s, "POST", "/v1/visible", `{"seconds":60}`); !json.Valid([]byte(body)) {
					t.Errorf("%s: becoming visible answers %q", name, body)
				}
			}
		})
	}
}

func TestAnAnswerThatCannotBeEncodedIsAFailureInWords(t *testing.T) {
	var log bytes.Buffer
	s := server.New(profile(control.Ready), slog.New(slog.NewTextHandler(&log, nil)))
	s.Handle("GET /v1/nonsense", func(*http.Request) (any, error) { return []float64{1, math.NaN()}, nil })
	code, f, body := ask(t.Context(), t, s, "GET", "/v1/nonsense", "")
	if code != http.StatusInternalServerError || f.Code != control.CodeInternal || f.Message == "" || f.Hint == "" {
		t.Errorf("%d %q", code, body)
	}
	if !strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("the log says %q", log.String())
	}
}
