package nodetest_test

import (
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/entrenous/entrenous/app/call"
	"github.com/entrenous/entrenous/app/node/nodetest"
)

// leavings are what a process holds.
type leavings struct {
	goroutines, files int
	heap              uint64
}

func holds(t *testing.T, town *nodetest.Town) leavings {
	t.Helper()
	town.Pass(10 * time.Minute) // what a call leaves to time
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil && runtime.GOOS == "linux" {
		t.Fatal(err)
	}
	var m runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return leavings{goroutines: runtime.NumGoroutine(), files: len(files), heap: m.HeapAlloc}
}

// TestManyCallsInARowLeaveNothingBehind makes ENTRENOUS_CALLS calls, 30 if that
// is not set, after as many as fill what is remembered of calls.
func TestManyCallsInARowLeaveNothingBehind(t *testing.T) {
	calls := 30
	if n, err := strconv.Atoi(os.Getenv("ENTRENOUS_CALLS")); err == nil {
		calls = n
	}
	nodetest.Run(t, func(town *nodetest.Town) {
		alice, bob := friends(town, true)
		speak := func(n int) {
			for i := range n {
				people := []*nodetest.Person{alice, bob}
				id := alice.Call(bob)
				alice.WantCall(id, call.Active)
				town.Within(5*time.Second, "both hear something", func() bool { return alice.Hears(id) > 0 && bob.Hears(id) > 0 })
				people[i%2].HangUp(id)
				alice.WantEnded(id, call.Completed)
				bob.WantEnded(id, call.Completed)
				town.Pass(time.Second) // who calls without a breath is taken for hostile
			}
		}
		speak(20)
		before := holds(t, town)
		speak(calls)
		after := holds(t, town)
		t.Logf("%d calls: goroutines %d and %d, files %d and %d, heap %d and %d KiB", calls,
			before.goroutines, after.goroutines, before.files, after.files, before.heap>>10, after.heap>>10)
		if after.goroutines > before.goroutines || after.files > before.files {
			t.Errorf("before %+v, after %+v", before, after)
		}
		// The book remembers the ids of 4,096 calls, 16 bytes each.
		if grown := int64(after.heap) - int64(before.heap); grown > 1<<20+int64(calls)*64 {
			t.Errorf("the heap has grown by %d KiB", grown>>10)
		}
	})
}
