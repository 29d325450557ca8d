"""Mel-frequency cepstral coefficients, as ``tf.signal`` has them; the report's front end."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from sweep.frontends.mel import LEAST_MAGNITUDE, MelFrontend, normalization, without_mean
from sweep.parameters import parameter

_MATRICES_KEPT = 16


class MFCC(MelFrontend):
    """Cosine transform of the logarithm, or the cube root, of mel bands.

    A cube root, unlike a logarithm, leaves faint frames near each other (as in PLP: Hermansky,
    "Perceptual linear predictive analysis of speech", 1990).  A clip's own level, which the mean of
    logarithms takes out, is a factor before a root: each band is divided by its mean.
    """

    num_coefficients: int = parameter(10, low=1, high=256, meaning="cepstral coefficients kept")
    nonlinearity: str = parameter(
        "log", choices=("log", "cube_root"), meaning="what mel magnitudes pass through"
    )
    normalization: str = normalization()

    enlarges = MelFrontend.enlarges | {"coefficients": "num_coefficients"}

    @property
    def coefficients(self) -> int:
        """Values that a frame becomes."""
        return self.num_coefficients

    @property
    def is_by_frame(self) -> bool:
        """Whether no mean over the clip is taken out."""
        return self.normalization != "per_clip"

    @property
    def is_standardised(self) -> bool:
        """Whether each coefficient's mean and deviation over the training clips are taken out."""
        return self.normalization != "none"

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield what no filter bank and no coefficients can be made of."""
        yield from super().problems()
        if self.num_coefficients > self.num_mel_bins:
            text = f"{self.num_coefficients} is more than num_mel_bins ({self.num_mel_bins})"
            yield "num_coefficients", text

    def from_bands(self, bands: Any) -> Any:
        """Return features for magnitudes in mel bands, ``[clips, frames, num_mel_bins]``."""
        import tensorflow as tf

        cosines = dct_matrix(self.num_mel_bins)[:, : self.num_coefficients]
        features = tf.matmul(self._compressed(bands), cosines)
        return without_mean(features) if self.normalization == "per_clip" else features

    def _compressed(self, bands: Any) -> Any:
        import tensorflow as tf

        if self.nonlinearity == "log":
            return tf.math.log(bands + LEAST_MAGNITUDE)
        if self.normalization == "per_clip":
            bands /= tf.reduce_mean(bands, axis=1, keepdims=True) + LEAST_MAGNITUDE
        return tf.pow(bands, 1 / 3)


@lru_cache(_MATRICES_KEPT)
def dct_matrix(bins: int) -> np.ndarray:
    """Return the DCT-II of ``tf.signal.mfccs_from_log_mel_spectrograms``, ``[bins, bins]``."""
    n, k = np.arange(bins)[:, None], np.arange(bins)[None, :]
    return (np.cos(np.pi * k * (2 * n + 1) / (2 * bins)) * np.sqrt(2 / bins)).astype(np.float32)
