/* Frames of a stream on standard input, as they are stored; the output of each step on standard
   output. */
#include "network.h"

#include <stdio.h>

int main(void)
{
    static network_value memory[NETWORK_STEP_MEMORY];
    const size_t count = NETWORK_STEP_FRAMES * (NETWORK_INPUTS / FRAMES_OF_A_WINDOW);
    while (fread(memory + NETWORK_STEP_INPUT_PLACE, sizeof *memory, count, stdin) == count) {
        network_step(memory);
        const network_value *output = memory + NETWORK_STEP_OUTPUT_PLACE;
        if (fwrite(output, sizeof *output, NETWORK_OUTPUTS, stdout) != NETWORK_OUTPUTS)
            return 1;
    }
    return 0;
}
