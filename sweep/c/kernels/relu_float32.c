typedef struct {
    int count;
    float least, most;
} relu_float32_layer;

static void relu_float32(const relu_float32_layer *layer, const float *input, float *output)
{
    for (int i = 0; i < layer->count; i++)
        output[i] = bounded(input[i], layer->least, layer->most);
}
