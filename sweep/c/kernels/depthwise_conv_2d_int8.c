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
            for (int channel = 0; channel < w->output_channels; channel++) {
                const int8_t *values = input + channel / outputs_each;
                const int8_t *weights = layer->weights + channel;
                int32_t sum = layer->bias[channel];
                for (int i = rows.first; i < rows.end; i++) {
                    int line = (top + i * w->row_dilation) * w->columns + left;
                    for (int j = columns.first; j < columns.end; j++) {
                        int32_t value = values[(line + j * w->column_dilation) * w->channels];
                        sum += weights[(i * w->kernel_columns + j) * w->output_channels] *
                               (value + offset);
                    }
                }
                int scale = channel * layer->scales_step;
                sum = rescaled(sum, layer->multipliers[scale], layer->shifts[scale]);
                *output++ = clamped(sum + layer->output_offset, layer->least, layer->most);
            }
        }
    }
}
