// webrtc-audio-processing 0.3 (Debian 12, Ubuntu 22.04 and 24.04), for apm.cc.
#ifndef ENTRENOUS_APM_03_H
#define ENTRENOUS_APM_03_H

#include <memory>

#include <webrtc/modules/audio_processing/include/audio_processing.h>

#include "apm.h"

namespace {

const char kName[] = "webrtc-audio-processing 0.3";

// Samples of 16 kHz that the canceller and the suppressor are late by, measured.
const int kEchoLate = 112;
const int kNoiseLate = 96;

struct library {
	std::unique_ptr<webrtc::AudioProcessing> ap;

	library() {
		webrtc::Config cfg;
		cfg.Set<webrtc::ExtendedFilter>(new webrtc::ExtendedFilter(true));
		cfg.Set<webrtc::DelayAgnostic>(new webrtc::DelayAgnostic(true));
		ap.reset(webrtc::AudioProcessing::Create(cfg));
	}

	int configure(apm_config c) {
		webrtc::EchoCancellation *ec = ap->echo_cancellation();
		int err = ec->enable_drift_compensation(false);
		err |= ec->set_suppression_level(webrtc::EchoCancellation::kHighSuppression);
		err |= ec->Enable(c.echo != 0);
		webrtc::NoiseSuppression *ns = ap->noise_suppression();
		if (c.noise > 0) err |= ns->set_level(static_cast<webrtc::NoiseSuppression::Level>(c.noise > 3 ? 2 : c.noise - 1));
		return err | ns->Enable(c.noise > 0);
	}

	// What it had learnt of where the echo is keeps it back for seconds.
	int restart() {
		webrtc::EchoCancellation *ec = ap->echo_cancellation();
		return ec->Enable(false) | ec->Enable(true);
	}

	// It says for what is past only.
	int echo_ms() { return -1; }
};

}  // namespace

#endif
