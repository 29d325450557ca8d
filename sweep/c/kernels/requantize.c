/* a b / 2^31, rounded to nearest; >> of a negative number keeps its sign. */
static int32_t high_product(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b + (INT32_C(1) << 30)) >> 31);
}

/* x / 2^places, rounded to nearest, half away from zero. */
static int32_t rounded_shift(int32_t x, int places)
{
    int32_t mask = (int32_t)((UINT32_C(1) << places) - 1), rest = x & mask;
    return (x >> places) + (rest > (mask >> 1) + (x < 0));
}

/* x multiplier 2^(shift - 31), rounded twice as LiteRT's reference kernels do. */
static int32_t rescaled(int32_t x, int32_t multiplier, int shift)
{
    int left = shift > 0 ? shift : 0;
    int32_t product = high_product((int32_t)((uint32_t)x << left), multiplier);
    return rounded_shift(product, left - shift);
}
