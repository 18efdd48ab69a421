package control_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/entrenous/entrenous/app/control"
)

// serve answers on the socket of a profile folder.
func serve(t *testing.T, dir string, h http.HandlerFunc) *control.Client {
	t.Helper()
	l, err := control.Listen(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(h)
	s.Listener.Close()
	s.Listener = l
	s.Start()
	c := control.Dial(dir)
	t.Cleanup(func() {
		c.Close()
		s.Close()
	})
	return c
}

func TestWithoutANodeTheClientSaysHowToStartOne(t *testing.T) {
	_, err := control.Dial(t.TempDir()).Status(t.Context())
	var f *control.Failure
	if !errors.As(err, &f) || f.Code != control.CodeNotHere || !strings.Contains(f.Hint, "entrenous daemon") {
		t.Errorf("%v", err)
	}
}

func TestAProfileMayLieDeepInTheDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("a folder with a long name/", 6))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	c := serve(t, dir, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"state":"ready"}`) })
	if s, err := c.Status(t.Context()); err != nil || s.State != control.Ready {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestAFailureKeepsItsSentenceAndCode(t *testing.T) {
	c := serve(t, t.TempDir(), func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusConflict)
		_, _ = io.WriteString(w, `{"error":"This person is blocked","hint":"Unblock them first","code":"state"}`)
	})
	_, err := c.Send(t.Context(), "bo", control.NewMessage{Text: "x"})
	var f *control.Failure
	if !errors.As(err, &f) || f.Code != control.CodeState || f.Error() != "This person is blocked. Unblock them first" {
		t.Errorf("%v", err)
	}
}

func TestAWatchGivesChangesUntilTheNodeEnds(t *testing.T) {
	c := serve(t, t.TempDir(), func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "{\"type\":\"hello\"}\n\n{\"type\":\"message\",\"who\":\"ana\"}\n")
	})
	w, err := c.Watch(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for _, want := range []string{control.ChangeHello, control.ChangeMessage} {
		if ch, err := w.Next(); err != nil || ch.Type != want {
			t.Errorf("%+v, %v", ch, err)
		}
	}
	if _, err := w.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v", err)
	}
}

func TestAGlanceAtATextIsShort(t *testing.T) {
	long := strings.Repeat("é", 200)
	for text, want := range map[string]string{
		"":                      "",
		" \n hello\nyou  \n":    "hello\nyou",
		long:                    long,
		long + "\n\n":           long,
		"\n" + long + "x":       long + "…",
		strings.Repeat(long, 9): long + "…",
	} {
		if got := control.Glance(text); got != want {
			t.Errorf("of %d bytes %q remain", len(text), got)
		}
	}
}
