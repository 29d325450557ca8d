/* Compares what this compiler makes of front end and network with golden.h. */
#include "classifier.h"
#include "golden.h"

#include <math.h>
#include <stdio.h>

static int passed(const char *part, float difference, float tolerance)
{
    int within = difference <= tolerance;
    printf("%s %s: largest difference %g, tolerance %g\n", part, within ? "passed" : "FAILED",
           (double)difference, (double)tolerance);
    return within;
}

/* The larger of both; not a number is larger than any. */
static float larger(float largest, float difference)
{
    return difference <= largest ? largest : difference;
}

int main(void)
{
    static classifier_workspace work;
    network_value *arena = work.shared.arena;
    float features = 0.0f, output = 0.0f;
    frontend_compute(golden_samples, &work.shared.frontend, work.features);
    for (int i = 0; i < NETWORK_INPUTS; i++)
        features = larger(features, fabsf(work.features[i] - golden_features[i]));
    classifier_input(golden_features, arena);
    network_run(arena);
    for (int i = 0; i < NETWORK_OUTPUTS; i++) {
        float difference = (float)arena[NETWORK_OUTPUT_PLACE + i] - (float)golden_output[i];
        output = larger(output, fabsf(difference));
    }
    int both = passed("front end", features, GOLDEN_FEATURES_TOLERANCE);
    both &= passed("network", output, GOLDEN_OUTPUT_TOLERANCE);
    return both ? 0 : 1;
}
