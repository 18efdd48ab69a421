//go:build cgo

package device

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
	"unsafe"

	"github.com/gen2brain/malgo"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/device/pulse"
)

const periods = 2 // in the device's buffer

// systemBackends are tried in this order. Miniaudio's own null backend is left
// out: it would pretend that there is sound.
func systemBackends() []malgo.Backend {
	return []malgo.Backend{
		malgo.BackendWasapi, malgo.BackendDsound, malgo.BackendWinmm, malgo.BackendCoreaudio,
		malgo.BackendSndio, malgo.BackendAudio4, malgo.BackendOss,
		malgo.BackendPulseaudio, malgo.BackendAlsa, malgo.BackendJack,
	}
}

// backendsOf are those that may have the devices of s. The library's own way to
// sound servers keeps a file open for good whenever none answers: where a server
// is spoken to directly, it is left out, unless there may be one that only it knows.
func backendsOf(s Spec) []malgo.Backend {
	backends := systemBackends()
	if s.Scheme == "pulse" {
		backends = []malgo.Backend{malgo.BackendPulseaudio}
	}
	if s.serves() && !pulse.Elsewhere() {
		backends = slices.DeleteFunc(backends, func(b malgo.Backend) bool { return b == malgo.BackendPulseaudio })
	}
	return backends
}

// libraryList lists what the audio library finds.
func libraryList(s Spec) ([]Info, error) {
	ctx, err := connect(backendsOf(s))
	if err != nil {
		return nil, fmt.Errorf("list the sound devices: %w", err)
	}
	defer disconnect(ctx)
	var found []Info
	for _, kind := range []Kind{Microphone, Loudspeaker} {
		infos, err := ctx.Devices(kindOf(kind))
		if err != nil {
			return nil, fmt.Errorf("list the sound devices: %w", reason(err))
		}
		for i := range infos {
			id := idText(infos[i].ID)
			if isPlugin(id) {
				continue
			}
			found = append(found, Info{
				Kind: kind, ID: id, Name: infos[i].Name(), Default: infos[i].IsDefault != 0,
			})
		}
	}
	return found, nil
}

// isPlugin says whether ALSA lists a part of itself under a name, and no device:
// what discards or converts sound, and ways to servers that do not answer.
func isPlugin(id string) bool {
	return slices.Contains([]string{"null", "lavrate", "samplerate", "speexrate", "speex", "jack", "oss", "pulse", "upmix", "vdownmix"}, id)
}

func kindOf(k Kind) malgo.DeviceType {
	if k == Microphone {
		return malgo.Capture
	}
	return malgo.Playback
}

// idText writes an ID as the backend does where that is text, else in hex.
func idText(id malgo.DeviceID) string {
	raw := strings.TrimRight(string(id[:]), "\x00")
	plain := func(r rune) bool { return r > ' ' && r < 0x7f && r != ',' }
	if raw != "" && !strings.ContainsFunc(raw, func(r rune) bool { return !plain(r) }) {
		return raw
	}
	return "0x" + id.String()
}

// connect reaches the sound server. Each stream has its own connection: a dead
// one cannot be used again after the server was restarted.
func connect(backends []malgo.Backend) (*malgo.AllocatedContext, error) {
	if len(backends) == 0 { // which the library would take for all
		return nil, fmt.Errorf("%w: no sound server answers", ErrNoDevice)
	}
	ctx, err := malgo.InitContext(backends, malgo.ContextConfig{}, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: no sound system answers (%w)", ErrNoDevice, err)
	}
	return ctx, nil
}

func disconnect(ctx *malgo.AllocatedContext) {
	_ = ctx.Uninit()
	ctx.Free()
}

// reason turns the audio library's errors into ours.
func reason(err error) error {
	for _, r := range []struct {
		ours   error
		theirs []error
	}{
		{ErrNoDevice, []error{malgo.ErrNoDevice, malgo.ErrDoesNotExist, malgo.ErrNoBackend, malgo.ErrUnavailable, malgo.ErrConnectionRefused, malgo.ErrFailedToOpenBackendDevice}},
		{ErrBusy, []error{malgo.ErrBusy, malgo.ErrAlreadyInUse}},
		{ErrDenied, []error{malgo.ErrAccessDenied}},
	} {
		if slices.ContainsFunc(r.theirs, func(e error) bool { return errors.Is(err, e) }) {
			return fmt.Errorf("%w (%w)", r.ours, err)
		}
	}
	return fmt.Errorf("%w (%w)", ErrLost, err)
}

