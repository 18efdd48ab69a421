package app_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/entrenous/entrenous/app/control"
	"github.com/entrenous/entrenous/identity"
)

// That a friend's words are only ever words, proved: they name machines, files
// and programs, and whoever reads them is on a machine of its own, every packet
// of which is looked at, beside files that are watched.

// stranger hosts that the words name. The kernel knows where they are on the
// cable, so that whoever wants to speak to them is heard at the first packet.
const (
	luredTo4 = "10.77.0.66"
	luredTo6 = "fd77::66"
)

// lures are files, a program and machines that nobody has a reason to touch.
type lures struct {
	t      *testing.T
	folder string // with photo.png and secret.txt
	bin    string // with the program that opens addresses
	watch  int    // inotify(7)
	ear    *ear
	friend netip.AddrPort
}

// newLures lays them out on the first machine of a cable. Its friend is on the
// second.
func newLures(t *testing.T, c *cable) *lures {
	t.Helper()
	l := &lures{t: t, folder: t.TempDir(), bin: t.TempDir(), friend: netip.MustParseAddrPort("10.77.0.2:4001")}
	c.ip("-n", c.names[0], "neigh", "add", luredTo4, "lladdr", "02:00:00:00:00:66", "dev", "eth0")
	c.ip("-n", c.names[0], "neigh", "add", luredTo6, "lladdr", "02:00:00:00:00:66", "dev", "eth0")
	var photo bytes.Buffer
	must(t, png.Encode(&photo, image.NewGray(image.Rect(0, 0, 64, 64))))
	must(t, os.WriteFile(filepath.Join(l.folder, "photo.png"), photo.Bytes(), 0o600))
	must(t, os.WriteFile(filepath.Join(l.folder, "secret.txt"), []byte("for nobody"), 0o600))
	must(t, os.WriteFile(filepath.Join(l.bin, "xdg-open"), []byte("#!/bin/sh\n"), 0o700)) //nolint:gosec // a program

	var err error
	l.watch, err = unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	must(t, err)
	t.Cleanup(func() { _ = unix.Close(l.watch) })
	for _, dir := range []string{l.folder, l.bin} {
		_, err := unix.InotifyAddWatch(l.watch, dir, unix.IN_ALL_EVENTS)
		must(t, err)
	}
	l.ear = c.listen(c.names[0], l.expected)
	l.isAwake(c)
	return l
}

// expected are packets to the friend, and what a kernel says to its own cable:
// to routers, of its groups, and whether an address is taken. It has no need to
// ask for those that the words name.
func (l *lures) expected(to netip.AddrPort) bool {
	group := to.Addr()
	return to == l.friend || group == netip.MustParseAddr("ff02::2") || group == netip.MustParseAddr("ff02::16") || netip.MustParsePrefix("ff02::1:ff00:0/104").Contains(group)
}

// isAwake touches a file and a machine, and sees that it is noticed.
func (l *lures) isAwake(c *cable) {
	l.t.Helper()
	_, err := os.ReadFile(filepath.Join(l.folder, "secret.txt"))
	must(l.t, err)
	if len(l.touched()) == 0 {
		l.t.Fatal("a file is read, and nobody sees it")
	}
	for _, to := range []string{net.JoinHostPort(luredTo4, "80"), net.JoinHostPort(luredTo6, "80")} {
		c.inside(c.names[0], func() error {
			conn, err := (&net.Dialer{}).DialContext(l.t.Context(), "udp", to)
			if err != nil {
				return err
			}
			_, err = conn.Write([]byte("anybody?"))
			return errors.Join(err, conn.Close())
		})
		eventually(l.t, "a packet to "+to+" is heard", func() bool {
			stray, _ := l.ear.heard()
			return slices.ContainsFunc(stray, func(s string) bool { return strings.HasSuffix(s, to) })
		})
	}
}

// touched are the files of the lures that were opened, read or run, or the
// folders looked into, since it was last asked.
func (l *lures) touched() (names []string) {
	buf := make([]byte, 1<<16)
	for {
		n, err := unix.Read(l.watch, buf)
		if err != nil || n <= 0 {
			return names
		}
		for rest := buf[:n]; len(rest) >= unix.SizeofInotifyEvent; {
			size := int(rest[12]) | int(rest[13])<<8 // of the name, padded with zeros
			name := rest[unix.SizeofInotifyEvent : unix.SizeofInotifyEvent+size]
			names = append(names, "“"+strings.TrimRight(string(name), "\x00")+"”")
			rest = rest[unix.SizeofInotifyEvent+size:]
		}
	}
}

// untouched fails if anything that the words name was used.
func (l *lures) untouched() {
	l.t.Helper()
	if names := l.touched(); len(names) > 0 {
		l.t.Errorf("%d times something was touched that only the words name: %s", len(names), names[0])
	}
	stray, near := l.ear.heard()
	if len(stray) > 0 {
		l.t.Errorf("%d packets went elsewhere than to the friend, the first %s", len(stray), stray[0])
	}
	if near < 50 {
		l.t.Errorf("only %d packets were heard: the ear is deaf", near)
	}
}

