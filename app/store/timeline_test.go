package store_test

import (
	"testing"

	"github.com/entrenous/entrenous/app/chat"
)

func TestSmoke(t *testing.T) {
	s := open(t, t.TempDir())
	a := text(t, s, ana, "laptop", "hello Bo")
	h := a.Hash()
	text(t, s, bo, "desk", "hello Ana, how are you?")
	say(t, s, ana, "laptop", chat.KindEdit, chat.EditBody{Of: h, Text: "hello dear Bö"}.Encode())
	say(t, s, bo, "desk", chat.KindReaction, chat.ReactionBody{Of: h, Emoji: "❤️", On: true}.Encode())
	for _, r := range lastPage(t, s) {
		t.Logf("%+v", r)
	}
	for _, q := range []string{"hello", "dear bo", "bo", "ana h", "nothing", "\"he* OR"} {
		hits, err := s.Search(q, nil, 10)
		t.Log(q, len(hits), err)
		for _, h := range hits {
			t.Log(h.Snippet, h.Matches)
		}
	}
	t.Log(s.Unread(talk))
}
