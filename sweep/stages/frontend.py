"""The front end: waveforms to features, for many clips at once and as the LiteRT graph deployed."""

import math
from collections.abc import Iterable, Iterator

import numpy as np
import tensorflow as tf

from sweep.arrays import blocks
from sweep.audio.clips import to_float
from sweep.candidate import FrontendParams

VERSION = 4
"""Counts up when features are computed differently, so that old cache entries lapse."""

LEAST_MAGNITUDE = 1e-6
"""Added to magnitudes, so that silence has a logarithm."""

_CLIPS_AT_ONCE = 8
"""Clips whose frames and spectra fit into a processor's cache."""
_SPECTRA_BYTES = 2**22
"""Spectra in one call of the graph."""


def compute_features(clips: np.ndarray, frontend: FrontendParams) -> Iterator[np.ndarray]:
    """Yield the features of clips before mean and deviation are taken out, some clips at once.

    Args:
        clips: int16, or float32 in -1..1, ``[clips, samples]``.
        frontend: the front end.

    Yields:
        float32 ``[at most clips_at_once(frontend), frames, coefficients]``.
    """
    parts = blocks(clips, clips_at_once(frontend))
    return features_of((spectra_of(part, frontend) for part in parts), frontend)


def clips_at_once(frontend: FrontendParams) -> int:
    """Return how many clips are computed at once: few enough to take little memory."""
    return max(1, _SPECTRA_BYTES // (4 * math.prod(spectrum_shape(frontend))))


def spectrum_shape(frontend: FrontendParams) -> tuple[int, int]:
    """Return how many frames a clip has, and bins each."""
    return frontend.shape[0], frontend.fft_length // 2 + 1


def spectra_of(clips: np.ndarray, frontend: FrontendParams) -> np.ndarray:
    """Return the magnitudes of the frames of clips, float32 ``[clips, frames, bins]``.

    By NumPy, which is three times as fast here as the same in TensorFlow.
    """
    spectra = np.empty((len(clips), *spectrum_shape(frontend)), np.float32)
    window, length, step = hann_window(frontend), frontend.frame_length, frontend.frame_step
    for first in range(0, len(clips), _CLIPS_AT_ONCE):
        part = slice(first, first + _CLIPS_AT_ONCE)
        waveforms = to_float(clips[part]) if clips.dtype == np.int16 else clips[part]
        frames = np.lib.stride_tricks.sliding_window_view(waveforms, length, axis=1)[:, ::step]
        spectra[part] = np.abs(np.fft.rfft(frames * window, frontend.fft_length))
    return spectra


def features_of(spectra: Iterable[np.ndarray], frontend: FrontendParams) -> Iterator[np.ndarray]:
    """Yield the features of clips of which spectra are given, as many at once."""
    graph = _Graph(frontend)
    for part in spectra:
        yield graph.from_spectra(tf.constant(part, tf.float32)).numpy()


def hann_window(frontend: FrontendParams) -> np.ndarray:
    """Return the periodic Hann window of a frame, float32 ``[frame_length]``."""
    return np.hanning(frontend.frame_length + 1)[:-1].astype(np.float32)


def _blocks(frontend: FrontendParams) -> np.ndarray:
    """Return which blocks each frame is made of, int32 ``[frames, blocks]``.

    A block is the longest run of samples of which both frame length and frame step are multiples.
    """
    size = math.gcd(frontend.frame_length, frontend.frame_step)
    starts = np.arange(frontend.shape[0]) * (frontend.frame_step // size)
    return (starts[:, None] + np.arange(frontend.frame_length // size)).astype(np.int32)


def convert_frontend(
    frontend: FrontendParams, mean: np.ndarray | float = 0.0, deviation: np.ndarray | float = 1.0
) -> bytes:
    """Return the front end as a ``.tflite``: ``[1, samples]`` to ``[1, frames, coeffs, 1]``.

    It uses builtin operators only; what ``normalization`` takes out is part of it.
    """
    graph = _Graph(frontend)

    def deployed(waveform: tf.Tensor) -> tf.Tensor:
        features = graph.from_spectra(graph.spectra(waveform))
        if frontend.normalization != "none":
            features = (features - mean) * (1 / deviation)
        return features[..., tf.newaxis]

    signature = tf.TensorSpec((1, frontend.num_samples), tf.float32, name="waveform")
    function = tf.function(deployed, autograph=False).get_concrete_function(signature)
    return tf.lite.TFLiteConverter.from_concrete_functions([function], tf.Module()).convert()


class _Graph:
    """The computation of a front end; the report's, but for ``nonlinearity`` and ``normalization``.

    A cube root, unlike a logarithm, leaves faint frames near each other (as in PLP: Hermansky,
    "Perceptual linear predictive analysis of speech", 1990).  A clip's own level, which the mean of
    logarithms takes out, is a factor before a root: each band is divided by its mean.
    """

    def __init__(self, frontend: FrontendParams) -> None:
        self.frontend = frontend
        self.blocks = _blocks(frontend)
        self.window = hann_window(frontend)
        self.mel = mel_matrix(frontend)
        self.cosines = dct_matrix(frontend.num_mel_bins)[:, : frontend.num_coefficients]

    def spectra(self, waveforms: tf.Tensor) -> tf.Tensor:
        """Return magnitudes ``[clips, frames, bins]`` for float32 ``[clips, samples]``."""
        frames = self._frames(waveforms) * self.window
        spectrum = tf.signal.rfft(frames, fft_length=[self.frontend.fft_length])
        power = tf.square(tf.math.real(spectrum)) + tf.square(tf.math.imag(spectrum))
        return tf.sqrt(power)

    def _frames(self, waveforms: tf.Tensor) -> tf.Tensor:
        """Return frames ``[clips, frames, samples]``, in whole blocks, which LiteRT copies fast."""
        frames, each = self.blocks.shape
        size, count = self.frontend.frame_length // each, self.blocks.max() + 1
        blocks = tf.reshape(waveforms[:, : count * size], (-1, count, size))
        gathered = tf.gather(blocks, self.blocks, axis=1)
        return tf.reshape(gathered, (-1, frames, self.frontend.frame_length))

    def from_spectra(self, spectra: tf.Tensor) -> tf.Tensor:
        """Return features ``[clips, frames, coefficients]`` for such magnitudes."""
        features = self._compressed(tf.matmul(spectra, self.mel))
        if self.frontend.features == "mfcc":
            features = tf.matmul(features, self.cosines)
        if self.frontend.normalization == "per_clip":
            features -= tf.reduce_mean(features, axis=1, keepdims=True)
        return features

    def _compressed(self, bands: tf.Tensor) -> tf.Tensor:
        if self.frontend.nonlinearity == "log":
            return tf.math.log(bands + LEAST_MAGNITUDE)
        if self.frontend.normalization == "per_clip":
            bands /= tf.reduce_mean(bands, axis=1, keepdims=True) + LEAST_MAGNITUDE
        return tf.pow(bands, 1 / 3)


def mel_matrix(frontend: FrontendParams) -> np.ndarray:
    """Return the mel filter bank, float32 ``[fft_length / 2 + 1, num_mel_bins]`` (HTK scale)."""
    return tf.signal.linear_to_mel_weight_matrix(
        frontend.num_mel_bins,
        frontend.fft_length // 2 + 1,
        frontend.downsampling_rate,
        frontend.lower_frequency,
        frontend.upper_frequency,
    ).numpy()


def dct_matrix(bins: int) -> np.ndarray:
    """Return the DCT-II of ``tf.signal.mfccs_from_log_mel_spectrograms``, ``[bins, bins]``."""
    n, k = np.arange(bins)[:, None], np.arange(bins)[None, :]
    return (np.cos(np.pi * k * (2 * n + 1) / (2 * bins)) * np.sqrt(2 / bins)).astype(np.float32)
