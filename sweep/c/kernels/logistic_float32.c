typedef struct {
    int count;
} logistic_float32_layer;

static void logistic_float32(const logistic_float32_layer *layer, const float *input, float *output)
{
    for (int i = 0; i < layer->count; i++) {
        float power = exponential(input[i] < 0.0f ? input[i] : -input[i]);
        output[i] = (input[i] < 0.0f ? power : 1.0f) / (1.0f + power);
    }
}
