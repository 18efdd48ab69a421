package ui

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/storage"

	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/identity"
)

var (
	anaInvite = identity.Invite{Person: identity.FromSeed(identity.Seed{7}).ID(), Rendezvous: [16]byte{1}, Once: bytes.Repeat([]byte{9}, 16)}
	cardAna   = control.Contact{
		ID: "ana", Name: "Ana", OwnName: "Ana", State: control.Friend, Presence: control.Online, Path: "direct", RTT: 12,
		Since: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC), Devices: 2,
	}
)

func invite() control.Invite {
	return control.Invite{Link: anaInvite.String(), QR: anaInvite.QR(), Once: true, Expires: time.Date(2026, 11, 29, 10, 0, 0, 0, time.UTC)}
}

func TestTheEmptyStateHasAnInviteReady(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		n.answer("POST /invites", invite())
		n.page(newEmptyState(n.w))
		n.wantTold(t, `POST /invites {"once":true}`)
		n.shot(t, "empty")
		n.press(t, n.w.page, "Copy invite")
		if got := n.w.app.Clipboard().Content(); got != anaInvite.String() {
			t.Errorf("the clipboard holds %q", got)
		}
		wantWords(t, n.w.page, "Copied")
	})
}

func TestAnInviteIsShownAsACode(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		n.answer("POST /invites", invite())
		n.w.showAddFriend()
		n.settle()
		wantWords(t, n.top(), "Good until 29 November")
		n.shot(t, "invite")
		n.press(t, n.top(), "My address")
		n.wantTold(t, `POST /invites {"once":false}`)
		wantWords(t, n.top(), "They ask, and you decide")
	})
}

func TestAPastedMessageGivesItsLink(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		n.answer("POST /contacts", cardAna)
		n.w.modal(newFriends(n.w, true))
		n.w.app.Clipboard().SetContent("hey, install this and use\n" + anaInvite.String() + "\n\nsee you, Ana")
		n.press(t, n.top(), "Paste")
		n.shot(t, "add")
		n.press(t, n.top(), "Add friend")
		n.wantTold(t, `POST /contacts {"link":"`+anaInvite.String()+`"}`)
		if n.top() != nil {
			t.Error("the card is still there")
		}
	})
}

func TestAMistypedLinkCanBeCorrected(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		n.w.modal(newFriends(n.w, true))
		n.settle()
		link := anaInvite.String()
		wrong := strings.Replace(link, link[20:21], map[bool]string{true: "p", false: "q"}[link[20] != 'p'], 1)
		field := entries(n.top())[0]
		field.SetText(wrong)
		n.press(t, n.top(), "Add friend")
		wantWords(t, n.top(), "has a mistake in its group")
		n.shot(t, "add-wrong")
		n.press(t, n.top(), "Correct it")
		if field.Text != link {
			t.Errorf("corrected to %q, not %q", field.Text, link)
		}
		field.SetText("https://example.org")
		n.press(t, n.top(), "Add friend")
		wantWords(t, n.top(), "This is not an Entrenous link")
	})
}

func TestADroppedPictureGivesItsLink(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		path := filepath.Join(t.TempDir(), "code.png")
		writePicture(t, path, photograph(t, anaInvite.QR()))
		n.w.modal(newFriends(n.w, true))
		n.settle()
		v := &friends{w: n.w, root: n.top().(*fyne.Container), link: entries(n.top())[0], wrong: newProblem(), fix: secondaryButton("", nil)}
		v.dropped([]fyne.URI{storage.NewFileURI(path)})
		n.settle()
		if v.link.Text != anaInvite.QR() {
			t.Errorf("the picture gave %q and said %q", v.link.Text, v.wrong.words)
		}
	})
}

func TestAPictureIsChosenFromItsFolder(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		home := t.TempDir()
		t.Setenv("HOME", home)
		folder := filepath.Join(home, "Pictures", "codes")
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		writePicture(t, filepath.Join(folder, "ana.png"), photograph(t, "HELLO"))
		if err := os.WriteFile(filepath.Join(folder, "notes.txt"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		var chosen string
		n.w.pickPicture(func(path string) { chosen = path })
		n.settle()
		n.press(t, n.top(), "codes")
		wantNoWords(t, n.top(), "notes.txt")
		n.shot(t, "pictures")
		n.press(t, n.top(), "ana.png")
		if chosen != filepath.Join(folder, "ana.png") || n.top() != nil {
			t.Errorf("chosen %q", chosen)
		}
	})
}

