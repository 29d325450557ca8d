typedef struct {
    int rows, channels, outputs;
    const int8_t *weights; /* outputs, channels */
    const int32_t *bias;
    const int32_t *multipliers;
    const int8_t *shifts;
    int scales_step; /* 1: each output has its own multiplier; 0: all have the first */
    int32_t input_offset, output_offset, least, most;
} fully_connected_int8_layer;

static void fully_connected_int8(const fully_connected_int8_layer *layer, const int8_t *input,
                                 int8_t *output)
{
    for (int row = 0; row < layer->rows; row++, input += layer->channels) {
        const int8_t *weight = layer->weights;
        for (int channel = 0; channel < layer->outputs; channel++) {
            int32_t sum = layer->bias[channel];
            for (int k = 0; k < layer->channels; k++)
                sum += *weight++ * (input[k] + layer->input_offset);
            /* Here the reference kernel rounds once. */
            int scale = channel * layer->scales_step, places = 31 - layer->shifts[scale];
            int64_t product = (int64_t)sum * layer->multipliers[scale];
            sum = (int32_t)((product + (INT64_C(1) << (places - 1))) >> places);
            *output++ = clamped(sum + layer->output_offset, layer->least, layer->most);
        }
    }
}
