typedef struct {
    int rows, channels, outputs;
    const float *weights; /* outputs, channels */
    const float *bias;
    float least, most;
} fully_connected_float32_layer;

static void fully_connected_float32(const fully_connected_float32_layer *layer, const float *input,
                                    float *output)
{
    for (int row = 0; row < layer->rows; row++, input += layer->channels) {
        const float *weight = layer->weights;
        for (int channel = 0; channel < layer->outputs; channel++) {
            float sum = 0.0f;
            for (int k = 0; k < layer->channels; k++)
                sum += *weight++ * input[k];
            *output++ = bounded(sum + layer->bias[channel], layer->least, layer->most);
        }
    }
}
