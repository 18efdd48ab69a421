package app

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// startOver is when a window that was opened has its content and the drivers
// have built what they draw with, and when a node has met who is there.
const startOver = 3 * time.Second

// rest waits until the start is over and gives back what only the start needed.
func rest(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(startOver):
		return giveBack()
	}
}

// giveBack returns freed memory to the system, and lets go of all program code
// in memory: what runs again is read again from the system's cache. A window
// runs little of the code that its start ran, such as the shader compiler of a
// machine without a graphics card, or the setting up of all that the node
// needs, which is in the same program. A node that waits runs less still.
func giveBack() error {
	debug.FreeOSMemory()
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the program: %w", err)
	}
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return fmt.Errorf("look at the memory: %w", err)
	}
	defer f.Close()
	var m mapping
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), " ")
		switch {
		case !strings.HasSuffix(key, ":"):
			m = parseMapping(key, value)
		case key == "Anonymous:" && strings.TrimSpace(value) == "0 kB" && m.readable(self):
			if _, _, no := syscall.Syscall(syscall.SYS_MADVISE, m.from, m.to-m.from, syscall.MADV_DONTNEED); no != 0 {
				return fmt.Errorf("let go of %s: %w", m.file, no)
			}
		}
	}
	return lines.Err()
}

// mapping is a piece of a file in memory.
type mapping struct {
	from, to uintptr
	rights   string
	file     string
}

// parseMapping reads the head of a piece, "from-to rights offset device inode
// file", cut at its first space.
func parseMapping(span, rest string) (m mapping) {
	from, to, _ := strings.Cut(span, "-")
	a, badA := strconv.ParseUint(from, 16, 64)
	b, badB := strconv.ParseUint(to, 16, 64)
	field := strings.Fields(rest)
	if badA != nil || badB != nil || a >= b || len(field) < 5 {
		return mapping{}
	}
	return mapping{from: uintptr(a), to: uintptr(b), rights: field[0], file: field[4]}
}

// readable says whether the piece can be read again from its file as it is: it
// is code, or what our program never writes to. Constants of libraries are
// left alone: the loader writes to them before it locks them.
func (m mapping) readable(self string) bool {
	return m.rights == "r-xp" && strings.HasPrefix(m.file, "/") || m.rights == "r--p" && m.file == self
}
