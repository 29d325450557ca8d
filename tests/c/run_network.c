/* Inputs of a network on standard input, as they are stored; its outputs on standard output. */
#include "network.h"

#include <stdio.h>
#include <string.h>

int main(void)
{
    static network_value arena[NETWORK_ARENA], input[NETWORK_INPUTS];
    while (fread(input, sizeof input, 1, stdin) == 1) {
        memcpy(arena + NETWORK_INPUT_PLACE, input, sizeof input);
        network_run(arena);
        const network_value *output = arena + NETWORK_OUTPUT_PLACE;
        if (fwrite(output, sizeof *output, NETWORK_OUTPUTS, stdout) != NETWORK_OUTPUTS)
            return 1;
    }
    return 0;
}
