//go:build cgo && !nocgo

// What is the same whichever version of the library cancels the echo: it works
// at 16 kHz, and bands.h does the rest. The bank of bands that each version has
// of its own costs more (half of a tick with 0.3, a tenth with 1.3 and 2.1),
// that of 1.3 and 2.1 takes 2 dB off tones around 8 kHz, and above them it too
// has one gain only.
#include "apm.h"
#include "bands.h"

#ifdef APM_VERSION
#include "apm_aec3.h"
#else
#include "apm_03.h"
#endif

namespace {
const webrtc::StreamConfig kMono(16000, 1);
const bands::filter kFilter;

// Samples of 16 kHz that the library is late by.
int late(bool echo, bool noise) { return (echo ? kEchoLate : 0) + (noise ? kNoiseLate : 0); }
}  // namespace

struct apm {
	library lib;
	bool echo = false, noise = false;
	bands::thinner far, near;
	bands::joiner join;
};

extern "C" {

int apm_configure(apm *a, apm_config c) {
	a->echo = c.echo != 0;
	a->noise = c.noise > 0;
	return a->lib.configure(c);
}

apm *apm_new(apm_config c) {
	std::unique_ptr<apm> a(new apm);
	if (!a->lib.ap || apm_configure(a.get(), c) != 0) return nullptr;
	return a.release();
}

void apm_free(apm *a) { delete a; }

int apm_jumped(apm *a) { return a->echo ? a->lib.restart() : 0; }

int apm_echo_ms(apm *a) { return a->lib.echo_ms(); }

int apm_far(apm *a, const float *tick) {
	float low[bands::kLow];
	a->far.run(kFilter, tick, low);
	float *ch[] = {low};
	return a->lib.ap->ProcessReverseStream(ch, kMono, kMono, ch);
}

int apm_near(apm *a, float *tick, int delay_ms, int typing) {
	float low[bands::kLow], after[bands::kLow];
	a->near.run(kFilter, tick, low);
	for (int i = 0; i < bands::kLow; i++) after[i] = low[i];
	float *ch[] = {after};
	if (a->echo) a->lib.ap->set_stream_delay_ms(delay_ms);
	a->lib.ap->set_stream_key_pressed(typing != 0);
	int err = a->lib.ap->ProcessStream(ch, kMono, kMono, ch);
	if (err == 0) { a->join.push(tick, low); a->join.run(kFilter, tick, after, late(a->echo, a->noise)); }
	return err;
}

int apm_delay_ms(apm_config c) {
	return (bands::kDelay + bands::kThin * late(c.echo != 0, c.noise > 0)) * 1000 / 48000 + 1;
}

const char *apm_name(void) { return kName; }

}  // extern "C"
