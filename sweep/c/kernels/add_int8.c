typedef struct {
    broadcast axes;
    int32_t first_offset, second_offset, output_offset;
    int32_t first_multiplier, second_multiplier, output_multiplier;
    int first_shift, second_shift, output_shift;
    int32_t least, most;
} add_int8_layer;

static void add_int8(const add_int8_layer *layer, const int8_t *first, const int8_t *second,
                     int8_t *output)
{
    const int *size = layer->axes.size;
    const int *a = layer->axes.first_step, *b = layer->axes.second_step;
    for (int i = 0; i < size[0]; i++)
        for (int j = 0; j < size[1]; j++)
            for (int k = 0; k < size[2]; k++) {
                int32_t x = first[i * a[0] + j * a[1] + k * a[2]] + layer->first_offset;
                int32_t y = second[i * b[0] + j * b[1] + k * b[2]] + layer->second_offset;
                /* 20 bits below the point, so that little is lost to rounding. */
                x = rescaled(x * (INT32_C(1) << 20), layer->first_multiplier, layer->first_shift);
                y = rescaled(y * (INT32_C(1) << 20), layer->second_multiplier, layer->second_shift);
                x = rescaled(x + y, layer->output_multiplier, layer->output_shift);
                *output++ = clamped(x + layer->output_offset, layer->least, layer->most);
            }
}
