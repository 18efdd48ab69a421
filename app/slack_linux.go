//go:build cgo && !headless

package app

// Timers may be late by half a millisecond, so that fewer of them wake the
// processor. Go's own watch over its threads sleeps for 20 µs at a time as long
// as anything runs: in a call that alone cost some percent of a core. The price
// is up to that half millisecond of delay, and a tenth of the messages a second.
// It is set before Go's first thread begins, as threads inherit it.

/*
#include <sys/prctl.h>

__attribute__((constructor)) static void coarse_timers(void) { prctl(PR_SET_TIMERSLACK, 500000UL, 0, 0, 0); }
*/
import "C"