func TestPicturesThatHoldNoCodeAreRefused(t *testing.T) {
	large := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x75\x30\x00\x00\x75\x30\x08\x02\x00\x00\x00")
	var blank bytes.Buffer
	if err := png.Encode(&blank, image.NewGray(image.Rect(0, 0, 64, 64))); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name string
		file []byte
		want error
	}{
		{"text", []byte("hello"), errNotPicture},
		{"a gif", []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"), errNotPicture},
		{"a bomb of 900 megapixels", append(large, crcOf(large[12:])...), errTooLarge},
		{"nothing on it", blank.Bytes(), errNoCode},
		{"a file of 21 MB", make([]byte, maxPictureBytes+1), errTooLarge},
	} {
		if _, err := readCode(bytes.NewReader(row.file)); err != row.want {
			t.Errorf("%s: %v, not %v", row.name, err, row.want)
		}
	}
}

func TestACodeIsReadBack(t *testing.T) {
	for _, content := range []string{anaInvite.QR(), anaInvite.String(), "1"} {
		var file bytes.Buffer
		if err := png.Encode(&file, photograph(t, content)); err != nil {
			t.Fatal(err)
		}
		if got, err := readCode(&file); got != content {
			t.Errorf("%q is read as %q: %v", content, got, err)
		}
	}
}

func FuzzReadCode(f *testing.F) {
	img, err := codePicture("ENTRENOUS")
	if err != nil {
		f.Fatal(err)
	}
	var file bytes.Buffer
	if err := png.Encode(&file, img); err != nil {
		f.Fatal(err)
	}
	f.Add(file.Bytes())
	f.Add([]byte("RIFF\x00\x00\x00\x00WEBPVP8 "))
	f.Add([]byte("\xff\xd8\xff"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		if config, _, err := image.DecodeConfig(bytes.NewReader(data)); err == nil && config.Width*config.Height > 1<<20 {
			return // as slow as it is large, and nothing else
		}
		_, _ = readCode(bytes.NewReader(data))
	})
}

func TestARequestIsAnswered(t *testing.T) {
	withCards(t, func(t *testing.T, n *cardNode) {
		asking := control.Contact{ID: "bo", Name: "Bo", State: control.Request, Note: "It’s me, from the harbour. We met at the boat on Sunday."}
		n.answer("POST /contacts/bo/accept", cardAna)
		n.answer("DELETE /contacts/bo", struct{}{})
		n.page(requestCard(n.w, asking))
		n.shot(t, "request")
		n.press(t, n.w.page, "Accept")
		n.wantTold(t, "POST /contacts/bo/accept")
		n.press(t, n.w.page, "Decline")
		n.wantTold(t, "DELETE /contacts/bo")
		asking.State = control.SentReq
		n.page(requestCard(n.w, asking))
		wantWords(t, n.w.page, "Bo has been asked")
		n.shot(t, "request-sent")
	})
}

// photograph is a code as a camera might see it: larger, grey, on something.
func photograph(t *testing.T, content string) image.Image {
	t.Helper()
	code, err := codePicture(content)
	if err != nil {
		t.Fatal(err)
	}
	const scale = 5
	side := code.Bounds().Dx() * scale
	img := image.NewGray(image.Rect(0, 0, side+120, side+80))
	draw.Draw(img, img.Bounds(), image.NewUniform(color.Gray{Y: 190}), image.Point{}, draw.Src)
	for y := range side {
		for x := range side {
			shade := color.Gray{Y: 40}
			if r, _, _, _ := code.At(x/scale, y/scale).RGBA(); r > 0 {
				shade.Y = 230
			}
			img.SetGray(x+70, y+30, shade)
		}
	}
	return img
}

func writePicture(t *testing.T, path string, img image.Image) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := png.Encode(file, img); err != nil {
		t.Fatal(err)
	}
}
