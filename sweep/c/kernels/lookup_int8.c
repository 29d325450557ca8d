typedef struct {
    int count;
    const int8_t *table; /* what -128 to 127 become */
} lookup_int8_layer;

static void lookup_int8(const lookup_int8_layer *layer, const int8_t *input, int8_t *output)
{
    for (int i = 0; i < layer->count; i++)
        output[i] = layer->table[input[i] + 128];
}
