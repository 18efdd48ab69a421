package identity_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/entrenous/entrenous/identity"
)

const (
	futureInvite    = "entrenous:z4mn4wh86mt5k6azztm27ctxlgkwauu06kgvfdan88rtya9tljvqy5396mvwdeklwv28jpfzdgk0tqqqqqqqqqqqqqqqqq6vcfpp"
	senselessInvite = "entrenous:p4mn4wh86mt5k6azztm27ctxlgkwauu06kgvfdan88rtya9tljvqy5396mvwdeklwv28jpfzdgk0tqpqqwsyvtt" // a flag nobody knows
)

// inviteOf is ana's permanent address, and one with all that an invite may hold.
func inviteOf() (plain, full identity.Invite) {
	ana := identity.FromSeed(seedOf(1))
	plain = identity.Invite{Person: ana.ID(), Rendezvous: ana.AddressSecret()}
	full = plain
	full.Once = []byte("sixteen bytes...")
	full.Expires = noon().AddDate(0, 0, 7)
	full.Hints = []identity.Hint{
		{Kind: identity.HintAddr, Value: "/ip4/203.0.113.7/udp/4001/quic-v1/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"},
		{Kind: identity.HintRelay, Value: "/dns4/relay.example/udp/4001/quic-v1"},
		{Kind: identity.HintMailbox, Value: "m"},
	}
	return plain, full
}

func TestAnInviteComesBackFromItsLinkAndItsQRCode(t *testing.T) {
	plain, full := inviteOf()
	largest := full
	largest.Hints = slices.Repeat([]identity.Hint{{Kind: identity.HintRelay, Value: strings.Repeat("r", 256)}}, 8)
	for _, want := range []identity.Invite{plain, full, largest} {
		for _, text := range []string{want.String(), want.QR()} {
			got, err := identity.ParseInvite(text)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%.40s…: %v", text, err)
			}
		}
	}
	if n := len(plain.String()); n > 100 {
		t.Errorf("a permanent address has %d characters", n)
	}
	if strings.ContainsFunc(full.QR(), func(r rune) bool {
		return !strings.ContainsRune("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:", r)
	}) {
		t.Errorf("not in the alphanumeric mode of QR codes: %s", full.QR())
	}
}

func TestALinkIsReadAsPeoplePasteIt(t *testing.T) {
	_, full := inviteOf()
	link := full.String()
	bare := strings.TrimPrefix(link, "entrenous:")
	inGroups := func(n int, between string) string {
		var groups []string
		for g := range slices.Chunk([]byte(bare), n) {
			groups = append(groups, string(g))
		}
		return strings.Join(groups, between)
	}
	for _, text := range []string{
		link, bare, " \t" + link + "\r\n", "Entrenous:" + bare, "ENTRENOUS:" + bare, "entrenous://" + bare,
		"entrenous:" + inGroups(4, "-"), inGroups(4, " "), inGroups(60, "\n"), "entrenous: " + inGroups(60, "\r\n"),
		strings.ToUpper(bare), "en tre nous:" + bare, inGroups(76, "\u00a0"),
	} {
		if got, err := identity.ParseInvite(text); err != nil || !reflect.DeepEqual(got, full) {
			t.Errorf("%.60q…: %v", text, err)
		}
	}
}

