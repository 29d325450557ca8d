/* For the emulator, which finds here where to begin, and where what it reads and writes lies. */
#include "classifier.h"

static int16_t samples[FRONTEND_SAMPLES];
static classifier_workspace work;
static float probabilities[CLASSIFIER_LABELS];

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
