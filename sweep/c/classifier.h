/* A clip of 16-bit samples in, the probability of each label out. */
#ifndef CLASSIFIER_H
#define CLASSIFIER_H

#include "frontend.h"
#include "network.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CLASSIFIER_LABELS NETWORK_OUTPUTS

/* UTF-8. */
extern const char *const classifier_labels[CLASSIFIER_LABELS];

/* Working memory; its content does not matter before a call. */
typedef struct {
    float features[NETWORK_INPUTS];
    union {
        frontend_workspace frontend;
        network_value arena[NETWORK_ARENA];
    } shared;
} classifier_workspace;

void classifier_run(const int16_t samples[FRONTEND_SAMPLES], classifier_workspace *work,
                    float probabilities[CLASSIFIER_LABELS]);

/* The parts of it after frontend_compute: features to the input of the network, in its arena,
   and, after network_run, the output of the network to probabilities. */
void classifier_input(const float features[NETWORK_INPUTS], network_value arena[NETWORK_ARENA]);
void classifier_output(const network_value arena[NETWORK_ARENA],
                       float probabilities[CLASSIFIER_LABELS]);

#if NETWORK_STREAMING
/* A stream, of which each frame is computed once: a step every CLASSIFIER_STRIDE samples gives what
   classifier_run would of the last FRONTEND_SAMPLES. It takes the last CLASSIFIER_STEP_SAMPLES,
   with zeros before the stream begins. The first is due after CLASSIFIER_FIRST_STEP samples; the
   first NETWORK_WARM_UP are of no whole clip. */
#define CLASSIFIER_STRIDE ${stride}
#define CLASSIFIER_STEP_SAMPLES ${step_samples}
#define CLASSIFIER_FIRST_STEP (FRONTEND_SAMPLES - NETWORK_WARM_UP * CLASSIFIER_STRIDE)

/* All zeros before the first step. */
typedef struct {
    frontend_workspace frontend;
    float features[FRONTEND_COEFFICIENTS];
    network_value memory[NETWORK_STEP_MEMORY];
} classifier_stream;

void classifier_step(const int16_t samples[CLASSIFIER_STEP_SAMPLES], classifier_stream *stream,
                     float probabilities[CLASSIFIER_LABELS]);
#endif

#ifdef __cplusplus
}
#endif

#endif
