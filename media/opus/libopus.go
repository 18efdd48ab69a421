//go:build libopus && cgo

package opus

/*
#cgo pkg-config: opus
#include <opus.h>

// opus_encoder_ctl is variadic, which cgo cannot call.
static int encoder_set(OpusEncoder *e, int request, opus_int32 value) {
	return opus_encoder_ctl(e, request, value);
}
*/
import "C"

import (
	"fmt"
	"runtime"
	"unsafe"

	"github.com/entrenous/entrenous/media"
)

// The states are plain memory of Go, sized by the library: nothing to free.
type libopusEncoder struct {
	state []byte
	frame int
}

func newLibopusEncoder(c Config) (*libopusEncoder, error) {
	application := C.int(C.OPUS_APPLICATION_VOIP)
	if c.LowDelay {
		application = C.OPUS_APPLICATION_RESTRICTED_LOWDELAY
	}
	l := &libopusEncoder{state: make([]byte, int(C.opus_encoder_get_size(1)))}
	if code := C.opus_encoder_init(l.ptr(), media.Rate, 1, application); code != C.OPUS_OK {
		return nil, libopusError(code)
	}
	return l, nil
}

func (l *libopusEncoder) ptr() *C.OpusEncoder {
	return (*C.OpusEncoder)(unsafe.Pointer(&l.state[0]))
}

func (l *libopusEncoder) configure(c Config) error {
	vary, pause := 0, 0
	if c.SaveBandwidth {
		vary = 1
	}
	if c.SaveBandwidth && !c.gapless {
		pause = 1
	}
	complex, loss := c.effort()
	l.frame = c.Frame
	for _, set := range [][2]int{
		{C.OPUS_SET_BITRATE_REQUEST, c.Bitrate},
		{C.OPUS_SET_VBR_REQUEST, vary},
		{C.OPUS_SET_DTX_REQUEST, pause},
		{C.OPUS_SET_PACKET_LOSS_PERC_REQUEST, loss},
		{C.OPUS_SET_INBAND_FEC_REQUEST, 1},
		{C.OPUS_SET_COMPLEXITY_REQUEST, complex},
		{C.OPUS_SET_SIGNAL_REQUEST, C.OPUS_SIGNAL_VOICE},
	} {
		if code := C.encoder_set(l.ptr(), C.int(set[0]), C.opus_int32(set[1])); code != C.OPUS_OK {
			return libopusError(code)
		}
	}
	return nil
}

func (l *libopusEncoder) encode(pcm []float32, packet []byte) (int, error) {
	if len(pcm) != l.frame || len(packet) == 0 {
		return 0, fmt.Errorf("encode %d samples into %d bytes", len(pcm), len(packet))
	}
	n := C.opus_encode_float(l.ptr(), (*C.float)(&pcm[0]), C.int(len(pcm)),
		(*C.uchar)(&packet[0]), C.opus_int32(len(packet)))
	runtime.KeepAlive(l)
	if n < 0 {
		return 0, libopusError(n)
	}
	return int(n), nil
}

type libopusDecoder struct {
	state []byte
}

func newLibopusDecoder() (*libopusDecoder, error) {
	l := &libopusDecoder{state: make([]byte, int(C.opus_decoder_get_size(1)))}
	if code := C.opus_decoder_init(l.ptr(), media.Rate, 1); code != C.OPUS_OK {
		return nil, libopusError(code)
	}
	return l, nil
}

func (l *libopusDecoder) ptr() *C.OpusDecoder {
	return (*C.OpusDecoder)(unsafe.Pointer(&l.state[0]))
}

func (l *libopusDecoder) decode(packet []byte, pcm []float32) (int, error) {
	return l.run(packet, pcm, 0)
}

func (l *libopusDecoder) recover(packet []byte, pcm []float32) (int, error) {
	return l.run(packet, pcm, 1)
}

func (l *libopusDecoder) run(packet []byte, pcm []float32, fec C.int) (int, error) {
	if len(pcm) == 0 {
		return 0, fmt.Errorf("decode %d bytes: no room", len(packet))
	}
	var data *C.uchar
	if len(packet) > 0 {
		data = (*C.uchar)(&packet[0])
	}
	n := C.opus_decode_float(l.ptr(), data, C.opus_int32(len(packet)),
		(*C.float)(&pcm[0]), C.int(len(pcm)), fec)
	runtime.KeepAlive(l)
	if n < 0 {
		return 0, libopusError(n)
	}
	return int(n), nil
}

func libopusError(code C.int) error {
	return fmt.Errorf("libopus: %s", C.GoString(C.opus_strerror(code)))
}
