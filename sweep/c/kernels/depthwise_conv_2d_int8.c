typedef struct {
    window window;
    const int8_t *weights; /* kernel rows, kernel columns, output channels */
    const int32_t *bias;
    const int32_t *multipliers;
    const int8_t *shifts;
    int scales_step; /* 1: each output channel has its own multiplier; 0: all have the first */
    int32_t input_offset, output_offset, least, most;
} depthwise_conv_2d_int8_layer;

static void depthwise_conv_2d_int8(const depthwise_conv_2d_int8_layer *layer, const int8_t *input,
                                   int8_t *output)
{
    const window *w = &layer->window;
    const int outputs_each = w->output_channels / w->channels;
    const int32_t offset = layer->input_offset;
    for (int row = 0; row < w->output_rows; row++) {
        int top = row * w->row_stride - w->top;
        taps rows = taps_inside(top, w->row_dilation, w->kernel_rows, w->rows);
        for (int column = 0; column < w->output_columns; column++) {
            int left = column * w->column_stride - w->left;
            taps columns = taps_inside(left, w->column_dilation, w->kernel_columns, w->columns);
            int first = left + columns.first * w->column_dilation;
            for (int channel = 0; channel < w->output_channels;) {
                int group = outputs_each > 1 || w->output_channels - channel < 4 ? 1 : 4;
                int32_t sums[4];
                for (int n = 0; n < group; n++)
                    sums[n] = layer->bias[channel + n];
                for (int i = rows.first; i < rows.end; i++) {
                    int place = ((top + i * w->row_dilation) * w->columns + first) * w->channels;
                    int tap = (i * w->kernel_columns + columns.first) * w->output_channels;
                    for (int j = columns.first; j < columns.end; j++) {
                        const int8_t *value = input + place + channel / outputs_each;
                        const int8_t *weight = layer->weights + tap + channel;
                        sums[0] += weight[0] * (value[0] + offset);
                        for (int n = 1; n < group; n++)
                            sums[n] += weight[n] * (value[n] + offset);
                        place += w->column_dilation * w->channels;
                        tap += w->output_channels;
                    }
                }
                for (int n = 0; n < group; n++, channel++) {
                    int scale = channel * layer->scales_step;
                    int32_t sum = rescaled(sums[n], layer->multipliers[scale], layer->shifts[scale]);
                    *output++ = clamped(sum + layer->output_offset, layer->least, layer->most);
                }
            }
        }
    }
}
