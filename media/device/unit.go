package device

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/device/pulse"
)

const answers = 2 * time.Second // what a sound server may take to answer

// period is how many samples a device moves at once: 10 ms, with LowLatency 5.
// Two of them are a device's buffer.
func (s Spec) period() int {
	if s.LowLatency {
		return media.Tick / 2
	}
	return media.Tick
}

// lead is how long before a bite its tick is laid down at least: when the device
// takes the bite before, which needs no timer.
func (s Spec) lead() time.Duration { return media.Duration(s.period()) }

// unit is one opened device with its connection and its ring.
type unit struct {
	ring  *ring
	id    string // of the device, empty for the default
	name  string
	worn  bool                                                 // on the ears
	delay func() time.Duration                                 // between the ring and the air
	await func(most time.Duration, done <-chan struct{}) error // until the ring has moved; an error says that the device is gone, which some never say
	look  func() error                                         // await without waiting; nil where there is none
	wake  func()                                               // ends await for good
	close func()
}

func newUnit(s Spec, id string) *unit {
	return &unit{id: id, ring: newRing(ringSize, s.lead())}
}

func missing(kind Kind, id string) error {
	if id == "" {
		return fmt.Errorf("%w: there is no %s", ErrNoDevice, kind)
	}
	return fmt.Errorf("%w: there is no %s %q", ErrNoDevice, kind, id)
}

// openUnit opens the device id of a kind, the default one if id is empty. A
// sound server is spoken to directly; the audio library opens everything else.
func openUnit(s Spec, kind Kind, id string) (*unit, error) {
	if s.serves() {
		u, err := openServed(s, kind, id)
		if !errors.Is(err, pulse.ErrNoServer) {
			return u, err
		}
	}
	return openLibrary(s, kind, id)
}

// worn says whether a device of a form, as its sound server calls it, is worn
// on the ears, or what is in the socket of it that is in use. Where the server
// does not say, its name may.
func worn(form, port, name string) bool {
	switch form {
	case "headset", "headphone":
		return true
	case "", "internal":
		return soundsWorn(port) || soundsWorn(name)
	}
	return false
}

func soundsWorn(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc([]string{"headset", "headphone", "earphone", "earbud", "earpod", "airpod", "casque", "écouteur"}, func(word string) bool {
		return strings.Contains(name, word)
	})
}

// List finds every device that could be opened now.
func List() ([]Info, error) { return list(Spec{Scheme: "system"}) }

func list(s Spec) (infos []Info, err error) {
	err = pulse.ErrNoServer
	if s.serves() {
		infos, err = servedList()
	}
	if errors.Is(err, pulse.ErrNoServer) {
		infos, err = libraryList(s)
	}
	tellApart(infos)
	return infos, err
}

// tellApart numbers devices of one kind that share a name, two equal headsets for
// instance: in the order of their ids, so that a number stays with its device.
func tellApart(infos []Info) {
	type shared struct {
		kind Kind
		name string
	}
	same := map[shared][]*Info{}
	for i := range infos {
		key := shared{infos[i].Kind, infos[i].Name}
		same[key] = append(same[key], &infos[i])
	}
	for _, few := range same {
		if len(few) == 1 {
			continue
		}
		slices.SortFunc(few, func(a, b *Info) int { return strings.Compare(a.ID, b.ID) })
		for n, d := range few {
			d.Name = fmt.Sprintf("%s (%d)", d.Name, n+1)
		}
	}
}

// serves says whether devices of s may be those of a sound server.
func (s Spec) serves() bool {
	return s.Scheme == "pulse" || runtime.GOOS != "darwin" && runtime.GOOS != "windows"
}

func servedList() ([]Info, error) {
	c, err := pulse.Dial(answers)
	if err != nil {
		return nil, fmt.Errorf("list the sound devices: %w", servedReason(err))
	}
	defer func() { _ = c.Close() }()
	var found []Info
	for _, kind := range []Kind{Microphone, Loudspeaker} {
		devices, err := served(c, kind)
		if err != nil {
			return nil, err
		}
		for _, d := range devices {
			found = append(found, Info{Kind: kind, ID: d.Name, Name: d.Text, Default: d.Default})
		}
	}
	return found, nil
}

func served(c *pulse.Conn, kind Kind) (devices []pulse.Device, err error) {
	if kind == Microphone {
		devices, err = c.Sources()
	} else {
		devices, err = c.Sinks()
	}
	if err != nil {
		return nil, servedReason(err)
	}
	return devices, nil
}

// servedReason turns the sound server's errors into ours. That there is none stays.
func servedReason(err error) error {
	switch {
	case errors.Is(err, pulse.ErrNoServer):
		return err
	case errors.Is(err, pulse.ErrNoDevice):
		return fmt.Errorf("%w (%w)", ErrNoDevice, err)
	case errors.Is(err, pulse.ErrBusy):
		return fmt.Errorf("%w (%w)", ErrBusy, err)
	case errors.Is(err, pulse.ErrDenied):
		return fmt.Errorf("%w (%w)", ErrDenied, err)
	}
	return fmt.Errorf("%w (%w)", ErrLost, err)
}

// openServed opens a device of the sound server.
func openServed(spec Spec, kind Kind, id string) (*unit, error) {
	c, err := pulse.Dial(answers)
	if err != nil {
		return nil, servedReason(err)
	}
	u := newUnit(spec, id)
	s, err := u.serve(c, kind, spec.period())
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	u.delay = func() time.Duration { return s.Latency }
	// Who waits for a tick listens to the server itself: a goroutine between
	// them would be woken as often, and then wake the other.
	u.await = func(most time.Duration, _ <-chan struct{}) error {
		return c.Hear(time.Now().Add(most), u.ring.put, u.ring.bite)
	}
	u.close = func() { _ = c.Close() }
	u.wake = u.close
	if kind == Loudspeaker && !spec.LowLatency && c.Quiet() {
		u.look = func() error {
			defer u.ring.looked()
			return c.Look(u.ring.put, u.ring.bitten)
		}
	}
	return u, nil
}

func (u *unit) serve(c *pulse.Conn, kind Kind, period int) (s pulse.Stream, err error) {
	devices, err := served(c, kind)
	if err != nil {
		return s, err
	}
	// Where there is no microphone the server offers what a loudspeaker plays in
	// its place. Who speaks does not want to be heard by that; only somebody
	// who has a microphone means it.
	if u.id == "" && !slices.ContainsFunc(devices, func(d pulse.Device) bool { return !d.Monitor }) {
		devices = nil
	}
	for _, d := range devices {
		if d.Name == u.id || u.id == "" && (d.Default || u.name == "") {
			u.name, u.worn = d.Text, worn(d.Form, d.Port, d.Text)
		}
	}
	if u.name == "" {
		return s, missing(kind, u.id)
	}
	if kind == Microphone {
		s, err = c.Record(u.id, media.Rate, media.Tick)
		s.Latency -= min(s.Latency, media.Duration(media.Tick)) // its piece is the tick being collected
	} else {
		u.ring.out = c.Write
		s, err = c.Play(u.id, media.Rate, period)
	}
	if err != nil {
		return s, servedReason(err)
	}
	return s, nil
}
