/* C99, no allocation. Compile with -ffp-contract=off: fused operations round differently. */
#include "frontend.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define POINTS (FRONTEND_FFT_LENGTH / 2)
#define LEAST_MAGNITUDE ${least_magnitude}
#define MFCC ${mfcc}
#define CUBE_ROOT ${cube_root}
#define STANDARDISED ${standardised}

${tables}

/* The windowed frame, padded with zeros; 16-bit samples are taken as -1 to 1. */
static void cut_frame(const int16_t *samples, float *spectrum)
{
    for (int i = 0; i < FRONTEND_FRAME_LENGTH; i++)
        spectrum[i] = (float)samples[i] * (1.0f / 32768.0f) * window[i];
    for (int i = FRONTEND_FRAME_LENGTH; i < FRONTEND_FFT_LENGTH; i++)
        spectrum[i] = 0.0f;
}

static void swap(float *a, float *b)
{
    float kept = *a;
    *a = *b;
    *b = kept;
}

/* Fourier transform of POINTS complex numbers (real, imaginary), in place, radix 2. */
static void transform(float *z)
{
    for (int i = 1, j = 0; i < POINTS; i++) {
        int bit = POINTS / 2;
        for (; j & bit; bit /= 2)
            j ^= bit;
        j ^= bit;
        if (i < j) {
            swap(&z[2 * i], &z[2 * j]);
            swap(&z[2 * i + 1], &z[2 * j + 1]);
        }
    }
    for (int size = 2; size <= POINTS; size *= 2) {
        for (int first = 0; first < POINTS; first += size) {
            for (int k = 0; k < size / 2; k++) {
                const float *turn = twiddles[k * (FRONTEND_FFT_LENGTH / size)];
                float *a = &z[2 * (first + k)], *b = a + size;
                float real = b[0] * turn[0] - b[1] * turn[1];
                float imaginary = b[0] * turn[1] + b[1] * turn[0];
                b[0] = a[0] - real;
                b[1] = a[1] - imaginary;
                a[0] += real;
                a[1] += imaginary;
            }
        }
    }
}

/* From a real signal to the magnitudes of bins 0 to POINTS, in place.
   Even and odd samples are the real and imaginary parts of a transform of half the length. */
static void magnitudes(float *z)
{
    transform(z);
    float first = fabsf(z[0] + z[1]), last = fabsf(z[0] - z[1]);
    for (int k = 1; k <= POINTS / 2; k++) {
        float *a = &z[2 * k], *b = &z[2 * (POINTS - k)];
        const float *turn = twiddles[k];
        float even_real = 0.5f * (a[0] + b[0]), even_imaginary = 0.5f * (a[1] - b[1]);
        float odd_real = 0.5f * (a[1] + b[1]), odd_imaginary = 0.5f * (b[0] - a[0]);
        float real = odd_real * turn[0] - odd_imaginary * turn[1];
        float imaginary = odd_real * turn[1] + odd_imaginary * turn[0];
        float low_real = even_real + real, low_imaginary = even_imaginary + imaginary;
        float high_real = even_real - real, high_imaginary = even_imaginary - imaginary;
        a[0] = sqrtf(low_real * low_real + low_imaginary * low_imaginary);
        b[0] = sqrtf(high_real * high_real + high_imaginary * high_imaginary);
    }
    for (int k = 1; k < POINTS; k++)
        z[k] = z[2 * k];
    z[0] = first;
    z[POINTS] = last;
}

static void mel_bands(const float *spectrum, float *bands)
{
    const float *weight = mel_weights;
    for (int band = 0; band < FRONTEND_MEL_BINS; band++) {
        const float *bin = spectrum + mel_first[band];
        float sum = 0.0f;
        for (int i = 0; i < mel_count[band]; i++)
            sum += *weight++ * *bin++;
        bands[band] = sum;
    }
}

#if CUBE_ROOT
/* Newton's method, from a third of the exponent. */
static float compress(float x)
{
    if (x < FLT_MIN)
        return 0.0f;
    uint32_t bits;
    float root;
    memcpy(&bits, &x, sizeof bits);
    bits = bits / 3u + 0x2a514067u;
    memcpy(&root, &bits, sizeof root);
    for (int i = 0; i < 3; i++)
        root = (2.0f * root + x / (root * root)) * (1.0f / 3.0f);
    return root;
}
#else
/* log(m 2^e) = e log 2 + 2 atanh((m - 1) / (m + 1)), m between the roots of 1/2 and 2. */
static float compress(float x)
{
    uint32_t bits;
    float m;
    x += LEAST_MAGNITUDE;
    memcpy(&bits, &x, sizeof bits);
    int e = (int)(bits >> 23) - 127;
    bits = (bits & 0x7fffffu) | 0x3f800000u;
    memcpy(&m, &bits, sizeof m);
    if (m > 1.41421356f) {
        m *= 0.5f;
        e += 1;
    }
    float s = (m - 1.0f) / (m + 1.0f), q = s * s;
    float series = q * (1.0f / 3.0f + q * (0.2f + q * (1.0f / 7.0f + q * (1.0f / 9.0f))));
    /* log 2 in two parts, so that little is lost to rounding. */
    return (float)e * 0.693145752f + ((float)e * 1.42860677e-6f + (2.0f * s + 2.0f * s * series));
}
#endif

