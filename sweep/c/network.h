/* A network: ${inputs} values in, ${outputs} out, ${kind}. */
#ifndef NETWORK_H
#define NETWORK_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef ${type} network_value;

#define NETWORK_INPUTS ${inputs}
#define NETWORK_OUTPUTS ${outputs}
/* Values of working memory, and where the input and the output lie in it. */
#define NETWORK_ARENA ${arena}
#define NETWORK_INPUT_PLACE ${input_place}
#define NETWORK_OUTPUT_PLACE ${output_place}

/* Compute the output from the input, both in the arena; the rest of it is overwritten. */
void network_run(network_value arena[NETWORK_ARENA]);

#ifdef __cplusplus
}
#endif

#endif
