/* C99, no allocation. Compile with -ffp-contract=off: fused operations round differently. */
#include "network.h"

#include <string.h>

${kernels}
${layers}

void network_run(network_value arena[NETWORK_ARENA])
{
${calls}
}

#if NETWORK_STREAMING
${steps}

void network_step(network_value memory[NETWORK_STEP_MEMORY])
{
${step_calls}
    /* Make room for the frames of the next step. */
${shifts}
}
#endif
