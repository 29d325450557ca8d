/* Streams on standard input, each the samples of so many steps; on standard output of each the last
   output of the network, as it is stored. */
#include "classifier.h"

#include <stdio.h>
#include <string.h>

int main(void)
{
    static int16_t samples[CLASSIFIER_STEP_SAMPLES];
    static classifier_stream stream;
    static float probabilities[CLASSIFIER_LABELS];
    int step = 0;
    while (fread(samples, sizeof samples, 1, stdin) == 1) {
        if (step == 0)
            memset(&stream, 0, sizeof stream);
        classifier_step(samples, &stream, probabilities);
        const network_value *output = stream.memory + NETWORK_STEP_OUTPUT_PLACE;
        step = step < NETWORK_WARM_UP ? step + 1 : 0;
        if (step == 0 && fwrite(output, sizeof *output, NETWORK_OUTPUTS, stdout) != NETWORK_OUTPUTS)
            return 1;
    }
    return 0;
}
