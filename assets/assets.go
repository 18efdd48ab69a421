// Package assets holds what the program brings along: the mark, the tray
// icons and the words of each language. It hides that they are embedded.
package assets

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
)

//go:embed icons words
var files embed.FS

// Languages are the languages that have words, the fallback first.
func Languages() []string { return []string{"en", "fr"} }

// Words gives the sentences of a language by key, from all of its files. A key
// defined twice is an error, so that no file can shadow another.
func Words(lang string) (map[string]string, error) {
	names, err := fs.Glob(files, path.Join("words", lang, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("list words of %q: %w", lang, err)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("list words of %q: no such language", lang)
	}
	all := make(map[string]string)
	for _, name := range names {
		if err := merge(all, name); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func merge(all map[string]string, name string) error {
	b, err := files.ReadFile(name)
	if err != nil {
		return fmt.Errorf("read words: %w", err)
	}
	var some map[string]string
	if err := json.Unmarshal(b, &some); err != nil {
		return fmt.Errorf("read words in %s: %w", name, err)
	}
	for k, v := range some {
		if _, twice := all[k]; twice {
			return fmt.Errorf("read words in %s: %q is defined twice", name, k)
		}
		all[k] = v
	}
	return nil
}

// Icon is the mark as a square PNG of 512 pixels.
func Icon() []byte { return icon("mark.png") }

// IconSVG is the mark as a square SVG.
func IconSVG() []byte { return icon("mark.svg") }

// Tray is the tray icon, a PNG of 64 pixels, with a dot when something is
// unread. It is light with a dark rim, because nobody tells of what colour the
// panel is.
func Tray(unread bool) []byte {
	if unread {
		return icon("tray-unread.png")
	}
	return icon("tray.png")
}

// icon reads a file that the compiler embedded; only a wrong name, which the
// tests would find, can make it fail.
func icon(name string) []byte {
	b, err := files.ReadFile("icons/" + name)
	if err != nil {
		return nil
	}
	return b
}

// Smile is a face as an SVG in one ink, for the emoji button.
func Smile() []byte { return icon("smile.svg") }

// Phone is a handset as an SVG in one ink, for the call button.
func Phone() []byte { return icon("phone.svg") }
