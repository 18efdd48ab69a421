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

apm *apm_new(apm_config c);             // NULL when the library refuses
void apm_free(apm *a);
int apm_configure(apm *a, apm_config c);
int apm_far(apm *a, const float *tick); // what the loudspeaker plays; left out, the canceller rests in the next tick
int apm_near(apm *a, float *tick, int delay_ms, float weight); // weight: how much of the canceller's work is used, at the tick's end
int apm_jumped(apm *a);                 // from now on the loudspeaker is earlier or later
int apm_echo_ms(apm *a);                // how long after the loudspeaker the library looks for echo; -1: unknown
int apm_delay_ms(apm_config c);         // what the near side is late by
const char *apm_name(void);

#ifdef __cplusplus
}
#endif
#endif
