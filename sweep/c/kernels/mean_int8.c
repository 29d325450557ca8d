typedef struct {
    int outer, count, inner; /* the sizes before, of, and after the axes of which means are taken */
    int32_t zero_point, multiplier;
    int shift;
    int32_t output_offset;
} mean_int8_layer;

static void mean_int8(const mean_int8_layer *layer, const int8_t *input, int8_t *output)
{
    for (int i = 0; i < layer->outer; i++, input += layer->count * layer->inner) {
        for (int k = 0; k < layer->inner; k++) {
            int32_t sum = -layer->count * layer->zero_point;
            for (int j = 0; j < layer->count; j++)
                sum += input[j * layer->inner + k];
            sum = rescaled(sum, layer->multiplier, layer->shift);
            *output++ = clamped(sum + layer->output_offset, INT8_MIN, INT8_MAX);
        }
    }
}
