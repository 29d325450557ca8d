/* For the emulator, which finds here where to begin, and where what it reads and writes lies. */
#include "classifier.h"

static float probabilities[CLASSIFIER_LABELS];

#if NETWORK_STREAMING
static int16_t samples[CLASSIFIER_STEP_SAMPLES];
static classifier_stream stream;

static void run(void)
{
    classifier_step(samples, &stream, probabilities);
}

__attribute__((section(".start"), used)) const void *const start[] = {
    (const void *)run,
    (const void *)network_step,
    samples,
    stream.memory + NETWORK_STEP_OUTPUT_PLACE,
};
#else
static int16_t samples[FRONTEND_SAMPLES];
static classifier_workspace work;

static void run(void)
{
    classifier_run(samples, &work, probabilities);
}

__attribute__((section(".start"), used)) const void *const start[] = {
    (const void *)run,
    (const void *)network_run,
    samples,
    work.shared.arena + NETWORK_OUTPUT_PLACE,
};
#endif
