"""Mel bands of frames: what the built-in front ends have in common."""

import math
from abc import abstractmethod
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from sweep.arrays import to_float
from sweep.frontends.base import Frontend
from sweep.parameters import parameter

LEAST_MAGNITUDE = 1e-6
"""What is added to a magnitude before its logarithm, as in the published report."""

_MATRICES_KEPT = 16
_CLIPS_AT_ONCE = 8
"""Clips whose frames and spectra fit into a processor's cache."""


class MelFrontend(Frontend):
    """Magnitudes of frames in mel bands, of which a subclass makes features."""

    frame_length_in_s: float = parameter(
        0.032, low=0.001, high=0.5, meaning="length of a frame, in seconds"
    )
    frame_step_in_s: float = parameter(
        0.032, low=0.001, high=0.5, meaning="from one frame to the next, in seconds"
    )
    num_mel_bins: int = parameter(10, low=2, high=256, meaning="bands of the mel filter bank")
    lower_frequency: float = parameter(
        20.0, low=0, high=24000, meaning="lower edge of the mel filter bank, in Hz"
    )
    upper_frequency: float = parameter(
        8000.0, low=1, high=24000, meaning="upper edge of the mel filter bank, in Hz"
    )

    enlarges = {"frames": "frame_step_in_s", "coefficients": "num_mel_bins"}

    @property
    def frame_length(self) -> int:
        """Samples in a frame."""
        return round(self.downsampling_rate * self.frame_length_in_s)

    @property
    def frame_step(self) -> int:
        """Samples from the start of one frame to the start of the next."""
        return round(self.downsampling_rate * self.frame_step_in_s)

    @property
    def fft_length(self) -> int:
        """The smallest power of two that holds a frame."""
        return 1 << max(0, self.frame_length - 1).bit_length()

    @property
    def coefficients(self) -> int:
        """Values that a frame becomes."""
        return self.num_mel_bins

    @property
    def shape(self) -> tuple[int, int]:
        """Frames and coefficients of one clip's features."""
        return 1 + (self.num_samples - self.frame_length) // self.frame_step, self.coefficients

    @property
    def spectrum_shape(self) -> tuple[int, int]:
        """How many frames a clip has, and bins each."""
        return self.shape[0], self.fft_length // 2 + 1

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield what no filter bank can be made of."""
        high, low, nyquist = self.upper_frequency, self.lower_frequency, self.downsampling_rate / 2
        bins = self.fft_length // 2
        if high > nyquist:
            text = f"{high:g} Hz is above the Nyquist frequency of {nyquist:g} Hz"
            yield "upper_frequency", text
        if low >= high:
            yield "lower_frequency", f"{low:g} Hz is not below upper_frequency ({high:g} Hz)"
        if self.num_mel_bins > bins:
            text = f"a frame of {self.frame_length_in_s:g} s, which has {bins} frequency bins"
            yield "num_mel_bins", f"{self.num_mel_bins} is too many for {text}"
        if self.frame_length > self.num_samples:
            text = f"{self.frame_length_in_s:g} s is longer than a clip"
            yield "frame_length_in_s", f"{text} ({self.clip_length_in_s:g} s)"

    def features(self, waveforms: Any) -> Any:
        """Return features ``[clips, frames, coefficients]`` for float32 ``[clips, samples]``."""
        return self.from_spectra(self._spectra(waveforms))

    def from_spectra(self, spectra: Any) -> Any:
        """Return features for magnitudes ``[clips, frames, bins]``."""
        import tensorflow as tf

        return self.from_bands(tf.matmul(spectra, mel_matrix(self)))

    @abstractmethod
    def from_bands(self, bands: Any) -> Any:
        """Return features for magnitudes in mel bands, ``[clips, frames, num_mel_bins]``."""

    def spectra_of(self, clips: np.ndarray) -> np.ndarray:
        """Return the magnitudes of the frames of clips, float32 ``[clips, frames, bins]``.

        By NumPy, which is three times as fast here as the same in TensorFlow.
        """
        spectra = np.empty((len(clips), *self.spectrum_shape), np.float32)
        window, length, step = self.window(), self.frame_length, self.frame_step
        for first in range(0, len(clips), _CLIPS_AT_ONCE):
            part = slice(first, first + _CLIPS_AT_ONCE)
            waveforms = to_float(clips[part]) if clips.dtype == np.int16 else clips[part]
            frames = np.lib.stride_tricks.sliding_window_view(waveforms, length, axis=1)[:, ::step]
            spectra[part] = np.abs(np.fft.rfft(frames * window, self.fft_length))
        return spectra

    def window(self) -> np.ndarray:
        """Return the periodic Hann window of a frame, float32 ``[frame_length]``."""
        return np.hanning(self.frame_length + 1)[:-1].astype(np.float32)

    def _spectra(self, waveforms: Any) -> Any:
        """Return magnitudes ``[clips, frames, bins]`` for float32 ``[clips, samples]``."""
        import tensorflow as tf

        frames = self._frames(waveforms) * self.window()
        spectrum = tf.signal.rfft(frames, fft_length=[self.fft_length])
        power = tf.square(tf.math.real(spectrum)) + tf.square(tf.math.imag(spectrum))
        return tf.sqrt(power)

    def _frames(self, waveforms: Any) -> Any:
        """Return frames ``[clips, frames, samples]``, in whole blocks, which LiteRT copies fast."""
        import tensorflow as tf

        places = self._blocks()
        frames, each = places.shape
        size, count = self.frame_length // each, places.max() + 1
        blocks = tf.reshape(waveforms[:, : count * size], (-1, count, size))
        gathered = tf.gather(blocks, places, axis=1)
        return tf.reshape(gathered, (-1, frames, self.frame_length))

    def _blocks(self) -> np.ndarray:
        """Return which blocks each frame is made of, int32 ``[frames, blocks]``.

        A block is the longest run of samples of which both frame length and step are multiples.
        """
        size = math.gcd(self.frame_length, self.frame_step)
        starts = np.arange(self.shape[0]) * (self.frame_step // size)
        return (starts[:, None] + np.arange(self.frame_length // size)).astype(np.int32)


def normalization() -> Any:
    """Declare the parameter ``normalization``, which comes last."""
    return parameter(
        "none",
        choices=("none", "per_coefficient", "per_clip"),
        meaning="none; per_coefficient: training mean and deviation;"
        " per_clip: also the mean over time",
    )


def without_mean(features: Any) -> Any:
    """Return features less their mean over the frames of each clip."""
    import tensorflow as tf

    return features - tf.reduce_mean(features, axis=1, keepdims=True)


def mel_matrix(frontend: MelFrontend) -> np.ndarray:
    """Return the mel filter bank, float32 ``[fft_length / 2 + 1, num_mel_bins]`` (HTK scale)."""
    return _mel_matrix(
        frontend.num_mel_bins,
        frontend.fft_length // 2 + 1,
        frontend.downsampling_rate,
        frontend.lower_frequency,
        frontend.upper_frequency,
    )


@lru_cache(_MATRICES_KEPT)
def _mel_matrix(bands: int, bins: int, rate: int, low: float, high: float) -> np.ndarray:
    import tensorflow as tf

    with tf.init_scope():
        matrix: np.ndarray = tf.signal.linear_to_mel_weight_matrix(
            bands, bins, rate, low, high
        ).numpy()
    return matrix
