typedef struct {
    window window;
    const int8_t *weights; /* kernel rows, kernel columns, channels of four output channels side by
                              side, then of the next four, and of each that is left */
    const int32_t *bias;
    const int32_t *multipliers;
    const int8_t *shifts;
    int scales_step; /* 1: each output channel has its own multiplier; 0: all have the first */
    int32_t input_offset, output_offset, least, most;
} conv_2d_int8_layer;

static void conv_2d_int8(const conv_2d_int8_layer *layer, const int8_t *input, int8_t *output)
{
    const window *w = &layer->window;
    const int32_t offset = layer->input_offset;
    for (int row = 0; row < w->output_rows; row++) {
        int top = row * w->row_stride - w->top;
        taps rows = taps_inside(top, w->row_dilation, w->kernel_rows, w->rows);
        for (int column = 0; column < w->output_columns; column++) {
            int left = column * w->column_stride - w->left;
            taps columns = taps_inside(left, w->column_dilation, w->kernel_columns, w->columns);
            /* Neighbouring taps read neighbouring values: one run. */
            int together = w->column_dilation == 1 ? columns.end - columns.first : 1;
            int run = together * w->channels;
            const int8_t *kernel = layer->weights;
            for (int channel = 0; channel < w->output_channels;) {
                int group = w->output_channels - channel < 4 ? 1 : 4;
                int32_t sums[4];
                for (int n = 0; n < group; n++)
                    sums[n] = layer->bias[channel + n];
                for (int i = rows.first; i < rows.end; i++) {
                    const int8_t *line = input + (top + i * w->row_dilation) * w->columns * w->channels;
                    for (int j = columns.first; j < columns.end; j += together) {
                        const int8_t *value = line + (left + j * w->column_dilation) * w->channels;
                        const int8_t *weight =
                            kernel + (i * w->kernel_columns + j) * w->channels * group;
                        if (group == 4)
                            four_products(value, offset, weight, run, sums);
                        else
                            sums[0] = products(value, offset, weight, run, sums[0]);
                    }
                }
                for (int n = 0; n < group; n++, channel++) {
                    int scale = channel * layer->scales_step;
                    int32_t sum = rescaled(sums[n], layer->multipliers[scale], layer->shifts[scale]);
                    *output++ = clamped(sum + layer->output_offset, layer->least, layer->most);
                }
                kernel += group * w->kernel_rows * w->kernel_columns * w->channels;
            }
        }
    }
}