func TestInvitesThatMakeNoSenseAreNotWritten(t *testing.T) {
	for name, spoil := range map[string]func(*identity.Invite){
		"short secret":  func(i *identity.Invite) { i.Once = i.Once[:15] },
		"empty secret":  func(i *identity.Invite) { i.Once = []byte{} },
		"before 1970":   func(i *identity.Invite) { i.Expires = time.Unix(0, 0) },
		"after 9999":    func(i *identity.Invite) { i.Expires = time.Unix(1<<40, 0) },
		"nine hints":    func(i *identity.Invite) { i.Hints = slices.Repeat(i.Hints[:1], 9) },
		"unknown hint":  func(i *identity.Invite) { i.Hints[0].Kind = 4 },
		"no kind":       func(i *identity.Invite) { i.Hints[0].Kind = 0 },
		"empty hint":    func(i *identity.Invite) { i.Hints[0].Value = "" },
		"long hint":     func(i *identity.Invite) { i.Hints[0].Value = strings.Repeat("r", 257) },
		"hidden hint":   func(i *identity.Invite) { i.Hints[0].Value = "\u202e" },
		"hint of lines": func(i *identity.Invite) { i.Hints[0].Value = "a\nb" },
	} {
		_, full := inviteOf()
		spoil(&full)
		if full.Check() == nil || full.String() != "" || full.QR() != "" {
			t.Errorf("%s: %v, %s", name, full.Check(), full)
		}
	}
}

func TestAnInviteLastsAsLongAsItSays(t *testing.T) {
	plain, full := inviteOf()
	full.Expires = noon().Add(10 * time.Minute) // hours are rounded up: never shorter than promised
	got, err := identity.ParseInvite(full.String())
	if err != nil || !got.Expires.Equal(noon().Add(time.Hour)) {
		t.Errorf("expires %v, %v", got.Expires, err)
	}
	if got.Expired(noon().Add(59*time.Minute)) || !got.Expired(noon().Add(time.Hour)) {
		t.Error("it expires at the wrong time")
	}
	if plain.Expired(noon().AddDate(1000, 0, 0)) {
		t.Error("a permanent address expires")
	}
}

func TestAOneTimeSecretGivesBothTheSamePairSecret(t *testing.T) {
	_, full := inviteOf()
	got, err := identity.ParseInvite(full.String())
	if err != nil {
		t.Fatal(err)
	}
	if identity.OncePair(got.Once) != identity.OncePair(full.Once) || identity.OncePair(got.Once) == identity.OncePair([]byte("another secret..")) {
		t.Error("the pair secrets are wrong")
	}
}

// wantMistake parses a wrong link and returns what is said of it.
func wantMistake(t *testing.T, text, part string) *identity.InviteError {
	t.Helper()
	_, err := identity.ParseInvite(text)
	var mistake *identity.InviteError
	if !errors.As(err, &mistake) || mistake.Part != part || mistake.Error() == "" {
		t.Fatalf("%.120q: wanted a mistake of %s, got %v", text, part, err)
	}
	return mistake
}

func TestAnyOneMistypedCharacterIsFoundAndMended(t *testing.T) {
	const alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	plain, full := inviteOf()
	for link, typos := range map[string]string{plain.String(): alphabet, full.String(): "qw7"} {
		for i := len("entrenous:"); i < len(link); i++ {
			for _, c := range typos {
				typed := link[:i] + string(c) + link[i+1:]
				if typed == link {
					continue
				}
				m := wantMistake(t, typed, identity.PartChecksum)
				if m.Suggest != link || m.Position != i+1-len("entrenous:") {
					t.Fatalf("character %d as %c: position %d, suggested %s", i, c, m.Position, m.Suggest)
				}
			}
		}
	}
}

func TestNeighboursSwappedAreFoundAndMended(t *testing.T) {
	plain, _ := inviteOf()
	link := plain.String()
	for i := len("entrenous:"); i < len(link)-1; i++ {
		if link[i] == link[i+1] {
			continue
		}
		typed := link[:i] + string(link[i+1]) + string(link[i]) + link[i+2:]
		if m := wantMistake(t, typed, identity.PartChecksum); m.Suggest != link || m.Position != i+1-len("entrenous:") {
			t.Fatalf("at %d: position %d, suggested %s", i, m.Position, m.Suggest)
		}
	}
}

