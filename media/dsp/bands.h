// Two bands of a voice, so that a library need work on the lower one alone:
// 0 to 8 kHz at 16 kHz, where all that matters to an echo canceller is. What
// lies above gets the gain that the library gave to the top of the lower one.
#ifndef ENTRENOUS_BANDS_H
#define ENTRENOUS_BANDS_H

#include <algorithm>
#include <cmath>
#include <cstring>

namespace bands {

const int kThin = 3;              // 48 kHz to 16 kHz
const int kTick = 480;            // samples at 48 kHz
const int kLow = kTick / kThin;   // at 16 kHz
const int kPhase = 32;            // taps of each of the filter's three phases
const int kTaps = kThin * kPhase;
const int kDelay = kTaps - kThin; // of splitting and joining, samples at 48 kHz
const int kLate = 256;            // the most that a library may be late, samples at 16 kHz
const int kTape = 3 * kTick;      // holds a tick and what it is late by
const int kStep = 80;             // samples at 16 kHz between two gains: 5 ms
const float kLeast = 1e-7f;       // energy of such a step that says nothing: the library works in 16 bits

// filter is a windowed sinc with its edge at 7.2 kHz, in three phases.
struct filter {
	float tap[kThin][kPhase];
	filter() {
		double sum = 0, h[kTaps];
		for (int k = 0; k < kTaps; k++) {
			double x = k - (kTaps - 1) / 2.0;
			h[k] = std::sin(2 * M_PI * 7200 / 48000 * x) / x * (0.54 + 0.46 * std::cos(2 * M_PI * x / kTaps));
			sum += h[k];
		}
		for (int k = 0; k < kTaps; k++) tap[k % kThin][k / kThin] = static_cast<float>(h[k] / sum);
	}
};

// four are samples side by side, which one instruction works on (a loop over
// single ones is left as it is by compilers and takes eight times as long).
typedef float four __attribute__((vector_size(16)));

inline four load(const float *x) {
	four v;
	std::memcpy(&v, x, sizeof(v));
	return v;
}

// phase adds what one phase of the filter makes of x to sum, kLow samples. x has
// kPhase - 1 samples more.
inline void phase(const float *tap, const float *x, float *sum) {
	for (int n = 0; n < kLow; n += 16) { // as many as stay in registers
		four a = load(sum + n), b = load(sum + n + 4), c = load(sum + n + 8), d = load(sum + n + 12);
		for (int k = 0; k < kPhase; k++) {
			const float *y = x + n + k;
			a += tap[k] * load(y);
			b += tap[k] * load(y + 4);
			c += tap[k] * load(y + 8);
			d += tap[k] * load(y + 12);
		}
		std::memcpy(sum + n, &a, sizeof(a));
		std::memcpy(sum + n + 4, &b, sizeof(b));
		std::memcpy(sum + n + 8, &c, sizeof(c));
		std::memcpy(sum + n + 12, &d, sizeof(d));
	}
}

// thinner takes ticks of 48 kHz to 16 kHz.
struct thinner {
	float past[kThin][kPhase] = {};

	void run(const filter &f, const float *tick, float *low) {
		float x[kPhase + kLow];
		for (int n = 0; n < kLow; n++) low[n] = 0;
		for (int p = 0; p < kThin; p++) {
			std::memcpy(x, past[p], sizeof(past[p]));
			for (int n = 0; n < kLow; n++) x[kPhase + n] = tick[kThin * n + p];
			// The filter is symmetric: which of its ends comes first is the same.
			phase(f.tap[p], x + 1, low);
			std::memcpy(past[p], x + kLow, sizeof(past[p]));
		}
	}
};

// joiner puts a tick together again from what the library made of its lower band.
struct joiner {
	float whole[kTape] = {};        // of the whole voice, a ring
	float band[kLow + kLate] = {};  // of its lower band
	float changed[kPhase] = {};     // what the library changed there
	int end = 0;                    // of the ring
	float gain = 1;                 // of the last step
	float in = 0, out = 0;          // the last samples, for the difference

	// push takes the next tick and its lower band.
	void push(const float *tick, const float *low) {
		std::memcpy(whole + end, tick, kTick * sizeof(float));
		end = (end + kTick) % kTape;
		std::memmove(band, band + kLow, kLate * sizeof(float));
		std::memcpy(band + kLate, low, kLow * sizeof(float));
	}

	// before is the lower band of late samples ago.
	const float *before(int late) const { return band + kLate - late; }

	// run gives the tick as it is to go on, from what the library made of the
	// lower band of late samples ago.
	void run(const filter &f, float *tick, const float *after, int late) {
		const float *was = before(late);
		float g[kLow], x[kPhase + kLow], voice[kTick];
		gains(was, after, g);
		std::memcpy(x, changed, sizeof(changed));
		for (int n = 0; n < kLow; n++) x[kPhase + n] = after[n] - g[n] * was[n];
		std::memcpy(changed, x + kLow, sizeof(changed));
		past(kDelay + kThin * late, voice);
		for (int p = 0; p < kThin; p++) {
			float sum[kLow] = {};
			phase(f.tap[kThin - 1 - p], x + 1, sum); // the filter's mirror image
			for (int n = 0; n < kLow; n++) tick[kThin * n + p] = g[n] * voice[kThin * n + p] + kThin * sum[n];
		}
	}

	// past is the tick of ago samples before the last.
	void past(int ago, float *voice) const {
		int from = (end + kTape - kTick - ago) % kTape;
		int first = std::min(kTick, kTape - from);
		std::memcpy(voice, whole + from, first * sizeof(float));
		std::memcpy(voice + first, whole, (kTick - first) * sizeof(float));
	}

	// gains says for each sample how much of the top of the band was let through.
	void gains(const float *was, const float *after, float *g) {
		for (int s = 0; s < kLow; s += kStep) {
			float had = kLeast, has = kLeast;
			for (int n = s; n < s + kStep; n++) { // differences weigh the top
				had += (was[n] - in) * (was[n] - in);
				has += (after[n] - out) * (after[n] - out);
				in = was[n];
				out = after[n];
			}
			float next = std::min(1.0f, std::sqrt(has / had));
			for (int n = 0; n < kStep; n++) g[s + n] = gain + (next - gain) * (n + 1) / kStep;
			gain = next;
		}
	}
};

}  // namespace bands

#endif
