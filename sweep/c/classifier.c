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

static void read_output(const network_value *output, float *probabilities)
{
    for (int i = 0; i < CLASSIFIER_LABELS; i++)
        probabilities[i] = ((float)output[i] - OUTPUT_ZERO_POINT) * OUTPUT_SCALE;
}

void classifier_output(const network_value arena[NETWORK_ARENA],
                       float probabilities[CLASSIFIER_LABELS])
{
    read_output(arena + NETWORK_OUTPUT_PLACE, probabilities);
}

void classifier_run(const int16_t samples[FRONTEND_SAMPLES], classifier_workspace *work,
                    float probabilities[CLASSIFIER_LABELS])
{
    frontend_compute(samples, &work->shared.frontend, work->features);
    classifier_input(work->features, work->shared.arena);
    network_run(work->shared.arena);
    classifier_output(work->shared.arena, probabilities);
}

#if NETWORK_STREAMING
/* Samples of so many frames, and those of no frame with which a clip ends. */
#define SPAN(frames) (((frames) - 1) * FRONTEND_FRAME_STEP + FRONTEND_FRAME_LENGTH)
#define REST (FRONTEND_SAMPLES - SPAN(FRONTEND_FRAMES))

void classifier_step(const int16_t samples[CLASSIFIER_STEP_SAMPLES], classifier_stream *stream,
                     float probabilities[CLASSIFIER_LABELS])
{
    const int16_t *frame = samples + CLASSIFIER_STEP_SAMPLES - REST - SPAN(NETWORK_STEP_FRAMES);
    network_value *input = stream->memory + NETWORK_STEP_INPUT_PLACE;
    for (int i = 0; i < NETWORK_STEP_FRAMES; i++) {
        frontend_frame(frame, &stream->frontend, stream->features);
        for (int k = 0; k < FRONTEND_COEFFICIENTS; k++)
            *input++ = stored(stream->features[k]);
        frame += FRONTEND_FRAME_STEP;
    }
    network_step(stream->memory);
    read_output(stream->memory + NETWORK_STEP_OUTPUT_PLACE, probabilities);
}
#endif
