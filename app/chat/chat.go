// Package chat is what messages mean: events and how they are chained,
// signed, encoded and ordered, how many of them become one row of a timeline,
// and the frames in which two devices pass them on.
//
// It hides the encodings. It is pure: no network, no disk, no clock and no
// goroutine; time and keys are handed in, and the same events give the same
// rows on every device, in whatever order they came.
package chat
