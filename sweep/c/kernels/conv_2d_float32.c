typedef struct {
    window window;
    const float *weights; /* output channels, kernel rows, kernel columns, channels */
    const float *bias;
    float least, most;
} conv_2d_float32_layer;

static void conv_2d_float32(const conv_2d_float32_layer *layer, const float *input, float *output)
{
    const window *w = &layer->window;
    for (int row = 0; row < w->output_rows; row++) {
        int top = row * w->row_stride - w->top;
        taps rows = taps_inside(top, w->row_dilation, w->kernel_rows, w->rows);
        for (int column = 0; column < w->output_columns; column++) {
            int left = column * w->column_stride - w->left;
            taps columns = taps_inside(left, w->column_dilation, w->kernel_columns, w->columns);
            /* Neighbouring taps read neighbouring values: one run. */
            int together = w->column_dilation == 1 ? columns.end - columns.first : 1;
            int run = together * w->channels;
            const float *kernel = layer->weights;
            for (int channel = 0; channel < w->output_channels; channel++) {
                float sum = 0.0f;
                for (int i = rows.first; i < rows.end; i++) {
                    const float *line = input + (top + i * w->row_dilation) * w->columns * w->channels;
                    for (int j = columns.first; j < columns.end; j += together) {
                        const float *value = line + (left + j * w->column_dilation) * w->channels;
                        const float *weight = kernel + (i * w->kernel_columns + j) * w->channels;
                        for (int k = 0; k < run; k++)
                            sum += weight[k] * value[k];
                    }
                }
                *output++ = bounded(sum + layer->bias[channel], layer->least, layer->most);
                kernel += w->kernel_rows * w->kernel_columns * w->channels;
            }
        }
    }
}
