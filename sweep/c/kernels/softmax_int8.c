typedef struct {
    int outer, count;
    int32_t multiplier;
    int shift;
    int32_t least_difference; /* from the largest; e^x of lower ones is 0 */
} softmax_int8_layer;

/* The fixed-point functions that LiteRT's reference kernels take from gemmlowp: a number of type
   Qn is an integer times 2^(n - 31). */

/* 2^places x, saturated. */
static int32_t saturated_left(int32_t x, int places)
{
    int64_t product = (int64_t)x * (INT64_C(1) << places);
    return product > INT32_MAX ? INT32_MAX : product < INT32_MIN ? INT32_MIN : (int32_t)product;
}

/* e^x in Q0 for x <= 0 in Q5: a series on -1/4 to 0, times e^(-1/4), e^(-1/2), ... e^-16. */
static int32_t exponential_q(int32_t x)
{
    static const int32_t factors[7] = {1672461947, 1302514674, 790015084, 290630308,
                                       39332535,   720401,     242};
    if (x == 0)
        return INT32_MAX;
    int32_t quarter = INT32_C(1) << 24, near = (x & (quarter - 1)) - quarter, rest = near - x;
    int32_t y = near * 32 + (INT32_C(1) << 28);
    int32_t y2 = high_product(y, y), y3 = high_product(y2, y), y4 = high_product(y2, y2);
    int32_t high = rounded_shift(high_product(rounded_shift(y4, 2) + y3, 715827883) + y2, 1);
    int32_t power = 1895147668 + high_product(1895147668, y + high);
    for (int i = 0; i < 7; i++)
        if (rest & (quarter << i))
            power = high_product(power, factors[i]);
    return power;
}

/* 1 / (1 + x) in Q0 for x in Q0, 0 to 1: Newton's method. */
static int32_t inverse_q(int32_t x)
{
    int32_t half = (int32_t)(((int64_t)x + INT32_MAX + 1) / 2);
    int32_t y = 1515870810 + high_product(half, -1010580540);
    for (int i = 0; i < 3; i++)
        y += saturated_left(high_product(y, (INT32_C(1) << 29) - high_product(half, y)), 2);
    return saturated_left(y, 1);
}

static void softmax_int8(const softmax_int8_layer *layer, const int8_t *input, int8_t *output)
{
    for (int i = 0; i < layer->outer; i++, input += layer->count, output += layer->count) {
        int32_t largest = INT8_MIN, sum = 0;
        for (int k = 0; k < layer->count; k++)
            largest = input[k] > largest ? input[k] : largest;
        for (int k = 0; k < layer->count; k++) {
            int32_t x = input[k] - largest;
            if (x >= layer->least_difference)
                sum += rounded_shift(
                    exponential_q(rescaled(x, layer->multiplier, layer->shift)), 12);
        }
        int zeros = 0;
        while (!((uint32_t)sum << zeros & UINT32_C(0x80000000)))
            zeros++;
        int32_t inverse = inverse_q((int32_t)(((uint32_t)sum << zeros) - UINT32_C(0x80000000)));
        for (int k = 0; k < layer->count; k++) {
            int32_t x = input[k] - largest, share = 0;
            if (x >= layer->least_difference) {
                share = exponential_q(rescaled(x, layer->multiplier, layer->shift));
                share = rounded_shift(high_product(inverse, share), 12 - zeros + 31 - 8);
            }
            output[k] = clamped(share + INT8_MIN, INT8_MIN, INT8_MAX);
        }
    }
}
