typedef struct {
    int count;
} tanh_float32_layer;

static void tanh_float32(const tanh_float32_layer *layer, const float *input, float *output)
{
    for (int i = 0; i < layer->count; i++) {
        float power = exponential(input[i] < 0.0f ? 2.0f * input[i] : -2.0f * input[i]);
        output[i] = (input[i] < 0.0f ? power - 1.0f : 1.0f - power) / (1.0f + power);
    }
}
