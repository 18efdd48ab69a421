package server_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/app/control/server"
	"github.com/entrenous/entrenous/app/node/nodetest"
)

// answers decodes what a stream was answered with.
func answers(t *testing.T, body string) (all []control.Answer) {
	t.Helper()
	for line := range strings.Lines(body) {
		var a control.Answer
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, a)
	}
	return all
}

func TestAStreamIsAnsweredLineByLineInItsOrder(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		s := server.New(of(alice), nil)
		const count = 700
		var lines strings.Builder
		for i := range count {
			fmt.Fprintf(&lines, `{"text":"message %d","wait":"delivered"}`+"\n", i)
		}
		code, _, body := ask(town.Context(), t, s, "POST", "/v1/contacts/bob/stream", lines.String())
		all := answers(t, body)
		if code != 200 || len(all) != count {
			t.Fatalf("%d with %d answers", code, len(all))
		}
		rows := bob.Rows(alice)
		for i, row := range rows[len(rows)-100:] {
			a := all[count-100+i]
			if a.ID != row.ID.String() || a.State != control.Delivered || a.Failure != nil || row.Text != fmt.Sprint("message ", count-100+i) {
				t.Fatalf("answer %+v, at the friend %q", a, row.Text)
			}
		}
	})
}

func TestALineThatIsNoMessageDoesNotHoldUpTheOthers(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		s := server.New(of(alice), nil)
		lines := []struct{ line, code string }{
			{`{"text":"first"}`, ""},
			{`{"text":`, control.CodeInvalid},
			{`{"txet":"mistyped"}`, control.CodeInvalid},
			{`{"text":""}`, control.CodeInvalid},
			{`{"text":"` + strings.Repeat("a", 64<<10+1) + `"}`, control.CodeTooLong},
			{`{"text":"x","wait":"carried"}`, control.CodeInvalid},
			{`{"text":"x","reply_to":"xyz"}`, control.CodeInvalid},
			{`{"text":"last","wait":"delivered"}`, ""},
			{`{"text":"` + strings.Repeat("a", 600<<10) + `"}`, control.CodeTooLong}, // ends the stream
			{`{"text":"never read"}`, ""},
		}
		var in strings.Builder
		for _, l := range lines {
			in.WriteString(l.line + "\n\n")
		}
		_, _, body := ask(town.Context(), t, s, "POST", "/v1/contacts/bob/stream", in.String())
		all := answers(t, body)
		if len(all) != len(lines)-1 {
			t.Fatalf("%d answers", len(all))
		}
		for i, a := range all {
			if code := ""; a.Failure != nil {
				if code = a.Failure.Code; code != lines[i].code || a.ID != "" || a.Failure.Message == "" {
					t.Errorf("%.40s: %+v", lines[i].line, a.Failure)
				}
				continue
			}
			if lines[i].code != "" || len(a.ID) != 64 {
				t.Errorf("%.40s: %+v", lines[i].line, a)
			}
		}
		if got := bob.Texts(alice); len(got) != 2 || got[0] != "first" || got[1] != "last" {
			t.Errorf("bob has %q", got)
		}
		for _, path := range []string{"/v1/contacts/zoe/stream", "/v1/contacts/ali/stream"} {
			if _, f, _ := ask(town.Context(), t, s, "POST", path, `{"text":"x"}`); f.Code != control.CodeNotFound {
				t.Errorf("%s: %+v", path, f)
			}
		}
	})
}

func TestAMessageOfAStreamThatComesNoFurtherIsSaidToBeStored(t *testing.T) {
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := town.Join("alice"), town.Join("bob")
		town.Befriend(alice, bob)
		bob.Sleep()
		s := server.New(of(alice), nil)
		start := time.Now()
		_, _, body := ask(town.Context(), t, s, "POST", "/v1/contacts/bob/stream",
			strings.Repeat(`{"text":"later","wait":"delivered","timeout_ms":60000}`+"\n", 3))
		if took := time.Since(start); took != time.Minute {
			t.Errorf("it took %v", took)
		}
		for _, a := range answers(t, body) {
			if a.State != control.Written || len(a.ID) != 64 || a.Failure == nil || a.Failure.Code != control.CodeTimeout {
				t.Errorf("%+v", a)
			}
		}
		bob.Wake()
		town.Eventually("bob has them", func() bool { return len(bob.Texts(alice)) == 3 })
	})
}
