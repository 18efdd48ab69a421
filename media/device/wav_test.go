package device_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/device"
)

func save(t *testing.T, path string, sound []float32) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := device.NewWAVWriter(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(sound); err != nil {
		t.Fatal(err)
	}
}

func load(t *testing.T, path string) []float32 {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sound, err := device.ReadWAV(f)
	if err != nil {
		t.Fatal(err)
	}
	return sound
}

type kind struct {
	tag, channels, bits uint16
	rate                uint32
}

// file writes a WAV file of a kind by hand, with a part that nobody knows in front of the samples.
func file(k kind, samples []float64) []byte {
	b := []byte("RIFF\xff\xff\xff\xffWAVE")
	b = append(b, "fmt \x10\x00\x00\x00"...)
	b = binary.LittleEndian.AppendUint16(b, k.tag)
	b = binary.LittleEndian.AppendUint16(b, k.channels)
	b = binary.LittleEndian.AppendUint32(b, k.rate)
	b = binary.LittleEndian.AppendUint32(b, k.rate*uint32(k.channels)*uint32(k.bits)/8)
	b = binary.LittleEndian.AppendUint16(b, k.channels*k.bits/8)
	b = binary.LittleEndian.AppendUint16(b, k.bits)
	b = append(b, "LIST\x03\x00\x00\x00abc\x00"...)
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(samples))*uint32(k.channels)*uint32(k.bits)/8)
	for _, v := range samples {
		for range k.channels {
			if k.tag == 3 {
				b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(v)))
				continue
			}
			b = binary.LittleEndian.AppendUint16(b, uint16(int16(v*32767)))
		}
	}
	return b
}

func TestAnyRateAndFormatComesOutAtFortyEightKilohertz(t *testing.T) {
	for _, k := range []kind{{1, 1, 16, 8000}, {1, 2, 16, 44100}, {3, 1, 32, 48000}, {3, 6, 32, 96000}, {1, 1, 16, 22050}, {1, 1, 16, 192000}} {
		x := make([]float64, k.rate/2)
		for i := range x {
			x[i] = 0.5 * math.Sin(2*math.Pi*1000*float64(i)/float64(k.rate))
		}
		got, err := device.ReadWAV(bytes.NewReader(file(k, x)))
		if err != nil {
			t.Errorf("%+v: %v", k, err)
			continue
		}
		if math.Abs(float64(len(got))-media.Rate/2) > 1 {
			t.Errorf("%+v: %d samples", k, len(got))
		}
		worst := 0.0
		for i := 2000; i < len(got)-2000; i++ {
			worst = max(worst, math.Abs(float64(got[i])-0.5*math.Sin(2*math.Pi*1000*float64(i)/media.Rate)))
		}
		if worst > 0.001 {
			t.Errorf("%+v: off by %.4f", k, worst)
		}
	}
}

func TestAToneAboveTheNewBandDisappears(t *testing.T) {
	k := kind{1, 1, 16, 96000}
	x := make([]float64, k.rate/4)
	for i := range x {
		x[i] = 0.5 * math.Sin(2*math.Pi*30000*float64(i)/float64(k.rate))
	}
	got, err := device.ReadWAV(bytes.NewReader(file(k, x)))
	if err != nil {
		t.Fatal(err)
	}
	if l := media.Level(got[2000 : len(got)-2000]); l > -70 {
		t.Errorf("30 kHz folds back at %.1f dBFS", l)
	}
}

func TestAFileThatEndsEarlyGivesWhatIsThere(t *testing.T) {
	whole := file(kind{1, 1, 16, 48000}, make([]float64, 1000))
	got, err := device.ReadWAV(bytes.NewReader(whole[:len(whole)-400]))
	if err != nil || len(got) != 800 {
		t.Errorf("%d samples, %v", len(got), err)
	}
}

