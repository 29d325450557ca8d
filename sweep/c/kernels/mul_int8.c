typedef struct {
    broadcast axes;
    int32_t first_offset, second_offset, output_offset, multiplier;
    int shift;
    int32_t least, most;
} mul_int8_layer;

static void mul_int8(const mul_int8_layer *layer, const int8_t *first, const int8_t *second,
                     int8_t *output)
{
    const int *size = layer->axes.size;
    const int *a = layer->axes.first_step, *b = layer->axes.second_step;
    for (int i = 0; i < size[0]; i++)
        for (int j = 0; j < size[1]; j++)
            for (int k = 0; k < size[2]; k++) {
                int32_t x = first[i * a[0] + j * a[1] + k * a[2]] + layer->first_offset;
                int32_t y = second[i * b[0] + j * b[1] + k * b[2]] + layer->second_offset;
                x = rescaled(x * y, layer->multiplier, layer->shift);
                *output++ = clamped(x + layer->output_offset, layer->least, layer->most);
            }
}
