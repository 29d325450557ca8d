/* C99, no allocation. Compile with -ffp-contract=off: fused operations round differently. */
#include "detector.h"

#include <string.h>

const char *const detector_keywords[DETECTOR_KEYWORDS] = {${keyword_texts}};

/* Which of the network's outputs they are. */
static const int outputs[DETECTOR_KEYWORDS] = {${outputs}};

void detector_start(detector_state *state)
{
    memset(state, 0, sizeof *state);
#if NETWORK_STREAMING
    state->kept = CLASSIFIER_STEP_SAMPLES - CLASSIFIER_FIRST_STEP;
    state->warm_up = NETWORK_WARM_UP;
#endif
}

/* The mean of a keyword's latest probabilities, the oldest first. */
static float score_of(const detector_state *state, int keyword)
{
    float sum = 0.0f;
    for (int i = 1; i <= DETECTOR_SMOOTHING; i++)
        sum += state->probabilities[(state->newest + i) % DETECTOR_SMOOTHING][keyword];
    return sum / (float)DETECTOR_SMOOTHING;
}

static void decide(detector_state *state, detector_event *event)
{
    float probabilities[CLASSIFIER_LABELS];
#if NETWORK_STREAMING
    classifier_step(state->samples, &state->work, probabilities);
    if (state->warm_up > 0) {
        state->warm_up--;
        return;
    }
#else
    classifier_run(state->samples, &state->work, probabilities);
#endif
    state->newest = (state->newest + 1) % DETECTOR_SMOOTHING;
    for (int k = 0; k < DETECTOR_KEYWORDS; k++)
        state->probabilities[state->newest][k] = probabilities[outputs[k]];
    int best = 0;
    float score = score_of(state, 0);
    for (int k = 1; k < DETECTOR_KEYWORDS; k++) {
        float other = score_of(state, k);
        if (other > score) {
            best = k;
            score = other;
        }
    }
    if (state->deaf_strides > 0) {
        state->deaf_strides--;
    } else if (score >= DETECTOR_THRESHOLD) {
        event->keyword = best;
        event->score = score;
        event->end = state->taken;
        state->deaf_strides = DETECTOR_REFRACTORY;
    }
}

size_t detector_feed(detector_state *state, const int16_t *samples, size_t count,
                     detector_event *event)
{
    size_t missing = DETECTOR_SAMPLES - state->kept;
    size_t taken = count < missing ? count : missing;
    if (taken > 0)
        memcpy(state->samples + state->kept, samples, taken * sizeof *samples);
    state->kept += taken;
    state->taken += taken;
    event->keyword = -1;
    event->score = 0.0f;
    event->end = 0;
    if (state->kept == DETECTOR_SAMPLES) {
        decide(state, event);
        state->kept -= DETECTOR_STRIDE;
        memmove(state->samples, state->samples + DETECTOR_STRIDE,
                state->kept * sizeof *state->samples);
    }
    return taken;
}
