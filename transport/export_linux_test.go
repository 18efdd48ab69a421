package transport

import "time"

// ArrivalOf is when a packet came, of the control messages that came with it.
func ArrivalOf(control []byte, now time.Time) time.Time { return arrival(control, now) }
