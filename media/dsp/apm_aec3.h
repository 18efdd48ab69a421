// webrtc-audio-processing 1 and 2, which cancel echo by AEC3, for apm.cc. Both have this interface.
#ifndef ENTRENOUS_APM_AEC3_H
#define ENTRENOUS_APM_AEC3_H

#include <memory>

#include <modules/audio_processing/include/audio_processing.h>

#include "apm.h"

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

namespace {

const char kName[] = "webrtc-audio-processing " TEXT(APM_VERSION) " (AEC3)";

// Samples of 16 kHz that the canceller and the suppressor are late by, measured with 1.3 and 2.1.
const int kEchoLate = 128;
const int kNoiseLate = 96;

struct library {
	rtc::scoped_refptr<webrtc::AudioProcessing> ap;
	webrtc::AudioProcessing::Config cfg;

	library() : ap(webrtc::AudioProcessingBuilder().Create()) {}

	int configure(apm_config c) {
		using Noise = webrtc::AudioProcessing::Config::NoiseSuppression;
		cfg.echo_canceller.enabled = c.echo != 0;
		cfg.echo_canceller.mobile_mode = false;
		cfg.echo_canceller.enforce_high_pass_filtering = false; // it has passed ours
		cfg.noise_suppression.enabled = c.noise > 0;
		cfg.noise_suppression.level = c.noise >= 3 ? Noise::kHigh : c.noise == 2 ? Noise::kModerate : Noise::kLow;
		ap->ApplyConfig(cfg);
		return 0;
	}

	// AEC3 looks for the echo's place by itself, and takes seconds to give up
	// one that it had found; an AEC3 that begins lets nothing through meanwhile.
	int restart() {
		cfg.echo_canceller.enabled = false;
		ap->ApplyConfig(cfg);
		cfg.echo_canceller.enabled = true;
		ap->ApplyConfig(cfg);
		return 0;
	}

	int echo_ms() { return ap->GetStatistics().delay_ms.value_or(-1); }
};

}  // namespace

#endif
