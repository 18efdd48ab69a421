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

// thinner takes ticks of 48 kHz to 16 kHz.
struct thinner {
	float past[kThin][kPhase + kLow] = {};

	void run(const filter &f, const float *tick, float *low) {
		float sum[kLow] = {};
		for (int p = 0; p < kThin; p++) {
			std::memmove(past[p], past[p] + kLow, kPhase * sizeof(float));
			for (int n = 0; n < kLow; n++) past[p][kPhase + n] = tick[kThin * n + p];
			// The filter is symmetric: which of its ends comes first is the same.
			for (int k = 0; k < kPhase; k++) {
				float h = f.tap[p][k];
				const float *x = past[p] + k + 1;
				for (int n = 0; n < kLow; n++) sum[n] += h * x[n];
			}
		}
		std::memcpy(low, sum, sizeof(sum));
	}
};

// joiner puts a tick together again from what the library made of its lower band.
struct joiner {
	float tape[kTick + kDelay + kThin * kLate] = {}; // of the whole voice
	float before[kLow + kLate] = {};                 // of its lower band
	float changed[kPhase + kLow] = {};               // what the library changed there
	float gain = 1;                                  // of the last step
	float in = 0, out = 0;                           // the last samples, for the difference

	// run takes a tick, its lower band before and after the library, which was
	// late samples of 16 kHz late, and gives the tick as it is to go on.
	void run(const filter &f, float *tick, const float *low, const float *after, int late) {
		std::memmove(tape, tape + kTick, sizeof(tape) - kTick * sizeof(float));
		std::memcpy(tape + kDelay + kThin * kLate, tick, kTick * sizeof(float));
		std::memmove(before, before + kLow, kLate * sizeof(float));
		std::memcpy(before + kLate, low, kLow * sizeof(float));
		std::memmove(changed, changed + kLow, kPhase * sizeof(float));
		const float *was = before + kLate - late;
		const float *whole = tape + kThin * (kLate - late);
		float g[kLow];
		gains(was, after, g);
		for (int n = 0; n < kLow; n++) changed[kPhase + n] = after[n] - g[n] * was[n];
		for (int p = 0; p < kThin; p++) {
			float sum[kLow] = {};
			for (int k = 0; k < kPhase; k++) {
				float h = kThin * f.tap[p][k];
				const float *x = changed + kPhase - k;
				for (int n = 0; n < kLow; n++) sum[n] += h * x[n];
			}
			for (int n = 0; n < kLow; n++) tick[kThin * n + p] = g[n] * whole[kThin * n + p] + sum[n];
		}
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