// words are what a friend writes, in every form that some program somewhere
// takes for an invitation to look.
func (l *lures) words() []string {
	file, uri := filepath.Join(l.folder, "photo.png"), "file://"+filepath.Join(l.folder, "photo.png")
	invite := identity.Invite{
		Person: identity.FromSeed(identity.NewSeed()).ID(),
		Hints:  []identity.Hint{{Kind: identity.HintAddr, Value: "/ip4/" + luredTo4 + "/udp/4001/quic-v1/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"}},
	}
	out := []string{
		invite.String(), file, filepath.Join(l.folder, "secret.txt"), l.bin + "/xdg-open", "`" + l.bin + "/xdg-open`", "$(" + l.bin + "/xdg-open)",
		`\\` + luredTo4 + `\share\photo.png`, `\\evil.example\share`, "//" + luredTo4 + "/share",
		"<img src=\"http://" + luredTo4 + "/x.png\">", "<img src=\"" + uri + "\"><iframe src=//evil.example></iframe>",
		"<meta http-equiv=refresh content=\"0;url=http://" + luredTo4 + "/\">", "\x1b]8;;http://" + luredTo4 + "/\x07here\x1b]8;;\x07",
		"[look](" + uri + ") [here](http://" + luredTo4 + "/) <http://" + luredTo6 + ">", "[x]: http://evil.example/x.png\n![][x]",
		"http://еxample.com/ http://xn--xample-2of.com/ https://例え.テスト/ http://evil.example@" + luredTo4 + "/", "www.evil.example evil.example/x.png",
	}
	for _, to := range []string{
		uri, "http://" + luredTo4 + "/pixel.png", "https://" + luredTo4 + ":8443/pixel.svg", "http://[" + luredTo6 + "]/pixel.png", "http://127.0.0.1:9/x",
		"http://localhost:631/", "http://11.9.9.9/x.gif", "https://evil.example/favicon.ico", "http://printer.local/", "ftp://evil.example/x", "smb://" + luredTo4 + "/share/photo.png",
		"nfs://" + luredTo4 + "/x", "mailto:ana@evil.example?subject=x", "magnet:?xt=urn:btih:c12fe1c06bba254a9dc9f519b335aa7c1367a88a&tr=udp://" + luredTo4 + ":6969",
		"data:image/png;base64,iVBORw0KGgo=", "javascript:fetch('http://" + luredTo4 + "/')", "xmpp:a@evil.example", "tel:+15550100", "ssh://evil.example",
	} {
		out = append(out, to, "![a picture]("+to+")")
	}
	many := make([]string, 1000)
	for i := range many {
		many[i] = fmt.Sprintf("http://%s/%d.png", luredTo4, i)
	}
	return append(out, strings.Join(many, " "), strings.Join(many[:500], "\n"))
}

// toldTo has a friend write all the words, under a name that is a lure as well,
// in every way that text comes in.
func (l *lures) toldTo(ana, bo *person) {
	l.t.Helper()
	api := bo.api()
	for _, text := range l.words() {
		_, err := api.Send(l.t.Context(), ana.id, control.NewMessage{Text: text, Wait: control.Delivered})
		must(l.t, err)
	}
	link := "http://" + luredTo4 + "/late.png"
	id := bo.send(ana, "soon something else")
	bo.ok("edit", id, "![]("+link+")")
	bo.ok("reply", id, "re: "+link)
	bo.ok("react", id, "🖼")
	bo.send(ana, "many follow")
	lines := strings.Repeat("a line with "+link+" in it\n", 300)
	if a := bo.try(lines, "send", "Ana", "-", "--lines", "--wait", "delivered"); a.code != 0 {
		l.t.Fatal(a.err)
	}
	choices, err := api.Settings(l.t.Context())
	must(l.t, err)
	choices.Name = "http://" + luredTo4
	_, err = api.PutSettings(l.t.Context(), choices)
	must(l.t, err)
	eventually(l.t, "the name is known", func() bool {
		c, err := ana.api().Contact(l.t.Context(), bo.id)
		return err == nil && c.OwnName == choices.Name
	})
}

// pair are a reader on the first machine and a writer on the second, friends.
func (l *lures) pair(c *cable, args ...string) (ana, bo *person) {
	l.t.Helper()
	ana, bo = newPerson(l.t, "Ana"), newPerson(l.t, "Bo")
	for i, p := range []*person{ana, bo} {
		c.at(i, p, append(args, "--no-lan", "--no-port-mapping", "--listen", fmt.Sprintf("/ip4/10.77.0.%d/udp/4001/quic-v1", i+1))...)
	}
	befriend(ana, bo)
	return ana, bo
}

func TestWhatAFriendWritesIsReadByCommandsAndNothingIsFetched(t *testing.T) {
	c := newCable(t)
	l := newLures(t, c)
	ana, bo := l.pair(c)
	defer l.untouched()
	watch := start(t, ana.command("watch"))
	told := start(t, ana.command("watch", "--json"))
	l.toldTo(ana, bo)
	for _, args := range [][]string{
		{"contacts"},
		{"history", bo.id, "--limit", "1000"},
		{"search", "pixel"},
		{"search", "photo.png"},
		{"export", bo.id},
		{"verify", bo.id},
		{"rename", bo.id, "Bo"},
		{"read", "Bo"},
		{"status"},
		{"doctor"},
	} {
		if out := ana.ok(args...) + strings.Join(ana.lines(args...), ""); args[0] == "history" && !strings.Contains(out, luredTo4+"/pixel.png") {
			t.Error("the history lacks what the friend wrote")
		}
	}
	must(t, os.WriteFile(filepath.Join(filepath.Dir(ana.dir), "p"), []byte("a passphrase\n"), 0o600))
	ana.ok("backup", filepath.Join(filepath.Dir(ana.dir), "b"), "--passphrase-file", filepath.Join(filepath.Dir(ana.dir), "p"))
	for _, w := range []*running{watch, told} {
		eventually(t, "the watch has told of it", func() bool { return strings.Contains(w.out.String(), "late.png") })
	}
}
