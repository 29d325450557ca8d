typedef struct {
    window window;
    const float *weights; /* kernel rows, kernel columns, output channels */
    const float *bias;
    float least, most;
} depthwise_conv_2d_float32_layer;

static void depthwise_conv_2d_float32(const depthwise_conv_2d_float32_layer *layer,
                                      const float *input, float *output)
{
    const window *w = &layer->window;
    const int outputs_each = w->output_channels / w->channels;
    for (int row = 0; row < w->output_rows; row++) {
        int top = row * w->row_stride - w->top;
        taps rows = taps_inside(top, w->row_dilation, w->kernel_rows, w->rows);
        for (int column = 0; column < w->output_columns; column++) {
            int left = column * w->column_stride - w->left;
            taps columns = taps_inside(left, w->column_dilation, w->kernel_columns, w->columns);
            for (int channel = 0; channel < w->output_channels; channel++) {
                const float *values = input + channel / outputs_each;
                const float *weights = layer->weights + channel;
                float sum = 0.0f;
                for (int i = rows.first; i < rows.end; i++) {
                    int line = (top + i * w->row_dilation) * w->columns + left;
                    for (int j = columns.first; j < columns.end; j++)
                        sum += weights[(i * w->kernel_columns + j) * w->output_channels] *
                               values[(line + j * w->column_dilation) * w->channels];
                }
                *output++ = bounded(sum + layer->bias[channel], layer->least, layer->most);
            }
        }
    }
}
