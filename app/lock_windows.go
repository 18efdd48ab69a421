package app

import (
	"os"

	"golang.org/x/sys/windows"
)

// lockFile locks f until it is closed or the process ends, however it ends.
func lockFile(f *os.File) error {
	var at windows.Overlapped
	at.Offset = 1 << 20 // beyond the text, which others may read
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &at)
}
