//go:build !headless

package app

import (
	"strings"
	"testing"

	"github.com/entrenous/entrenous/app/chat"
	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/app/node"
	"github.com/entrenous/entrenous/app/store"
)

func TestANotificationSaysWhatTheRowIs(t *testing.T) {
	text := chat.Row{Kind: chat.KindText, Text: "see you at six"}
	call := func(reason string) chat.Row {
		return chat.Row{Kind: chat.KindCall, Call: &chat.CallBody{Outgoing: true, Reason: reason}}
	}
	for name, c := range map[string]struct {
		row    chat.Row
		show   bool
		en, fr string
	}{
		"a text":                {text, true, "see you at six", "see you at six"},
		"a text that is hidden": {text, false, "wrote to you", "vous a écrit"},
		"a long one":            {chat.Row{Text: strings.Repeat("x", 300)}, true, strings.Repeat("x", 200) + "…", strings.Repeat("x", 200) + "…"},
		"one that would turn":   {chat.Row{Text: "\u202egpj.exe\x00 is\u202c here"}, true, "gpj.exe is here", "gpj.exe is here"},
		"a missed call":         {call(control.EndMissed), true, "Missed call", "Appel manqué"},
		"one, without texts":    {call(control.EndMissed), false, "Missed call", "Appel manqué"},
		"one while we spoke":    {call(control.EndBusy), true, "Missed call, you were in another", "Appel manqué, vous étiez en communication"},
		"one that was spoken":   {call(control.EndCompleted), true, "wrote to you", "vous a écrit"},
		"one that was deleted":  {chat.Row{Deleted: true}, true, "wrote to you", "vous a écrit"},
	} {
		for lang, want := range map[string]string{"en": c.en, "fr": c.fr} {
			if got := lastWords(node.Contact{Last: &store.RowView{Row: c.row}}, spokenWords(lang), c.show); got != want {
				t.Errorf("%s: in %s it says %q, not %q", name, lang, got, want)
			}
		}
	}
}
