typedef struct {
    int outer, count, inner; /* the sizes before, of, and after the axes of which means are taken */
} mean_float32_layer;

static void mean_float32(const mean_float32_layer *layer, const float *input, float *output)
{
    for (int i = 0; i < layer->outer; i++, input += layer->count * layer->inner) {
        for (int k = 0; k < layer->inner; k++) {
            float sum = 0.0f;
            for (int j = 0; j < layer->count; j++)
                sum += input[j * layer->inner + k];
            *output++ = sum / (float)layer->count;
        }
    }
}
