/* Compares the front end, as this compiler makes it, with the features in golden.h. */
#include "frontend.h"
#include "golden.h"

#include <math.h>
#include <stdio.h>

int main(void)
{
    static frontend_workspace work;
    static float features[FRONTEND_FRAMES * FRONTEND_COEFFICIENTS];
    float largest = 0.0f;
    frontend_compute(golden_samples, &work, features);
    for (int i = 0; i < FRONTEND_FRAMES * FRONTEND_COEFFICIENTS; i++) {
        float difference = fabsf(features[i] - golden_features[i]);
        if (!(difference <= largest))
            largest = difference;
    }
    int passed = largest <= GOLDEN_TOLERANCE;
    printf("%s: largest difference %g, tolerance %g\n", passed ? "passed" : "FAILED",
           (double)largest, (double)GOLDEN_TOLERANCE);
    return passed ? 0 : 1;
}
