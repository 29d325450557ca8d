
/* Add to the sums of four outputs the products of a run of values with their weights: first the four
   of the first value, and so on. */
static void four_products(const int8_t *value, int32_t offset, const int8_t *weight, int count,
                          int32_t sums[4])
{
    int32_t a = sums[0], b = sums[1], c = sums[2], d = sums[3];
    for (const int8_t *end = value + count; value != end; value++, weight += 4) {
        int32_t x = *value + offset;
        a += weight[0] * x;
        b += weight[1] * x;
        c += weight[2] * x;
        d += weight[3] * x;
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

/* The same of one output. */
static int32_t products(const int8_t *value, int32_t offset, const int8_t *weight, int count,
                        int32_t sum)
{
    for (int k = 0; k < count; k++)
        sum += weight[k] * (value[k] + offset);
    return sum;
}
