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

int process(library &lib, float *low) {
	float *ch[] = {low};
	return lib.ap->ProcessStream(ch, kMono, kMono, ch);
}
}  // namespace

// apm is the library twice. What cancels echo forgets all about the room when it
// is switched off, so it is one that is not called while there is none.
struct apm {
	library echo, noise;
	bool cancels = false, suppresses = false;
	bool shown = false; // the loudspeaker, since the last tick of the microphone
	float used = 0;     // how much of the canceller's work was, in the last tick
	bands::thinner far, near;
	bands::joiner join;
	apm_tick tick = {};

	int show(const float *loudspeaker) {
		float low[bands::kLow];
		far.run(kFilter, loudspeaker, low);
		shown = true;
		float *ch[] = {low};
		return echo.ap->ProcessReverseStream(ch, kMono, kMono, ch);
	}

	int cancel(float *low, int delay_ms, float weight, bool silent) {
		const float *plain = join.before(kEchoLate);
		if (!shown) {
			if (!silent) used = 0;
			std::memcpy(low, plain, bands::kLow * sizeof(float));
			return 0;
		}
		shown = false;
		echo.ap->set_stream_delay_ms(delay_ms);
		int err = process(echo, low);
		for (int n = 0; n < bands::kLow; n++) {
			float w = used + (weight - used) * (n + 1) / bands::kLow;
			low[n] = plain[n] + w * (low[n] - plain[n]);
		}
		used = weight;
		return err;
	}

	int clean(float *sound, int delay_ms, float weight, bool silent) {
		float low[bands::kLow];
		near.run(kFilter, sound, low);
		join.push(sound, low);
		int err = cancels ? cancel(low, delay_ms, weight, silent) : 0;
		if (err == 0 && suppresses && !silent) err = process(noise, low);
		if (err == 0) join.run(kFilter, sound, low, late(cancels, suppresses));
		return err;
	}
};

extern "C" {

int apm_configure(apm *a, apm_config c) {
	a->cancels = c.echo != 0;
	a->suppresses = c.noise > 0;
	return a->echo.configure({c.echo, 0}) | a->noise.configure({0, c.noise});
}

apm *apm_new(apm_config c) {
	std::unique_ptr<apm> a(new apm);
	if (!a->echo.ap || !a->noise.ap || apm_configure(a.get(), c) != 0) return nullptr;
	return a.release();
}

void apm_free(apm *a) { delete a; }

int apm_jumped(apm *a) { return a->cancels ? a->echo.restart() : 0; }

void apm_run(void *p) {
	apm *a = static_cast<apm *>(p);
	apm_tick &t = a->tick;
	t.err = t.show ? a->show(t.far) : 0;
	if (t.err == 0) t.err = a->clean(t.near, t.delay_ms, t.weight, t.silent != 0);
	t.echo_ms = a->echo.echo_ms();
}

apm_tick *apm_tick_of(apm *a) { return &a->tick; }

int apm_delay_ms(apm_config c) {
	return (bands::kDelay + bands::kThin * late(c.echo != 0, c.noise > 0)) * 1000 / 48000 + 1;
}

const char *apm_name(void) { return kName; }

}  // extern "C"
