//go:build cgo && !nocgo && !apm1 && !apm2

// webrtc-audio-processing 0.3 (Debian 12, Ubuntu 22.04 and 24.04).
//
// It works at 16 kHz, and bands.h does the rest: its own bank of three bands
// costs a third of all, and above 8 kHz it too has one gain only.
#include "apm.h"
#include "bands.h"

#include <memory>

#include <webrtc/modules/audio_processing/include/audio_processing.h>

using webrtc::AudioProcessing;
using webrtc::EchoCancellation;
using webrtc::NoiseSuppression;
using webrtc::StreamConfig;

namespace {
const StreamConfig kMono(16000, 1);
const bands::filter kFilter;
}  // namespace

struct apm {
	std::unique_ptr<AudioProcessing> ap;
	bool echo = false, noise = false;
	bands::thinner far, near;
	bands::joiner join;

	// Samples that the echo canceller and the noise suppressor are late, measured.
	int late() const { return (echo ? 112 : 0) + (noise ? 96 : 0); }
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
	a->noise = c.noise > 0;
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
	float low[bands::kLow];
	a->far.run(kFilter, tick, low);
	float *ch[] = {low};
	return a->ap->ProcessReverseStream(ch, kMono, kMono, ch);
}

int apm_near(apm *a, float *tick, int delay_ms, int typing) {
	float low[bands::kLow], after[bands::kLow];
	a->near.run(kFilter, tick, low);
	for (int i = 0; i < bands::kLow; i++) after[i] = low[i];
	float *ch[] = {after};
	if (a->echo) a->ap->set_stream_delay_ms(delay_ms);
	a->ap->set_stream_key_pressed(typing != 0);
	int err = a->ap->ProcessStream(ch, kMono, kMono, ch);
	if (err == 0) a->join.run(kFilter, tick, low, after, a->late());
	return err;
}

// The two bands, the overlap of the echo canceller, that of the noise suppressor.
int apm_delay_ms(apm_config c) { return 2 + (c.echo ? 7 : 0) + (c.noise > 0 ? 6 : 0); }

const char *apm_name(void) { return "webrtc-audio-processing 0.3"; }

}  // extern "C"