func TestAMistakeIsExplainedInASentence(t *testing.T) {
	v := readVectors(t)
	link := v.PlainInvite // entrenous:p4mn4wh8…
	for typed, sentence := range map[string]string{
		"entrenous:p4mn5w": "the link has a mistake in its 2nd group of four, “5wh8”; “4wh8” is probably meant",
		"entrenous:p4mn4b": "character 6 of the link, “b” in “4bh8”, never stands in one; “4wh8” is probably meant",
		"entrenous:p4m4nw": "the link has a mistake in its 1st group of four, “p4m4”; “p4mn” is probably meant",
	} {
		_, err := identity.ParseInvite(strings.Replace(link, "entrenous:p4mn4w", typed, 1))
		if err == nil || err.Error() != sentence {
			t.Errorf("%s…\n got %v\nwant %s", typed, err, sentence)
		}
	}
}

func TestACharacterThatNeverStandsInALinkIsNamed(t *testing.T) {
	plain, _ := inviteOf()
	link := plain.String()
	for i := len("entrenous:"); i < len(link); i++ {
		for _, c := range []string{"b", "i", "1", "o", "é", "_", "."} {
			m := wantMistake(t, link[:i]+c+link[i+1:], identity.PartCharacter)
			if m.Suggest != link || m.Position != i+1-len("entrenous:") || !strings.Contains(m.Error(), c) {
				t.Fatalf("%s at %d: position %d, suggested %s", c, i, m.Position, m.Suggest)
			}
		}
	}
	if m := wantMistake(t, link[:20]+"oo"+link[22:], identity.PartCharacter); m.Suggest != "" || m.Position != 11 {
		t.Errorf("two foreign characters: %+v", m)
	}
	if m := wantMistake(t, link+".", identity.PartCharacter); m.Suggest != "" {
		t.Errorf("a full stop after the link: %+v", m)
	}
}

func TestALinkThatIsCutOffIsCalledSo(t *testing.T) {
	_, full := inviteOf()
	link := full.String()
	said := 0
	for n := len("entrenous:"); n < len(link); n++ {
		_, err := identity.ParseInvite(link[:n])
		var mistake *identity.InviteError
		if !errors.As(err, &mistake) {
			t.Fatalf("%d of %d characters: %v", n, len(link), err)
		}
		if mistake.Part == identity.PartLength {
			said++
		}
	}
	if all := len(link) - len("entrenous:"); said < all-8 {
		t.Errorf("%d of %d cuts are called so", said, all)
	}
}

func TestWhatIsNoLinkIsCalledSo(t *testing.T) {
	plain, _ := inviteOf()
	link := plain.String()
	for _, text := range []string{
		"", "hello", "https://example.com/" + link[10:], strings.Repeat("lorem ipsum dolor sit amet ", 10),
		"bitcoin:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "\xff\xfe", identity.FromSeed(seedOf(1)).ID().String(),
	} {
		wantMistake(t, text, identity.PartScheme)
	}
	for _, text := range []string{"entrenous:", "entrenous:pqq", link[:60], strings.Repeat("q", 4097)} {
		wantMistake(t, text, identity.PartLength)
	}
	wantMistake(t, link[:40]+strings.ToUpper(link[40:]), identity.PartCase)
	if m := wantMistake(t, link[:20]+link[30:50]+link[20:30]+link[50:], identity.PartChecksum); m.Suggest != "" {
		t.Errorf("a shuffled link: %+v", m)
	}
}

// The two links below were made with a right checksum by an independent program.
func TestALinkOfTheFutureAsksForAnUpdate(t *testing.T) {
	wantMistake(t, futureInvite, identity.PartVersion)
	wantMistake(t, senselessInvite, identity.PartContent)
}

