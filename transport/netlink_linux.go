package transport

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// watchInterfaces puts a token into stirred whenever the kernel says that a
// link, an address or a route changed (rtnetlink(7)), until quit is closed. It costs
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
			// What changed does not matter: the reader compares addresses and ways
			// out. An overflow of the socket is a change too.
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
	groups := uint32(unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR | unix.RTMGRP_IPV4_ROUTE | unix.RTMGRP_IPV6_ROUTE)
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		_ = unix.Close(fd)
		return nil, os.NewSyscallError("bind", err)
	}
	return os.NewFile(uintptr(fd), "rtnetlink"), nil
}

// waysOut lists the default routes of the main table, by gateway, interface and
// metric: what takes another way out is seen at another address outside, although
// none of this machine's own changed.
func waysOut() (out []string) {
	rib, err := syscall.NetlinkRIB(syscall.RTM_GETROUTE, syscall.AF_UNSPEC)
	if err != nil {
		return nil
	}
	routes, err := syscall.ParseNetlinkMessage(rib)
	if err != nil {
		return nil
	}
	for i := range routes {
		// struct rtmsg: family, dst_len, src_len, tos, table, protocol, scope, type.
		r := routes[i].Data
		if routes[i].Header.Type != syscall.RTM_NEWROUTE || len(r) < syscall.SizeofRtMsg ||
			r[1] != 0 || r[4] != syscall.RT_TABLE_MAIN || r[7] != syscall.RTN_UNICAST {
			continue
		}
		attrs, err := syscall.ParseNetlinkRouteAttr(&routes[i])
		if err != nil {
			continue
		}
		way := "way out"
		for _, a := range attrs {
			switch a.Attr.Type {
			case syscall.RTA_GATEWAY, syscall.RTA_OIF, syscall.RTA_PRIORITY:
				way += fmt.Sprintf(" %x", a.Value)
			}
		}
		out = append(out, way)
	}
	return out
}
