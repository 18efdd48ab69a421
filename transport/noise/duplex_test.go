package noise

import (
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
)

// pause is an error that says of itself what yamux's and QUIC's say.
type pause struct{ timeout, temporary bool }

func (pause) Error() string     { return "pause" }
func (p pause) Timeout() bool   { return p.timeout }
func (p pause) Temporary() bool { return p.temporary }

func TestOnlyDeadlinesCanBeWaitedOut(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"deadline of a net.Conn":   {&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, true},
		"deadline of yamux":        {fmt.Errorf("read: %w", pause{true, true}), true},
		"idle QUIC connection":     {pause{true, false}, false},
		"TCP gave up":              {&net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ETIMEDOUT)}, false},
		"end":                      {io.EOF, false},
		"reset":                    {&net.OpError{Op: "read", Err: syscall.ECONNRESET}, false},
		"temporary but no timeout": {pause{false, true}, false},
	} {
		if got := timedOut(c.err); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
