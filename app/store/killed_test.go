package store_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/entrenous/entrenous/app/store"
)

// writingChild is set in the process that TestKilledWhileWriting kills.
const writingChild = "ENTRENOUS_TEST_WRITE_TO"

func TestWritesUntilKilled(t *testing.T) {
	dir := os.Getenv(writingChild)
	if dir == "" {
		t.Skip("runs only as a child of the next test")
	}
	s := open(t, dir)
	tips, err := s.Tips(talk)
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	if len(tips) == 1 {
		i = int(tips[0].Seq)
	}
	for i++; ; i++ {
		if err := numbered(t.Context(), s, i); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Printf("wrote %d\n", i); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAKilledProcessLosesAndDoublesNothing(t *testing.T) {
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(3, 4))
	acked := 0
	for range rounds(t, 3, 10) {
		acked = writeAndKill(t, dir, acked+rng.IntN(6))
		s, err := store.Open(t.Context(), config(dir))
		if err != nil {
			t.Fatal(err)
		}
		wantNumbered(t, s, acked)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// writeAndKill lets another process write until it has acknowledged a message
// beyond some number, kills it, and returns the last number acknowledged.
func writeAndKill(tb testing.TB, dir string, beyond int) (acked int) {
	tb.Helper()
	child := exec.CommandContext(tb.Context(), os.Args[0], "-test.run=^TestWritesUntilKilled$")
	child.Env = append(os.Environ(), writingChild+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := child.Start(); err != nil {
		tb.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	var said []string
	for lines.Scan() {
		if n, ok := strings.CutPrefix(lines.Text(), "wrote "); ok {
			if acked, err = strconv.Atoi(n); err != nil {
				tb.Fatal(err)
			}
		}
		said = append(said, lines.Text())
		if acked > beyond {
			_ = child.Process.Kill()
			beyond = 1 << 30 // read on to what it still said
		}
	}
	_ = child.Wait()
	if acked == 0 {
		tb.Fatalf("the child wrote nothing: %q", said)
	}
	return acked
}
