package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"
)

// save writes a stream from the node into the downloads folder, under a name
// that is not taken, and says where it is.
func (w *Window) save(name, ext string, open func(context.Context) (io.ReadCloser, error)) {
	name = fileName(name) + " " + w.now().Format("2006-01-02")
	w.do(func(ctx context.Context) error {
		in, err := open(ctx)
		if err != nil {
			return err
		}
		defer in.Close()
		folder := downloads()
		path, err := keep(folder, name, ext, in)
		if err != nil {
			return err
		}
		w.ui(func() { w.toast.say(w.tr("save.done"), path) })
		return nil
	})
}

// downloads is the folder where saved files are looked for.
func downloads() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return os.TempDir()
	}
	for _, name := range []string{"Downloads", "Téléchargements"} {
		if info, err := os.Stat(filepath.Join(home, name)); err == nil && info.IsDir() {
			return filepath.Join(home, name)
		}
	}
	return home
}

// keep writes in to a new file of the folder; what was written of a broken
// stream is removed.
func keep(folder, name, ext string, in io.Reader) (path string, err error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return "", fmt.Errorf("open downloads: %w", err)
	}
	defer root.Close()
	file, err := createNew(root, name, ext)
	if err != nil {
		return "", fmt.Errorf("create file: %w", err)
	}
	_, err = io.Copy(file, in)
	err = errors.Join(err, file.Close())
	if err != nil {
		return "", errors.Join(fmt.Errorf("save file: %w", err), root.Remove(filepath.Base(file.Name())))
	}
	return filepath.Join(folder, filepath.Base(file.Name())), nil
}

// createNew adds a number to the name until nothing has it.
func createNew(root *os.Root, name, ext string) (*os.File, error) {
	for n := 1; ; n++ {
		full := name + ext
		if n > 1 {
			full = fmt.Sprintf("%s (%d)%s", name, n, ext)
		}
		file, err := root.OpenFile(full, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil || !errors.Is(err, fs.ErrExist) || n == 1000 {
			return file, err
		}
	}
}

// fileName makes a person's name fit to be a file's: letters, digits, and
// what cannot be taken for a path.
func fileName(name string) string {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == ' ' || r == '-' || r == '_' {
			return r
		}
		return -1
	}, name)
	clean = strings.TrimSpace(clean)
	if runes := []rune(clean); len(runes) > 40 {
		clean = string(runes[:40])
	}
	if clean == "" {
		return "Entrenous"
	}
	return clean
}
