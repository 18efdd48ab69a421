package opus_test

import (
	"fmt"
	"math"
	"testing"

	pion "github.com/pion/opus"

	"github.com/entrenous/entrenous/media"
	"github.com/entrenous/entrenous/media/opus"
)

func TestEveryPacketDecodesAlikeInAnotherCodec(t *testing.T) {
	for _, c := range []opus.Config{
		{},
		{Frame: media.Tick},
		{Loss: 30},
		{Bitrate: 16000},
		{Bitrate: 64000, Loss: 15},
		{SaveBandwidth: true},
	} {
		c.Engine = opus.Gopus
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			t.Parallel()
			ours, theirs := decoder(t), pion.NewDecoder()
			var x, y []float32
			for _, packet := range encode(t, c, speech()) {
				if len(packet) == 0 {
					continue
				}
				pcm := make([]float32, opus.MaxSamples)
				n, err := ours.Decode(packet, pcm)
				if err != nil || n != opus.Samples(packet) {
					t.Fatalf("%d samples, %v", n, err)
				}
				x = append(x, pcm[:n]...)
				if n, err = theirs.DecodeToFloat32(packet, pcm); err != nil {
					t.Fatal(err)
				}
				y = append(y, pcm[:n]...)
			}
			if agreement := snr(x, y); agreement < 45 {
				t.Errorf("the two decoders agree to %.1f dB only", agreement)
			}
		})
	}
}

// Every engine of this build hears what every engine says.
func TestSpeechComesBackAlike(t *testing.T) {
	x := speech()
	for _, talker := range opus.Engines() {
		packets := encode(t, opus.Config{Engine: talker}, x)
		for _, listener := range opus.Engines() {
			y := decodeAll(t, listener, packets)
			if got := snr(x[:len(x)-opus.Lookahead], y[opus.Lookahead:]); got < 3 {
				t.Errorf("%s to %s: %.1f dB from what was said", talker, listener, got)
			}
			if got := envelope(x[:len(x)-opus.Lookahead], y[opus.Lookahead:]); got > 2 {
				t.Errorf("%s to %s: the level is off by %.1f dB", talker, listener, got)
			}
		}
	}
}

func decodeAll(tb testing.TB, engine opus.Engine, packets [][]byte) []float32 {
	tb.Helper()
	d, err := opus.NewDecoderOn(engine)
	if err != nil {
		tb.Fatal(err)
	}
	pcm, y := make([]float32, opus.MaxSamples), []float32(nil)
	for _, packet := range packets {
		n, err := d.Decode(packet, pcm)
		if err != nil {
			tb.Fatal(err)
		}
		y = append(y, pcm[:n]...)
	}
	return y
}

func TestAllPacketsOfACallHaveOneSize(t *testing.T) {
	for _, frame := range []int{media.Tick, media.Frame} {
		want := opus.DefaultBitrate / 8 * frame / media.Rate
		for i, packet := range encode(t, opus.Config{Frame: frame}, speech()) {
			if len(packet) != want {
				t.Fatalf("packet %d of %d samples has %d bytes, the others %d", i, frame, len(packet), want)
			}
		}
	}
}

func TestSavingBandwidthSendsLittleInSilence(t *testing.T) {
	packets := encode(t, opus.Config{SaveBandwidth: true}, speech())
	bytes, sent := 0, 0
	silence := packets[len(packets)-50:]
	for _, packet := range silence {
		bytes += len(packet)
		if len(packet) > 0 {
			sent++
		}
	}
	if sent > 10 || bytes > 400 {
		t.Errorf("%d of %d packets of silence were sent, %d bytes", sent, len(silence), bytes)
	}
}

func TestALostFrameComesBackFromTheNextPacket(t *testing.T) {
	packets := encode(t, opus.Config{Loss: 20}, speech())
	whole, fec, plc := decoder(t), decoder(t), decoder(t)
	var want, copied, concealed []float32
	pcm := func() []float32 { return make([]float32, media.Frame) }
	recovered := 0
	for i := 0; i+1 < len(packets); i++ {
		x, y, z := pcm(), pcm(), pcm()
		if _, err := whole.Decode(packets[i], x); err != nil {
			t.Fatal(err)
		}
		if i%5 != 4 {
			if _, err := fec.Decode(packets[i], y); err != nil {
				t.Fatal(err)
			}
			if _, err := plc.Decode(packets[i], z); err != nil {
				t.Fatal(err)
			}
			continue
		}
		ok, err := fec.DecodeFEC(packets[i+1], y)
		if err != nil {
			t.Fatal(err)
		}
		if err := plc.Conceal(z); err != nil {
			t.Fatal(err)
		}
		if ok {
			recovered++
			want, copied, concealed = append(want, x...), append(copied, y...), append(concealed, z...)
		}
	}
	if recovered < 8 {
		t.Fatalf("only %d lost frames came back", recovered)
	}
	if with, without := envelope(want, copied), envelope(want, concealed); with > without/2 {
		t.Errorf("the level of a frame is off by %.1f dB with FEC, by %.1f dB without", with, without)
	}
}

// envelope is the mean difference of level between frames of x and y, in dB.
func envelope(x, y []float32) float64 {
	sum, n := 0.0, 0.0
	for i := 0; i+media.Tick/2 <= len(x); i += media.Tick / 2 {
		a, b := media.Level(x[i:i+media.Tick/2]), media.Level(y[i:i+media.Tick/2])
		sum += math.Abs(max(a, -60) - max(b, -60))
		n++
	}
	return sum / n
}

