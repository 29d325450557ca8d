/* C99, no allocation. Compile with -ffp-contract=off: fused operations round differently. */
#include "network.h"

#include <string.h>

${kernels}
${layers}

void network_run(network_value arena[NETWORK_ARENA])
{
${calls}
}
