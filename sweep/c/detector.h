/* A stream of 16-bit samples in, the keywords that are detected in it out. */
#ifndef DETECTOR_H
#define DETECTOR_H

#include "classifier.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The operating point: samples from one window to the next; strides over which probabilities are
   averaged; the least score of a detection; strides after one during which there is no other. */
#define DETECTOR_STRIDE ${stride}
#define DETECTOR_SMOOTHING ${smoothing}
#define DETECTOR_THRESHOLD ${threshold}
#define DETECTOR_REFRACTORY ${refractory}
#define DETECTOR_KEYWORDS ${keywords}

/* UTF-8. */
extern const char *const detector_keywords[DETECTOR_KEYWORDS];

#if NETWORK_STREAMING
#if DETECTOR_STRIDE != CLASSIFIER_STRIDE
#error "the operating point has another stride than the network's steps"
#endif
#define DETECTOR_SAMPLES CLASSIFIER_STEP_SAMPLES
typedef classifier_stream detector_work;
#else
#define DETECTOR_SAMPLES FRONTEND_SAMPLES
typedef classifier_workspace detector_work;
#endif

typedef struct {
    int16_t samples[DETECTOR_SAMPLES];
    detector_work work;
    float probabilities[DETECTOR_SMOOTHING][DETECTOR_KEYWORDS];
    uint64_t taken;
    size_t kept;
    int newest;
    int deaf_strides;
    int warm_up;
} detector_state;

typedef struct {
    int keyword;  /* Its place in detector_keywords; -1 if there is none. */
    float score;
    uint64_t end; /* Where its window ends, in samples from the start of the stream. */
} detector_event;

void detector_start(detector_state *state);

/* Take samples, up to the next window's end, and say whether a keyword is detected there. Returns
   how many it took: call it again with the others. */
size_t detector_feed(detector_state *state, const int16_t *samples, size_t count,
                     detector_event *event);

#ifdef __cplusplus
}
#endif

#endif