func TestForeignFilesAreRefused(t *testing.T) {
	ok := file(kind{1, 1, 16, 48000}, make([]float64, 4))
	noData := ok[:36]
	long := bytes.Clone(ok)
	binary.LittleEndian.PutUint32(long[len(long)-12:], 1<<30)
	for name, b := range map[string][]byte{
		"empty": nil, "text": []byte("some text that is long enough"), "no samples": noData, "too long": long,
		"8 bit": file(kind{1, 1, 8, 48000}, nil), "24 bit": file(kind{1, 1, 24, 48000}, nil), "adpcm": file(kind{17, 1, 16, 48000}, nil),
		"no channels": file(kind{1, 0, 16, 48000}, nil), "99 channels": file(kind{1, 99, 16, 48000}, nil),
		"1 Hz": file(kind{1, 1, 16, 1}, nil), "4 GHz": file(kind{1, 1, 16, 4e9}, nil),
	} {
		if _, err := device.ReadWAV(bytes.NewReader(b)); !errors.Is(err, device.ErrWAV) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// full is a disk that takes some bytes and no more.
type full struct{ room int64 }

var errFull = errors.New("no space left")

func (f full) WriteAt(b []byte, at int64) (int, error) {
	if at+int64(len(b)) > f.room {
		return 0, errFull
	}
	return len(b), nil
}

func TestAFullDiskIsTold(t *testing.T) {
	if _, err := device.NewWAVWriter(full{10}); !errors.Is(err, errFull) {
		t.Errorf("header: %v", err)
	}
	w, err := device.NewWAVWriter(full{1000})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(make([]float32, 400)); err != nil {
		t.Error(err)
	}
	if err := w.Write(make([]float32, 400)); !errors.Is(err, errFull) {
		t.Errorf("samples: %v", err)
	}
}

func TestLoudAndWrongSamplesAreClippedInAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "loud.wav")
	save(t, path, []float32{2, -2, float32(math.NaN()), 0.5})
	got := load(t, path)
	if len(got) != 4 || got[0] < 0.99 || got[1] != -1 || got[2] != 0 || got[3] != 0.5 {
		t.Errorf("got %v", got)
	}
}

func TestAnExtensibleHeaderIsRead(t *testing.T) {
	b := []byte("RIFF\xff\xff\xff\xffWAVEfmt \x28\x00\x00\x00")
	b = binary.LittleEndian.AppendUint16(b, 0xfffe)
	b = binary.LittleEndian.AppendUint16(b, 1)
	b = binary.LittleEndian.AppendUint32(b, 48000)
	b = append(b, make([]byte, 6)...)
	b = binary.LittleEndian.AppendUint16(b, 32)
	b = append(b, make([]byte, 8)...)
	b = binary.LittleEndian.AppendUint16(b, 3) // what it really is: float
	b = append(b, make([]byte, 14)...)
	b = append(b, "data\x04\x00\x00\x00"...)
	b = binary.LittleEndian.AppendUint32(b, math.Float32bits(0.25))
	got, err := device.ReadWAV(bytes.NewReader(b))
	if err != nil || len(got) != 1 || got[0] != 0.25 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestARecordingWithoutALengthIsReadToItsEnd(t *testing.T) {
	b := file(kind{1, 1, 16, 48000}, make([]float64, 300))
	for _, size := range []uint32{0, math.MaxUint32} {
		binary.LittleEndian.PutUint32(b[len(b)-604:], size)
		got, err := device.ReadWAV(bytes.NewReader(b))
		if err != nil || len(got) != 300 {
			t.Errorf("length %d: %d samples, %v", size, len(got), err)
		}
	}
}

func FuzzReadWAV(f *testing.F) {
	for _, k := range []kind{{1, 1, 16, 48000}, {3, 2, 32, 44100}, {0xfffe, 1, 16, 8000}, {1, 1, 8, 8000}} {
		f.Add(file(k, []float64{0, 0.5, -0.5, 1}))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		sound, err := device.ReadWAV(bytes.NewReader(b))
		if err == nil && len(sound) > len(b)*6+48 {
			t.Errorf("%d bytes became %d samples", len(b), len(sound))
		}
		for _, v := range sound {
			if v != v {
				t.Fatal("a sample is not a number")
			}
		}
	})
}

func BenchmarkReadWAV(b *testing.B) {
	raw := file(kind{1, 1, 16, 44100}, make([]float64, 44100))
	for b.Loop() {
		if _, err := device.ReadWAV(bytes.NewReader(raw)); err != nil {
			b.Fatal(err)
		}
	}
}