// linkOf writes a link of any content with a right checksum, by the letter of
// BIP 350.
func linkOf(content []byte) string {
	const alphabet, prefix = "qpzry9x8gf2tvdw0s3jn54khce6mua7l", "entrenous"
	bits := "00001" // the version
	for _, b := range content {
		bits += fmt.Sprintf("%08b", b)
	}
	bits += strings.Repeat("0", (5-len(bits)%5)%5)
	var high, low, symbols []byte
	for _, c := range []byte(prefix) {
		high, low = append(high, c>>5), append(low, c&31)
	}
	for i := 0; i < len(bits); i += 5 {
		symbol, _ := strconv.ParseUint(bits[i:i+5], 2, 5)
		symbols = append(symbols, byte(symbol))
	}
	check := uint32(1)
	for _, v := range slices.Concat(high, []byte{0}, low, symbols, make([]byte, 6)) {
		top := check >> 25
		check = check&0x1ffffff<<5 ^ uint32(v)
		for i, g := range []uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			check ^= g * (top >> i & 1)
		}
	}
	check ^= 0x2bc830a3
	link := []byte("entrenous:")
	for _, s := range symbols {
		link = append(link, alphabet[s])
	}
	for i := range 6 {
		link = append(link, alphabet[check>>(5*(5-i))&31])
	}
	return string(link)
}

func TestALinkThatNoEntrenousWritesIsRefused(t *testing.T) {
	plain, full := inviteOf()
	head := slices.Concat(plain.Person[:], plain.Rendezvous[:])
	with := func(tail ...byte) string { return linkOf(slices.Concat(head, tail)) }
	if link := with(0, 0); link != plain.String() {
		t.Fatalf("the writer of this test writes %s", link)
	}
	for name, link := range map[string]string{
		"unknown flag":           with(8, 0),
		"no one-time secret":     with(1, 0),
		"no expiry":              with(2, 0),
		"expiry zero":            with(2, 0, 0, 0, 0, 0),
		"nine hints":             with(append([]byte{0, 9}, bytes.Repeat([]byte{1, 0, 'a'}, 9)...)...),
		"a hint too few":         with(0, 2, 1, 0, 'a'),
		"a hint of kind 0":       with(0, 1, 0, 0, 'a'),
		"a hint of kind 4":       with(0, 1, 4, 0, 'a'),
		"a hint with a space":    with(0, 1, 1, 0, ' '),
		"a hint that is no text": with(0, 1, 1, 0, 0xff),
		"a byte too many":        with(0, 0, 0),
		"a hint cut off":         with(0, 1, 1, 255, 'a'),
		"no number of hints":     with(append([]byte{1}, full.Once...)...),
	} {
		if m := wantMistake(t, link, identity.PartContent); m.Suggest != "" || m.Position != 0 {
			t.Errorf("%s: %+v", name, m)
		}
	}
}

func FuzzParseInvite(f *testing.F) {
	plain, full := inviteOf()
	f.Add(plain.String())
	f.Add(full.QR())
	f.Add(full.String()[:150])
	f.Add(strings.Replace(full.String(), "q", "p", 1))
	f.Add(futureInvite)
	f.Add(senselessInvite)
	f.Add("entrenous:\u202e")
	f.Fuzz(func(t *testing.T, text string) {
		i, err := identity.ParseInvite(text)
		var mistake *identity.InviteError
		if errors.As(err, &mistake) && mistake.Suggest != "" {
			i, err = identity.ParseInvite(mistake.Suggest)
			if err != nil || i.String() != mistake.Suggest {
				t.Fatalf("%q: suggested %q: %v", text, mistake.Suggest, err)
			}
		}
		if err != nil {
			if mistake == nil || err.Error() == "" {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if again, err := identity.ParseInvite(i.QR()); err != nil || !reflect.DeepEqual(i, again) {
			t.Errorf("%q: came back otherwise: %v", text, err)
		}
	})
}

func BenchmarkParseInvite(b *testing.B) {
	_, full := inviteOf()
	link := full.String()
	for b.Loop() {
		if _, err := identity.ParseInvite(link); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseLongestMistypedInvite(b *testing.B) {
	_, full := inviteOf()
	full.Hints = slices.Repeat([]identity.Hint{{Kind: identity.HintRelay, Value: strings.Repeat("r", 256)}}, 8)
	link := []byte(full.String())
	link[1000], link[2000] = 'q', 'p' // two mistakes: every explanation is tried in vain
	for b.Loop() {
		if _, err := identity.ParseInvite(string(link)); err == nil {
			b.Fatal("read")
		}
	}
}
