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

#define NETWORK_STREAMING ${streaming}
#if NETWORK_STREAMING
/* A step takes that many new frames, and gives what network_run would of the window that ends with
   them. What it needs of earlier frames is kept in its memory, zeros before the first step; so many
   steps come before that of the first whole window. */
#define NETWORK_STEP_FRAMES ${step_frames}
#define NETWORK_STEP_MEMORY ${step_memory}
#define NETWORK_STEP_INPUT_PLACE ${step_input_place}
#define NETWORK_STEP_OUTPUT_PLACE ${step_output_place}
#define NETWORK_WARM_UP ${warm_up}

void network_step(network_value memory[NETWORK_STEP_MEMORY]);
#endif

#ifdef __cplusplus
}
#endif

#endif
