/* C99, no allocation. Compile with -ffp-contract=off: fused operations round differently. */
#include "classifier.h"

#define QUANTIZED ${quantized}
#define INPUT_SCALE ${input_scale}
#define INPUT_ZERO_POINT ${input_zero_point}
#define OUTPUT_SCALE ${output_scale}
#define OUTPUT_ZERO_POINT ${output_zero_point}

const char *const classifier_labels[CLASSIFIER_LABELS] = {${labels}};

#if QUANTIZED
/* Rounded to nearest, half to even. */
static int8_t stored(float feature)
{
    float x = feature / INPUT_SCALE + INPUT_ZERO_POINT;
    if (!(x > -128.0f))
        return -128;
    if (x > 127.0f)
        return 127;
    int whole = (int)x, odd = whole & 1;
    float rest = x - (float)whole;
    if (rest > 0.5f || (rest == 0.5f && odd))
        whole++;
    if (rest < -0.5f || (rest == -0.5f && odd))
        whole--;
    return (int8_t)whole;
}
#else
static float stored(float feature)
{
    return feature;
}
#endif

void classifier_input(const float features[NETWORK_INPUTS], network_value arena[NETWORK_ARENA])
{
    for (int i = 0; i < NETWORK_INPUTS; i++)
        arena[NETWORK_INPUT_PLACE + i] = stored(features[i]);
}

void classifier_output(const network_value arena[NETWORK_ARENA],
                       float probabilities[CLASSIFIER_LABELS])
{
    for (int i = 0; i < CLASSIFIER_LABELS; i++) {
        float value = (float)arena[NETWORK_OUTPUT_PLACE + i];
        probabilities[i] = (value - OUTPUT_ZERO_POINT) * OUTPUT_SCALE;
    }
}

void classifier_run(const int16_t samples[FRONTEND_SAMPLES], classifier_workspace *work,
                    float probabilities[CLASSIFIER_LABELS])
{
    frontend_compute(samples, &work->shared.frontend, work->features);
    classifier_input(work->features, work->shared.arena);
    network_run(work->shared.arena);
    classifier_output(work->shared.arena, probabilities);
}
