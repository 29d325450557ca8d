/* The front end of a speech model: ${samples} samples in, ${frames} x ${coefficients} features out. */
#ifndef FRONTEND_H
#define FRONTEND_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FRONTEND_RATE_HZ ${rate}
#define FRONTEND_SAMPLES ${samples}
#define FRONTEND_FRAMES ${frames}
#define FRONTEND_COEFFICIENTS ${coefficients}
#define FRONTEND_FRAME_LENGTH ${frame_length}
#define FRONTEND_FRAME_STEP ${frame_step}
#define FRONTEND_FFT_LENGTH ${fft_length}
#define FRONTEND_MEL_BINS ${mel_bins}
/* Frames whose mel bands are kept: all of them where a band is divided by its mean over the clip. */
#define FRONTEND_KEPT_FRAMES ${kept_frames}

/* Working memory; its content does not matter before or after a call. */
typedef struct {
    float spectrum[FRONTEND_FFT_LENGTH];
    float bands[FRONTEND_KEPT_FRAMES][FRONTEND_MEL_BINS];
} frontend_workspace;

/* Write the features of a clip of 16-bit samples: the float32 input of the model, frame by frame. */
void frontend_compute(const int16_t samples[FRONTEND_SAMPLES], frontend_workspace *work,
                      float features[FRONTEND_FRAMES * FRONTEND_COEFFICIENTS]);

/* Whether the features of a frame depend on the other frames of its clip. */
#define FRONTEND_PER_CLIP ${per_clip}
#if !FRONTEND_PER_CLIP
/* The same for one frame. */
void frontend_frame(const int16_t samples[FRONTEND_FRAME_LENGTH], frontend_workspace *work,
                    float features[FRONTEND_COEFFICIENTS]);
#endif

#ifdef __cplusplus
}
#endif

#endif
