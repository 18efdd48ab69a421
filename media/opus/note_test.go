package opus_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/opus"
)

// record makes a voice note of x, handed over in pieces of odd sizes.
func record(tb testing.TB, x []float32) []byte {
	tb.Helper()
	var file bytes.Buffer
	r, err := opus.NewRecorder(&file)
	if err != nil {
		tb.Fatal(err)
	}
	for n := 1; len(x) > 0; n = n*7%1999 + 1 {
		n = min(n, len(x))
		if err := r.Write(x[:n]); err != nil {
			tb.Fatal(err)
		}
		x = x[n:]
	}
	if err := r.Close(); err != nil {
		tb.Fatal(err)
	}
	return file.Bytes()
}

func play(note []byte) ([]float32, error) {
	p, err := opus.NewPlayer(bytes.NewReader(note))
	if err != nil {
		return nil, err
	}
	var x []float32
	buf := make([]float32, 1000)
	for {
		n, err := p.Read(buf)
		x = append(x, buf[:n]...)
		if errors.Is(err, io.EOF) {
			return x, nil
		}
		if err != nil || len(x) > 60*media.Rate {
			return x, err
		}
	}
}

func TestAVoiceNotePlaysAsItWasSpoken(t *testing.T) {
	for _, n := range []int{1, 100, media.Frame, 5000, media.Rate, 2*media.Rate + 17} {
		x := speech()[:n]
		note := record(t, x)
		y, err := play(note)
		if err != nil {
			t.Fatalf("%d samples: %v", n, err)
		}
		if len(y) != n {
			t.Errorf("%d samples were recorded, %d played", n, len(y))
		}
		if n > media.Rate {
			if got := snr(x, y); got < 3 {
				t.Errorf("%.1f dB from what was said", got)
			}
			if rate := len(note) * 8 * media.Rate / n; rate > opus.NoteBitrate*3/2 {
				t.Errorf("%d bit/s", rate)
			}
		}
	}
}

func TestADamagedNoteIsAnErrorOrAHoleButNoMore(t *testing.T) {
	note := record(t, speech()[:media.Rate])
	for i := range note {
		if i > 200 && i%97 != 0 {
			continue
		}
		_, _ = play(note[:i])
		damaged := bytes.Clone(note)
		damaged[i] ^= 0x55
		if _, err := play(damaged); err == nil {
			t.Errorf("byte %d was changed, which no checksum noticed", i)
		}
	}
}

func TestAFailingDiskIsReported(t *testing.T) {
	if _, err := opus.NewRecorder(full{}); err == nil {
		t.Error("headers were written to a full disk")
	}
	if _, err := opus.NewPlayer(bytes.NewReader([]byte("RIFF, not Ogg at all, but long enough for a header"))); err == nil {
		t.Error("a note was played that is none")
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func FuzzPlayer(f *testing.F) {
	f.Add(record(f, speech()[:2000]))
	f.Add([]byte("OggS"))
	f.Fuzz(func(_ *testing.T, note []byte) {
		_, _ = play(note)
	})
}
