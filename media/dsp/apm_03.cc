//go:build cgo && !nocgo && !apm1 && !apm2

// webrtc-audio-processing 0.3 (Debian 12, Ubuntu 22.04 and 24.04).
#include "apm.h"

#include <memory>

#include <webrtc/modules/audio_processing/include/audio_processing.h>

using webrtc::AudioProcessing;
using webrtc::EchoCancellation;
using webrtc::NoiseSuppression;
using webrtc::StreamConfig;

namespace {
const int kRate = 48000;
const StreamConfig kMono(kRate, 1);
}  // namespace

struct apm {
	std::unique_ptr<AudioProcessing> ap;
	bool echo = false;
};

extern "C" {

int apm_configure(apm *a, apm_config c) {
	EchoCancellation *ec = a->ap->echo_cancellation();
	int err = a->ap->high_pass_filter()->Enable(c.high_pass != 0);
	err |= ec->enable_drift_compensation(false);
	err |= ec->set_suppression_level(EchoCancellation::kHighSuppression);
	err |= ec->Enable(c.echo != 0);
	NoiseSuppression *ns = a->ap->noise_suppression();
	if (c.noise > 0) err |= ns->set_level(static_cast<NoiseSuppression::Level>(c.noise > 3 ? 2 : c.noise - 1));
	err |= ns->Enable(c.noise > 0);
	a->echo = c.echo != 0;
	return err;
}

apm *apm_new(apm_config c) {
	webrtc::Config cfg;
	cfg.Set<webrtc::ExtendedFilter>(new webrtc::ExtendedFilter(true));
	cfg.Set<webrtc::DelayAgnostic>(new webrtc::DelayAgnostic(true));
	std::unique_ptr<apm> a(new apm);
	a->ap.reset(AudioProcessing::Create(cfg));
	if (!a->ap || apm_configure(a.get(), c) != 0) return nullptr;
	return a.release();
}

void apm_free(apm *a) { delete a; }

int apm_far(apm *a, const float *tick) {
	float copy[480];
	for (int i = 0; i < 480; i++) copy[i] = tick[i];
	float *ch[] = {copy};
	return a->ap->ProcessReverseStream(ch, kMono, kMono, ch);
}

int apm_near(apm *a, float *tick, int delay_ms, int typing) {
	float *ch[] = {tick};
	if (a->echo) a->ap->set_stream_delay_ms(delay_ms);
	a->ap->set_stream_key_pressed(typing != 0);
	return a->ap->ProcessStream(ch, kMono, kMono, ch);
}

// Measured: the filter bank of three bands, the overlap of the echo canceller, that of the noise suppressor.
int apm_delay_ms(apm_config c) { return 1 + (c.echo ? 7 : 0) + (c.noise > 0 ? 6 : 0); }

const char *apm_name(void) { return "webrtc-audio-processing 0.3"; }

}  // extern "C"