// libraryUnit is a device opened by the audio library, which calls back from a
// thread of its own.
type libraryUnit struct {
	*unit
	ctx  *malgo.AllocatedContext
	dev  *malgo.Device
	held held
}

// openLibrary opens the device id of a kind, the default one if id is empty, and starts it.
func openLibrary(s Spec, kind Kind, id string) (*unit, error) {
	ctx, err := connect(backendsOf(s))
	if err != nil {
		return nil, err
	}
	u := &libraryUnit{unit: newUnit(s, id), ctx: ctx}
	if err := u.start(kind, s.period()); err != nil {
		disconnect(ctx)
		return nil, err
	}
	u.delay, u.close = u.held.delay, u.shut
	u.await, u.wake = u.ring.await, func() {}
	return u.unit, nil
}

func (u *libraryUnit) start(kind Kind, period int) error {
	info, err := u.find(kind)
	if err != nil {
		return err
	}
	u.name, u.worn = info.Name(), worn("", "", info.Name())
	var pin runtime.Pinner // the library copies the ID before InitDevice returns
	defer pin.Unpin()
	cfg := malgo.DefaultDeviceConfig(kindOf(kind))
	cfg.SampleRate, cfg.PeriodSizeInFrames, cfg.Periods = media.Rate, uint32(period), periods
	cfg.PerformanceProfile = malgo.LowLatency
	u.held.asked = periods * media.Duration(period)
	side := &cfg.Playback
	if kind == Microphone {
		side = &cfg.Capture
	}
	side.Format, side.Channels = malgo.FormatF32, 1
	if u.id != "" {
		pin.Pin(&info.ID)
		side.DeviceID = unsafe.Pointer(&info.ID)
	}
	u.dev, err = malgo.InitDevice(u.ctx.Context, cfg, malgo.DeviceCallbacks{Data: u.data})
	if err != nil {
		return reason(err)
	}
	if err := u.dev.Start(); err != nil {
		u.dev.Uninit()
		return reason(err)
	}
	return nil
}

// find looks the device up, so that a missing one has a clear error and a name.
func (u *libraryUnit) find(kind Kind) (*malgo.DeviceInfo, error) {
	infos, err := u.ctx.Devices(kindOf(kind))
	if err != nil {
		return nil, reason(err)
	}
	for i := range infos {
		if u.id == idText(infos[i].ID) || u.id == "" && infos[i].IsDefault != 0 {
			return &infos[i], nil
		}
	}
	if u.id == "" && len(infos) > 0 {
		return &infos[0], nil
	}
	return nil, missing(kind, u.id)
}

// data runs on the device's thread.
func (u *libraryUnit) data(out, in []byte, _ uint32) {
	if len(out) >= 4 {
		x := unsafe.Slice((*float32)(unsafe.Pointer(&out[0])), len(out)/4)
		u.ring.take(x)
		u.held.add(len(x))
	}
	if len(in) >= 4 {
		u.ring.put(unsafe.Slice((*float32)(unsafe.Pointer(&in[0])), len(in)/4))
	}
}

// shut stops the device first: without that, the library waits for a thread
// that a dead PulseAudio stream never wakes.
func (u *libraryUnit) shut() {
	_ = u.dev.Stop()
	u.dev.Uninit()
	disconnect(u.ctx)
}

// held measures what lies between us and the air: what the device has taken
// beyond what can have been played since its first bite. The library does not
// say what the backend's buffers came to be.
type held struct {
	asked time.Duration // for the device's buffer

	mu    sync.Mutex
	first time.Time
	taken int
	least int
	count int
}

func (h *held) add(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	if h.first.IsZero() {
		h.first = now
	}
	h.taken += n
	h.count++
	over := h.taken - media.Samples(now.Sub(h.first))
	// The first bites fill the buffers; from the 20th on, the least is what stays in them.
	if h.count == 20 || h.count > 20 && h.count < 200 && over < h.least {
		h.least = over
	}
}

func (h *held) delay() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return max(media.Duration(h.least), h.asked)
}
