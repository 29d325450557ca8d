/* Clips of 16-bit samples on standard input; of each, on standard output: its features, the input
   and the output of the network as they are stored, and the probabilities. */
#include "classifier.h"

#include <stdio.h>
#include <string.h>

static int written(const void *values, size_t size)
{
    return fwrite(values, size, 1, stdout) == 1;
}

int main(void)
{
    static int16_t samples[FRONTEND_SAMPLES];
    static classifier_workspace work;
    static network_value input[NETWORK_INPUTS], output[NETWORK_OUTPUTS];
    static float probabilities[CLASSIFIER_LABELS];
    while (fread(samples, sizeof samples, 1, stdin) == 1) {
        classifier_run(samples, &work, probabilities);
        memcpy(output, work.shared.arena + NETWORK_OUTPUT_PLACE, sizeof output);
        classifier_input(work.features, work.shared.arena);
        memcpy(input, work.shared.arena + NETWORK_INPUT_PLACE, sizeof input);
        if (!(written(work.features, sizeof work.features) && written(input, sizeof input) &&
              written(output, sizeof output) && written(probabilities, sizeof probabilities)))
            return 1;
    }
    return 0;
}
