/* Clips of 16-bit samples on standard input, their float32 features on standard output. */
#include "frontend.h"

#include <stdio.h>

int main(void)
{
    static int16_t samples[FRONTEND_SAMPLES];
    static frontend_workspace work;
    static float features[FRONTEND_FRAMES * FRONTEND_COEFFICIENTS];
    while (fread(samples, sizeof samples, 1, stdin) == 1) {
        frontend_compute(samples, &work, features);
        if (fwrite(features, sizeof features, 1, stdout) != 1)
            return 1;
    }
    return 0;
}
