package ui

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
)

// A filePicker finds a file on the disk: the folders of one place at a time,
// and the files there that fit.
type filePicker struct {
	w     *Window
	icon  fyne.Resource
	empty string // said where there is nothing
	fits  func(name string) bool
	pick  func(path string)

	root  *fyne.Container
	place *text
	rows  *fyne.Container
	list  *container.Scroll
	here  string
}

// maxListed is how many things of one folder are shown.
const maxListed = 200

// pickPicture lets one choose a picture of a code.
func (w *Window) pickPicture(pick func(path string)) {
	v := &filePicker{w: w, icon: theme.FileImageIcon(), empty: w.tr("picture.empty"), fits: isPicture, pick: pick}
	v.show(w.tr("picture.title"))
}

// pickBackup lets one choose a backup.
func (w *Window) pickBackup(pick func(path string)) {
	v := &filePicker{w: w, icon: theme.FileIcon(), empty: w.tr("frombackup.none"), fits: isBackup, pick: pick}
	v.show(w.tr("frombackup.pick"))
}

// show opens the picker over the window.
func (v *filePicker) show(title string) {
	w := v.w
	v.place, v.rows = smallText("").oneLine(), newColumn(2)
	v.list = container.NewVScroll(v.rows)
	v.list.SetMinSize(fyne.NewSize(0, 320))
	v.root = newSheet(460, newCard(newColumn(12,
		newHeading(w, title),
		newEnds(v.place, secondaryButton(w.tr("picture.up"), func() { v.open(filepath.Dir(v.here)) })),
		v.list,
	)))
	w.modal(v.root)
	v.open(startFolder())
}

// startFolder is where files usually are that one was given.
func startFolder() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return string(filepath.Separator)
	}
	for _, name := range []string{"Downloads", "Téléchargements", "Pictures", "Images"} {
		if info, err := os.Stat(filepath.Join(home, name)); err == nil && info.IsDir() {
			return filepath.Join(home, name)
		}
	}
	return home
}

// open lists a folder, away from Fyne's thread: it may be on a slow disk.
func (v *filePicker) open(folder string) {
	v.here = folder
	v.place.set(folder)
	var found []os.DirEntry
	v.w.ask(func(context.Context) (err error) {
		found, err = v.listed(folder)
		return err
	}, func(err error) {
		if folder != v.here {
			return
		}
		v.rows.RemoveAll()
		if err != nil || len(found) == 0 {
			v.rows.Add(mutedText(v.empty))
		}
		for _, e := range found {
			v.rows.Add(v.row(e))
		}
		v.list.ScrollToTop()
		relayout(v.root)
	})
}

func (v *filePicker) row(e os.DirEntry) fyne.CanvasObject {
	path := filepath.Join(v.here, e.Name())
	if e.IsDir() {
		return newItem(theme.FolderIcon(), e.Name(), func() { v.open(path) })
	}
	return newItem(v.icon, e.Name(), func() {
		v.w.closeModal()
		v.pick(path)
	})
}

// listed gives the folders of a folder and the files that fit, hidden ones left
// out, folders first and each by name.
func (v *filePicker) listed(folder string) ([]os.DirEntry, error) {
	dir, err := os.Open(folder)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	var found []os.DirEntry
	for {
		some, err := dir.ReadDir(256)
		for _, e := range some {
			if !strings.HasPrefix(e.Name(), ".") && (e.IsDir() || v.fits(e.Name())) {
				found = append(found, e)
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(found, func(a, b os.DirEntry) int {
		if a.IsDir() != b.IsDir() {
			if a.IsDir() {
				return -1
			}
			return 1
		}
		return strings.Compare(strings.ToLower(a.Name()), strings.ToLower(b.Name()))
	})
	return found[:min(len(found), maxListed)], nil
}

func isPicture(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".png", ".jpg", ".jpeg", ".webp":
		return true
	}
	return false
}

func isBackup(name string) bool { return strings.EqualFold(filepath.Ext(name), backupExt) }
