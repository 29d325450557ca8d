typedef struct {
    int outer, count;
    float beta;
} softmax_float32_layer;

static void softmax_float32(const softmax_float32_layer *layer, const float *input, float *output)
{
    for (int i = 0; i < layer->outer; i++, input += layer->count, output += layer->count) {
        float largest = input[0], sum = 0.0f;
        for (int k = 1; k < layer->count; k++)
            largest = input[k] > largest ? input[k] : largest;
        for (int k = 0; k < layer->count; k++) {
            output[k] = exponential((input[k] - largest) * layer->beta);
            sum += output[k];
        }
        for (int k = 0; k < layer->count; k++)
            output[k] /= sum;
    }
}
