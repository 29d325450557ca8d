typedef struct {
    broadcast axes;
    float least, most;
} mul_float32_layer;

static void mul_float32(const mul_float32_layer *layer, const float *first, const float *second,
                        float *output)
{
    const int *size = layer->axes.size;
    const int *a = layer->axes.first_step, *b = layer->axes.second_step;
    for (int i = 0; i < size[0]; i++)
        for (int j = 0; j < size[1]; j++)
            for (int k = 0; k < size[2]; k++) {
                float x = first[i * a[0] + j * a[1] + k * a[2]];
                float y = second[i * b[0] + j * b[1] + k * b[2]];
                *output++ = bounded(x * y, layer->least, layer->most);
            }
}