/* From the bands of a frame, which are overwritten, to its coefficients. */
static void coefficients(float *bands, float *features)
{
    for (int band = 0; band < FRONTEND_MEL_BINS; band++)
        bands[band] = compress(bands[band]);
#if MFCC
    for (int k = 0; k < FRONTEND_COEFFICIENTS; k++) {
        float sum = 0.0f;
        for (int band = 0; band < FRONTEND_MEL_BINS; band++)
            sum += bands[band] * cosines[k][band];
        features[k] = sum;
    }
#else
    memcpy(features, bands, FRONTEND_MEL_BINS * sizeof *features);
#endif
}

static float standardised(float feature, int k)
{
#if STANDARDISED
    return (feature - mean[k]) * scale[k];
#else
    (void)k;
    return feature;
#endif
}

#if FRONTEND_PER_CLIP
/* The mean of one column of a table with FRONTEND_FRAMES rows. */
static float mean_over_time(const float *column, int width)
{
    float sum = 0.0f;
    for (int frame = 0; frame < FRONTEND_FRAMES; frame++)
        sum += column[frame * width];
    return sum / (float)FRONTEND_FRAMES;
}

#if CUBE_ROOT
static void divide_by_level(float *bands)
{
    for (int band = 0; band < FRONTEND_MEL_BINS; band++) {
        float level = mean_over_time(bands + band, FRONTEND_MEL_BINS) + LEAST_MAGNITUDE;
        for (int frame = 0; frame < FRONTEND_FRAMES; frame++)
            bands[frame * FRONTEND_MEL_BINS + band] /= level;
    }
}
#endif

static void normalise(float *features)
{
    for (int k = 0; k < FRONTEND_COEFFICIENTS; k++) {
        float centre = mean_over_time(features + k, FRONTEND_COEFFICIENTS);
        for (int frame = 0; frame < FRONTEND_FRAMES; frame++) {
            float *feature = &features[frame * FRONTEND_COEFFICIENTS + k];
            *feature = standardised(*feature - centre, k);
        }
    }
}

void frontend_compute(const int16_t samples[FRONTEND_SAMPLES], frontend_workspace *work,
                      float features[FRONTEND_FRAMES * FRONTEND_COEFFICIENTS])
{
    for (int frame = 0; frame < FRONTEND_FRAMES; frame++) {
        float *bands = work->bands[frame % FRONTEND_KEPT_FRAMES];
        cut_frame(samples + frame * FRONTEND_FRAME_STEP, work->spectrum);
        magnitudes(work->spectrum);
        mel_bands(work->spectrum, bands);
#if !CUBE_ROOT
        coefficients(bands, features + frame * FRONTEND_COEFFICIENTS);
#endif
    }
#if CUBE_ROOT
    divide_by_level(work->bands[0]);
    for (int frame = 0; frame < FRONTEND_FRAMES; frame++)
        coefficients(work->bands[frame], features + frame * FRONTEND_COEFFICIENTS);
#endif
    normalise(features);
}
#else
void frontend_frame(const int16_t samples[FRONTEND_FRAME_LENGTH], frontend_workspace *work,
                    float features[FRONTEND_COEFFICIENTS])
{
    cut_frame(samples, work->spectrum);
    magnitudes(work->spectrum);
    mel_bands(work->spectrum, work->bands[0]);
    coefficients(work->bands[0], features);
    for (int k = 0; k < FRONTEND_COEFFICIENTS; k++)
        features[k] = standardised(features[k], k);
}

void frontend_compute(const int16_t samples[FRONTEND_SAMPLES], frontend_workspace *work,
                      float features[FRONTEND_FRAMES * FRONTEND_COEFFICIENTS])
{
    for (int frame = 0; frame < FRONTEND_FRAMES; frame++)
        frontend_frame(samples + frame * FRONTEND_FRAME_STEP, work,
                       features + frame * FRONTEND_COEFFICIENTS);
}
#endif