func TestConcealmentFades(t *testing.T) {
	d := decoder(t)
	pcm := make([]float32, opus.MaxSamples)
	for _, packet := range encode(t, opus.Config{}, speech())[:60] {
		if _, err := d.Decode(packet, pcm); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 {
		if err := d.Conceal(pcm[:media.Tick]); err != nil {
			t.Fatal(err)
		}
	}
	if level := media.Level(pcm[:media.Tick]); level > -45 {
		t.Errorf("a second after the last packet there is sound of %.0f dBFS", level)
	}
	if err := d.Conceal(pcm); err != nil {
		t.Errorf("120 ms at once: %v", err)
	}
	if err := d.Conceal(pcm[:100]); err == nil {
		t.Error("100 samples were concealed, which no codec can")
	}
}

func TestSettingsTakeEffectFromTheNextFrame(t *testing.T) {
	e, err := opus.NewEncoder(opus.Config{})
	if err != nil {
		t.Fatal(err)
	}
	packet := make([]byte, opus.MaxPacket)
	size := func() int {
		t.Helper()
		n, err := e.Encode(speech()[:e.Frame()], packet)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, step := range []struct {
		name string
		set  error
		want int
	}{
		{"nothing", nil, 80},
		{"bitrate", e.SetBitrate(24000), 60},
		{"frame", e.SetFrame(media.Tick), 30},
		{"loss", e.SetLoss(25), 30},
		{"constant size again", e.SetSaveBandwidth(false), 30},
	}[1:] {
		if step.set != nil {
			t.Errorf("%s: %v", step.name, step.set)
		}
	}
	if got := size(); got != 30 {
		t.Errorf("10 ms at 24 kbit/s are %d bytes, want 30", got)
	}
}

func TestNonsenseIsRefused(t *testing.T) {
	for _, c := range []opus.Config{
		{Bitrate: 1}, {Bitrate: 1e9}, {Frame: 100}, {Frame: 2 * media.Frame}, {Loss: -1}, {Loss: 101}, {Engine: "speex"},
	} {
		if _, err := opus.NewEncoder(c); err == nil {
			t.Errorf("%+v was taken", c)
		}
	}
	if _, err := opus.NewDecoderOn("speex"); err == nil {
		t.Error("there is a speex decoder")
	}
	e, err := opus.NewEncoder(opus.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Encode(make([]float32, 100), make([]byte, opus.MaxPacket)); err == nil {
		t.Error("100 samples were encoded as a frame")
	}
	if _, err := e.Encode(make([]float32, media.Frame), nil); err == nil {
		t.Error("a frame was encoded into no bytes")
	}
	if e.SetBitrate(0) == nil || e.SetLoss(200) == nil || e.SetFrame(0) == nil {
		t.Error("a nonsensical setting was taken")
	}
	d := decoder(t)
	if _, err := d.Decode(nil, make([]float32, opus.MaxSamples)); err == nil {
		t.Error("an empty packet was decoded")
	}
	if _, err := d.Decode(make([]byte, 5000), make([]float32, opus.MaxSamples)); err == nil {
		t.Error("a huge packet was decoded")
	}
}

func TestABrokenMicrophoneDoesNotPoisonTheEncoder(t *testing.T) {
	e, err := opus.NewEncoder(opus.Config{})
	if err != nil {
		t.Fatal(err)
	}
	d, packet, pcm := decoder(t), make([]byte, opus.MaxPacket), make([]float32, opus.MaxSamples)
	frame := make([]float32, media.Frame)
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e30, 0, 0, 0, 0} {
		for i := range frame {
			frame[i] = float32(v)
		}
		n, err := e.Encode(frame, packet)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Decode(packet[:n], pcm); err != nil {
			t.Fatal(err)
		}
	}
	if level := media.Level(pcm[:media.Frame]); !(level < -40) {
		t.Errorf("60 ms into silence there is sound of %.0f dBFS", level)
	}
}

func FuzzDecode(f *testing.F) {
	for i, packet := range encode(f, opus.Config{}, speech()[:media.Frame*40]) {
		if i%10 == 9 {
			f.Add(packet, byte(i))
		}
	}
	f.Add([]byte{0xff, 0xff, 0xff}, byte(3))
	f.Add([]byte{0x03, 0x3f}, byte(1))
	f.Fuzz(func(t *testing.T, packet []byte, how byte) {
		d := decoder(t)
		pcm := make([]float32, opus.MaxSamples)
		n := 0
		for range 3 {
			switch how % 4 {
			case 0, 1:
				n, _ = d.Decode(packet, pcm)
			case 2:
				n = media.Frame
				_, _ = d.DecodeFEC(packet, pcm[:n])
			case 3:
				n = int(how) * 120 % opus.MaxSamples
				_ = d.Conceal(pcm[:n])
			}
			how /= 4
			for _, v := range pcm[:n] {
				if !(v >= -1 && v <= 1) {
					t.Fatalf("sample %v", v)
				}
			}
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	for _, engine := range opus.Engines() {
		b.Run(string(engine), func(b *testing.B) {
			e, err := opus.NewEncoder(opus.Config{Engine: engine})
			if err != nil {
				b.Fatal(err)
			}
			x, packet := speech()[:2*media.Rate], make([]byte, opus.MaxPacket)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				at := i * media.Frame % len(x)
				if _, err := e.Encode(x[at:at+media.Frame], packet); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	packets := encode(b, opus.Config{}, speech()[:2*media.Rate])
	for _, engine := range opus.Engines() {
		b.Run(string(engine), func(b *testing.B) {
			d, err := opus.NewDecoderOn(engine)
			if err != nil {
				b.Fatal(err)
			}
			pcm := make([]float32, opus.MaxSamples)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := d.Decode(packets[i%len(packets)], pcm); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
