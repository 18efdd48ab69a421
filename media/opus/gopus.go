package opus

import (
	"github.com/thesyncim/gopus"

	"github.com/entrenous/entrenous/media"
)

type gopusEncoder struct {
	enc *gopus.Encoder
}

func newGopusEncoder(c Config) (*gopusEncoder, error) {
	application := gopus.ApplicationVoIP
	if c.LowDelay {
		application = gopus.ApplicationLowDelay
	}
	enc, err := gopus.NewEncoder(gopus.EncoderConfig{
		SampleRate: media.Rate, Channels: 1, Application: application,
	})
	if err != nil {
		return nil, err
	}
	return &gopusEncoder{enc}, nil
}

func (g *gopusEncoder) configure(c Config) error {
	mode := gopus.BitrateModeCBR
	if c.SaveBandwidth {
		mode = gopus.BitrateModeVBR
	}
	complex, loss := c.effort()
	g.enc.SetDTX(c.SaveBandwidth && !c.gapless)
	for _, set := range []func() error{
		func() error { return g.enc.SetFrameSize(c.Frame) },
		func() error { return g.enc.SetBitrate(c.Bitrate) },
		func() error { return g.enc.SetBitrateMode(mode) },
		func() error { return g.enc.SetPacketLoss(loss) },
		func() error { return g.enc.SetInBandFEC(gopus.InBandFECEnabled) },
		func() error { return g.enc.SetComplexity(complex) },
		func() error { return g.enc.SetBandwidthAuto() },
		func() error { return g.enc.SetSignal(gopus.SignalVoice) },
	} {
		if err := set(); err != nil {
			return err
		}
	}
	return nil
}

func (g *gopusEncoder) encode(pcm []float32, packet []byte) (int, error) {
	return g.enc.Encode(pcm, packet)
}

type gopusDecoder struct {
	dec *gopus.Decoder
}

func newGopusDecoder() (*gopusDecoder, error) {
	dec, err := gopus.NewDecoder(gopus.DefaultDecoderConfig(media.Rate, 1))
	if err != nil {
		return nil, err
	}
	return &gopusDecoder{dec}, nil
}

func (g *gopusDecoder) decode(packet []byte, pcm []float32) (int, error) {
	if packet == nil && len(pcm) == MaxSamples {
		// gopus takes a full-size buffer for "one packet's worth".
		n, err := g.dec.Decode(nil, pcm[:MaxSamples/2])
		if err != nil {
			return n, err
		}
		m, err := g.dec.Decode(nil, pcm[n:MaxSamples])
		return n + m, err
	}
	return g.dec.Decode(packet, pcm)
}

func (g *gopusDecoder) recover(packet []byte, pcm []float32) (int, error) {
	return g.dec.DecodeWithFEC(packet, pcm, true)
}

// carriesFEC says whether packet holds a copy of the frame before it.
func carriesFEC(packet []byte) bool {
	return gopus.PacketHasLBRR(packet)
}
