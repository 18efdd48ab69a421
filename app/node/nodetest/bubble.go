package nodetest

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// patience is the real time a story may take; the slowest takes a tenth of it
// on a busy machine.
const patience = 6 * time.Minute

// bubble runs a story in virtual time. In a bubble a clock stands still while
// anybody waits for something that is not of the bubble, a mutex for example;
// if its owner waits for the clock, the story never ends. So somebody outside
// watches, and tells where everybody stood.
func bubble(t *testing.T, story func(t *testing.T)) {
	t.Helper()
	if racing {
		// The detector has one context for all timers of a bubble, and crashes when
		// two processors run some at once (unlockAndRun in runtime/time.go, Go 1.26).
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	}
	name := t.Name()
	watch := time.AfterFunc(patience, func() {
		stacks := make([]byte, 16<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		fmt.Fprintf(os.Stderr, "%s\n", stacks)
		panic(fmt.Sprintf("%s stands still after %v. Of our own code:\n%s", name, patience, briefly(string(stacks))))
	})
	defer watch.Stop()
	synctest.Test(t, story)
}

var ourCall = regexp.MustCompile(`(?m)^github\.com/entrenous/entrenous/(\S+)\(.*\n\s+\S+/([^/\s]+:\d+)`)

// briefly gives a line for each goroutine in a bubble that is in our code:
// what it waits for and the innermost of our calls.
func briefly(stacks string) string {
	var b strings.Builder
	for g := range strings.SplitSeq(stacks, "\n\n") {
		head, _, _ := strings.Cut(g, "\n")
		if m := ourCall.FindStringSubmatch(g); m != nil && strings.Contains(head, "synctest bubble") {
			fmt.Fprintf(&b, "%s %s %s\n", head, m[1], m[2])
		}
	}
	return b.String()
}
