//go:build cgo && !nocgo && (apm1 || apm2)

// webrtc-audio-processing 1 and 2, which cancel echo by AEC3. Both have this interface.
#include "apm.h"

#include <memory>

#include <modules/audio_processing/include/audio_processing.h>

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

using webrtc::AudioProcessing;
using webrtc::StreamConfig;

namespace {
const StreamConfig kMono(48000, 1);
}  // namespace

struct apm {
	rtc::scoped_refptr<AudioProcessing> ap;
	bool echo = false;
};

extern "C" {

int apm_configure(apm *a, apm_config c) {
	AudioProcessing::Config cfg;
	cfg.pipeline.maximum_internal_processing_rate = 48000;
	cfg.high_pass_filter.enabled = c.high_pass != 0;
	cfg.echo_canceller.enabled = c.echo != 0;
	cfg.echo_canceller.mobile_mode = false;
	cfg.noise_suppression.enabled = c.noise > 0;
	cfg.noise_suppression.level = c.noise >= 3   ? AudioProcessing::Config::NoiseSuppression::kHigh
	                              : c.noise == 2 ? AudioProcessing::Config::NoiseSuppression::kModerate
	                                             : AudioProcessing::Config::NoiseSuppression::kLow;
	a->ap->ApplyConfig(cfg);
	a->echo = c.echo != 0;
	return 0;
}

apm *apm_new(apm_config c) {
	std::unique_ptr<apm> a(new apm);
	a->ap = rtc::scoped_refptr<AudioProcessing>(webrtc::AudioProcessingBuilder().Create());
	if (!a->ap) return nullptr;
	apm_configure(a.get(), c);
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

// Measured with 1.3: the filter bank, the overlap of the echo canceller, that of the noise suppressor.
int apm_delay_ms(apm_config c) { return 1 + (c.echo ? 8 : 0) + (c.noise > 0 ? 6 : 0); }

const char *apm_name(void) { return "webrtc-audio-processing " TEXT(APM_VERSION) " (AEC3)"; }

}  // extern "C"
