package device

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/entrenous/entrenous/media"
)

// ErrWAV is what a file gives that is no WAV file, or one of a kind that is not read here.
var ErrWAV = errors.New("not a WAV file of 16-bit or float samples")

const (
	wavMost       = 256 << 20 // bytes of samples
	wavSeconds    = 30 * 60   // seconds after resampling
	wavChunks     = 100       // a file has four or five
	wavFormatMost = 40        // of WAVE_FORMAT_EXTENSIBLE
	wavRateLeast  = 4000      // Hz
	wavRateMost   = 384000    // Hz
	wavChannels   = 16        // at most
	wavPCM        = 1         // WAVE_FORMAT_PCM
	wavFloat      = 3         // WAVE_FORMAT_IEEE_FLOAT
	wavExtensible = 0xfffe    // WAVE_FORMAT_EXTENSIBLE
)

type wavFormat struct {
	tag, channels, bits int
	rate                int
}

// ReadWAV reads a whole WAV file of 16-bit integers or 32-bit floats, resampled from any
// rate
// from 4 to 384 kHz, any number of channels up to 16 (mixed to one). It reads
// at most 256 MiB and half an hour; a file that ends early gives what is there.
func ReadWAV(r io.Reader) ([]float32, error) {
	var head [12]byte
	if _, err := io.ReadFull(r, head[:]); err != nil || string(head[:4]) != "RIFF" || string(head[8:]) != "WAVE" {
		return nil, fmt.Errorf("%w: no RIFF header", ErrWAV)
	}
	var f *wavFormat
	for range wavChunks {
		var chunk [8]byte
		if _, err := io.ReadFull(r, chunk[:]); err != nil {
			return nil, fmt.Errorf("%w: it ends before its samples", ErrWAV)
		}
		size := int64(binary.LittleEndian.Uint32(chunk[4:]))
		switch string(chunk[:4]) {
		case "fmt ":
			got, err := readWAVFormat(r, size)
			if err != nil {
				return nil, err
			}
			f = &got
		case "data":
			if f == nil {
				return nil, fmt.Errorf("%w: samples before their format", ErrWAV)
			}
			return readWAVData(r, size, *f)
		default:
			if _, err := io.CopyN(io.Discard, r, size+size%2); err != nil {
				return nil, fmt.Errorf("%w: it ends before its samples", ErrWAV)
			}
		}
	}
	return nil, fmt.Errorf("%w: more than %d parts", ErrWAV, wavChunks)
}

func readWAVFormat(r io.Reader, size int64) (wavFormat, error) {
	if size < 16 || size > wavFormatMost {
		return wavFormat{}, fmt.Errorf("%w: a format of %d bytes", ErrWAV, size)
	}
	var buf [wavFormatMost]byte
	b := buf[:size+size%2]
	if _, err := io.ReadFull(r, b); err != nil {
		return wavFormat{}, fmt.Errorf("%w: it ends in its format", ErrWAV)
	}
	f := wavFormat{
		tag:      int(binary.LittleEndian.Uint16(b)),
		channels: int(binary.LittleEndian.Uint16(b[2:])),
		rate:     int(binary.LittleEndian.Uint32(b[4:])),
		bits:     int(binary.LittleEndian.Uint16(b[14:])),
	}
	if f.tag == wavExtensible && size == wavFormatMost {
		f.tag = int(binary.LittleEndian.Uint16(b[24:]))
	}
	if (f.tag != wavPCM || f.bits != 16) && (f.tag != wavFloat || f.bits != 32) {
		return wavFormat{}, fmt.Errorf("%w: format %d of %d bits", ErrWAV, f.tag, f.bits)
	}
	if f.channels < 1 || f.channels > wavChannels {
		return wavFormat{}, fmt.Errorf("%w: %d channels", ErrWAV, f.channels)
	}
	if f.rate < wavRateLeast || f.rate > wavRateMost {
		return wavFormat{}, fmt.Errorf("%w: %d Hz", ErrWAV, f.rate)
	}
	return f, nil
}

