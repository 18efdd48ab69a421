package control

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
)

// maxSocketPath is how long the path of a Unix socket may be everywhere; the
// kernels end between 103 and 107 bytes.
const maxSocketPath = 100

// Listen opens the socket of a profile folder for a server. The caller holds
// the profile and has removed an old socket.
func Listen(ctx context.Context, profile string) (net.Listener, error) {
	path, done, err := socketPath(profile)
	if err != nil {
		return nil, err
	}
	defer done()
	var c net.ListenConfig
	l, err := c.Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen on the profile's socket: %w", err)
	}
	if u, ok := l.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false) // the path may have been a short name for it
	}
	return l, nil
}

func dialSocket(ctx context.Context, profile string) (net.Conn, error) {
	path, done, err := socketPath(profile)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: "unix", Err: err}
	}
	defer done()
	var d net.Dialer
	return d.DialContext(ctx, "unix", path)
}

// socketPath gives a path to the socket that the kernel takes. One that is too
// long goes through the open folder, which Linux offers under a short name;
// done lets go of it.
func socketPath(profile string) (path string, done func(), err error) {
	path, done = filepath.Join(profile, SocketName), func() {}
	if len(path) <= maxSocketPath || runtime.GOOS != "linux" {
		return path, done, nil
	}
	dir, err := os.Open(profile)
	if err != nil {
		return "", nil, fmt.Errorf("open the profile folder: %w", err)
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), SocketName), func() { _ = dir.Close() }, nil
}
