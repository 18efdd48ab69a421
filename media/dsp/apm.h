// The few calls that Go needs of WebRTC's audio processing, in C, so that one
// Go file fits every version of the library. All sound is 480 mono floats.
#ifndef ENTRENOUS_APM_H
#define ENTRENOUS_APM_H

#ifdef __cplusplus
extern "C" {
#endif

typedef struct apm apm;

typedef struct {
	int echo;  // cancel echo
	int noise; // suppress noise: 0 off, 1 low, 2 moderate, 3 high
} apm_config;

// 10 ms of sound, with all that is to be known of them.
typedef struct {
	float far[480];  // what the loudspeaker plays
	float near[480]; // what the microphone hears; it is cleaned in place
	int show;        // whether there is far; without, the canceller rests, and near is late all the same
	int silent;      // near is, and was for longer than all delays: the suppressor rests
	int delay_ms;    // how long before its echo far is
	float weight;    // how much of the canceller's work is used (0 to 1), at the tick's end
	int err;         // set: a code of the library's, 0 for none
	int echo_ms;     // set: how long after the loudspeaker the library looks for echo; -1: unknown
} apm_tick;

apm *apm_new(apm_config c);     // NULL when the library refuses
void apm_free(apm *a);
int apm_configure(apm *a, apm_config c);
apm_tick *apm_tick_of(apm *a);  // the one there is, as long as a
void apm_run(void *a);          // an apm, which cleans its tick; it waits for nothing
int apm_jumped(apm *a);         // from now on the loudspeaker is earlier or later
int apm_delay_ms(apm_config c); // what the near side is late by
const char *apm_name(void);

#ifdef __cplusplus
}
#endif
#endif
