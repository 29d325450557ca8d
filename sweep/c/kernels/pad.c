typedef struct {
    int size[4], before[4], after[4];
    network_value value;
} pad_layer;

static void pad(const pad_layer *layer, const network_value *input, network_value *output)
{
    const int *size = layer->size, *before = layer->before, *after = layer->after;
    int at[4];
    for (at[0] = -before[0]; at[0] < size[0] + after[0]; at[0]++)
        for (at[1] = -before[1]; at[1] < size[1] + after[1]; at[1]++)
            for (at[2] = -before[2]; at[2] < size[2] + after[2]; at[2]++)
                for (at[3] = -before[3]; at[3] < size[3] + after[3]; at[3]++) {
                    int outside = 0;
                    for (int axis = 0; axis < 4; axis++)
                        outside |= at[axis] < 0 || at[axis] >= size[axis];
                    *output++ = outside ? layer->value : *input++;
                }
}
