// Package direct calls functions of C where that is known to take less than a
// millisecond and to wait for nothing. It hides how one gets from Go's stacks
// to one that C can use.
//
// A call by cgo is announced to Go's scheduler, as one that may last. Whoever
// makes it a hundred times a second in a program that sleeps in between wakes
// the scheduler's watchman each time, a thread that has nothing to do but to
// fall asleep again: 65 µs of processor time beside the 50 that it costs to be
// woken at all. Go's own calls of the system's library on macOS are not
// announced either. What it costs is that nobody can stop the goroutine
// meanwhile: a collection of garbage waits for it.
//
// Stack is there on Linux on amd64; who builds for others calls by cgo.
package direct
