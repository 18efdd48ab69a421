package transport

import (
	"errors"
	"log/slog"
	"os"

	"golang.org/x/sys/unix"
)

// watchInterfaces puts a token into stirred whenever the kernel says that a
// link or an address changed (rtnetlink(7)), until quit is closed. It costs
// nothing while nothing changes.
func watchInterfaces(quit <-chan struct{}, stirred chan<- struct{}, log *slog.Logger) {
	f, err := openRouteSocket()
	if err != nil {
		log.Debug("no route socket, looking every now and then", "err", err)
		pollInterfaces(quit, stirred)
		return
	}
	done := make(chan struct{})
	go func() { // ends with f
		defer close(done)
		buf := make([]byte, 1<<16)
		for {
			// What changed does not matter: the reader compares addresses. An
			// overflow of the socket is a change too.
			if _, err := f.Read(buf); err != nil && !errors.Is(err, unix.ENOBUFS) {
				return
			}
			stir(stirred)
		}
	}()
	<-quit
	_ = f.Close()
	<-done
}

func openRouteSocket() (*os.File, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	groups := uint32(unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR)
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		_ = unix.Close(fd)
		return nil, os.NewSyscallError("bind", err)
	}
	return os.NewFile(uintptr(fd), "rtnetlink"), nil
}