func readWAVData(r io.Reader, size int64, f wavFormat) ([]float32, error) {
	most := min(wavMost, int64(wavSeconds)*int64(f.rate*f.channels*f.bits/8))
	// A recorder that was killed leaves 0 or the largest number here: then the file's end counts.
	open := size == 0 || size >= math.MaxUint32-1
	if size > most && !open {
		return nil, fmt.Errorf("%w: more than %d minutes or %d MiB", ErrWAV, wavSeconds/60, wavMost>>20)
	}
	if open {
		size = most
	}
	raw, err := io.ReadAll(io.LimitReader(r, size))
	if err != nil {
		return nil, fmt.Errorf("read the samples: %w", err)
	}
	return resample(wavMono(raw, f), f.rate), nil
}

func wavMono(raw []byte, f wavFormat) []float32 {
	each := f.bits / 8
	out := make([]float32, len(raw)/(each*f.channels))
	for i := range out {
		var sum float32
		for range f.channels {
			sum += wavSample(raw, f.tag)
			raw = raw[each:]
		}
		out[i] = sum / float32(f.channels)
	}
	return out
}

func wavSample(b []byte, tag int) float32 {
	if tag == wavPCM {
		return float32(int16(binary.LittleEndian.Uint16(b))) / 32768
	}
	v := math.Float32frombits(binary.LittleEndian.Uint32(b))
	if v != v || v > 16 || v < -16 {
		return 0
	}
	return v
}

const wavHeader = 44

// WAVWriter writes a WAV file, 16-bit mono at 48 kHz. The file is valid after
// every Write. It is not safe for concurrent use and does not close the file.
type WAVWriter struct {
	w    io.WriterAt
	size int64 // of the samples, bytes
	buf  []byte
	pcm  []int16
}

// NewWAVWriter starts a file with a header for no samples.
func NewWAVWriter(w io.WriterAt) (*WAVWriter, error) {
	h := make([]byte, 0, wavHeader)
	h = append(h, "RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00"...)
	h = binary.LittleEndian.AppendUint16(h, wavPCM)
	h = binary.LittleEndian.AppendUint16(h, 1)
	h = binary.LittleEndian.AppendUint32(h, media.Rate)
	h = binary.LittleEndian.AppendUint32(h, media.Rate*2)
	h = binary.LittleEndian.AppendUint16(h, 2)
	h = binary.LittleEndian.AppendUint16(h, 16)
	h = append(h, "data\x00\x00\x00\x00"...)
	if _, err := w.WriteAt(h, 0); err != nil {
		return nil, fmt.Errorf("write the WAV header: %w", err)
	}
	return &WAVWriter{w: w}, nil
}

// Write appends samples, then tells the header of them: whenever the program
// ends, the header promises no more than is there.
func (w *WAVWriter) Write(samples []float32) error {
	if w.size+wavHeader+int64(len(samples))*2 > math.MaxUint32-8 {
		return errors.New("write the WAV file: it is full at 4 GiB")
	}
	w.pcm = append(w.pcm[:0], make([]int16, len(samples))...)
	media.ToInt16(w.pcm, samples)
	w.buf = w.buf[:0]
	for _, v := range w.pcm {
		w.buf = binary.LittleEndian.AppendUint16(w.buf, uint16(v))
	}
	if _, err := w.w.WriteAt(w.buf, wavHeader+w.size); err != nil {
		return fmt.Errorf("write the WAV file: %w", err)
	}
	w.size += int64(len(w.buf))
	if err := w.tell(40, w.size); err != nil {
		return err
	}
	return w.tell(4, w.size+wavHeader-8)
}

func (w *WAVWriter) tell(at, size int64) error {
	var b [4]byte
	binary.LittleEndian.PutUint32(b[:], uint32(size))
	if _, err := w.w.WriteAt(b[:], at); err != nil {
		return fmt.Errorf("write the WAV header: %w", err)
	}
	return nil
}
