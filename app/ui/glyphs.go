package ui

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
	"github.com/go-text/typesetting/font/opentype/tables"
	"github.com/go-text/typesetting/fontscan"
	"github.com/go-text/typesetting/harfbuzz"
)

// unknownSign stands for what no font here has: an emoji of next year, a
// letter of a script that nobody reads here.
const unknownSign = '◌'

// legible puts a quiet sign in the place of everything that no font here has,
// with all that is joined to it. Nothing else may be measured or drawn: with
// each such letter Fyne remembers one more font, all of which it asks for the
// next one, so that a friend who writes many would bring the window to a stop.
func legible(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxLatin1 }) {
		return s
	}
	var b strings.Builder
	joined, gone := false, false // to what came before; that could not be drawn
	for _, r := range s {
		switch {
		case !drawable(r):
			if b.Len() == 0 && !gone || !joined && !joins(r) {
				b.WriteRune(unknownSign)
			}
			gone = true
		case gone && (joined || joins(r)):
		default:
			b.WriteRune(r)
			gone = false
		}
		joined = r == zeroWidthJoiner
	}
	return strings.ReplaceAll(strings.TrimSuffix(b.String(), string(zeroWidthJoiner)), string(zeroWidthJoiner)+" ", " ")
}

// drawable says whether a font here has a letter.
func drawable(r rune) bool {
	t, ours := fyne.CurrentApp().Settings().Theme().(*Theme)
	return !ours || t.fonts == nil || t.fonts.have(r)
}

// fonts are the letters of the fonts that Fyne draws with: its own and those of
// the system, which are looked up when the first letter is asked for. They
// belong to Fyne's thread.
type fonts struct {
	own    []font.Cmap
	system []fontscan.Footprint
	known  map[rune]bool // of letters asked for before; nil before the first
}

// knownLetters is how many letters are remembered before that begins anew.
const knownLetters = 20_000

// have says whether any font has a letter. What is never drawn needs none, and
// where fonts cannot be read nothing is said to be missing.
func (f *fonts) have(r rune) bool {
	if r <= unicode.MaxLatin1 || harfbuzz.IsDefaultIgnorable(r) || unicode.Is(unicode.Zs, r) {
		return true
	}
	if f.known == nil {
		f.known = make(map[rune]bool)
		f.read()
	}
	has, asked := f.known[r]
	if !asked {
		if len(f.known) >= knownLetters {
			clear(f.known)
		}
		has = f.look(r)
		f.known[r] = has
	}
	return has
}

func (f *fonts) look(r rune) bool {
	for _, m := range f.own {
		if _, ok := m.Lookup(r); ok {
			return true
		}
	}
	for i := range f.system {
		if f.system[i].Runes.Contains(r) {
			return true
		}
	}
	return len(f.own) == 0
}

// read looks the fonts up. Those of the system Fyne has had listed already.
func (f *fonts) read() {
	for _, file := range []fyne.Resource{theme.DefaultTextFont(), theme.DefaultEmojiFont(), theme.DefaultSymbolFont()} {
		m, err := letters(file.Content())
		if err != nil {
			f.own = nil
			return
		}
		f.own = append(f.own, m)
	}
	if system, err := fontscan.SystemFonts(silence{}, ""); err == nil { // without one Fyne has its own only
		f.system = system
	}
}

// letters reads which letters a font has.
func letters(file []byte) (font.Cmap, error) {
	l, err := opentype.NewLoader(bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("open a font: %w", err)
	}
	raw, err := l.RawTable(opentype.MustNewTag("cmap"))
	if err != nil {
		return nil, fmt.Errorf("read the letters of a font: %w", err)
	}
	table, _, err := tables.ParseCmap(raw)
	if err != nil {
		return nil, fmt.Errorf("parse the letters of a font: %w", err)
	}
	m, _, err := font.ProcessCmap(table, tables.FPNone)
	if err != nil {
		return nil, fmt.Errorf("sort the letters of a font: %w", err)
	}
	return m, nil
}

// silence keeps the reader of fonts from writing about those it cannot read.
type silence struct{}

// Printf writes nothing.
func (silence) Printf(string, ...any) {}
