/* e^x for x <= 0: 2^n e^r, r between -log(2) / 2 and log(2) / 2. */
static float exponential(float x)
{
    static const float terms[6] = {1.0f / 120.0f, 1.0f / 24.0f, 1.0f / 6.0f, 0.5f, 1.0f, 1.0f};
    if (!(x > -87.0f))
        return 0.0f;
    int n = (int)(x * 1.44269504f - 0.5f);
    /* log 2 in two parts, so that little is lost to rounding. */
    float r = x - (float)n * 0.693145752f - (float)n * 1.42860677e-6f;
    float series = 1.0f / 720.0f;
    for (int k = 0; k < 6; k++)
        series = series * r + terms[k];
    uint32_t bits = (uint32_t)(n + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return series * power;
}
