"""Features of many clips at once, and a front end as the ``.tflite`` that is deployed."""

import math
from collections.abc import Iterable, Iterator

import numpy as np
import tensorflow as tf

from sweep.arrays import blocks, to_float
from sweep.frontends.base import Frontend
from sweep.frontends.mel import MelFrontend
from sweep.registry import blaming

VERSION = 4
"""Counts up when features are computed differently, so that old cache entries lapse."""

_SPECTRA_BYTES = 2**22
"""Spectra in one call of the graph."""
_WAVEFORMS_AT_ONCE = 64


def compute_features(clips: np.ndarray, frontend: Frontend) -> Iterator[np.ndarray]:
    """Yield the features of clips before mean and deviation are taken out, some clips at once.

    Args:
        clips: int16, or float32 in -1..1, ``[clips, samples]``.
        frontend: the front end.

    Yields:
        float32 ``[at most clips_at_once(frontend), frames, coefficients]``.
    """
    parts = blocks(clips, clips_at_once(frontend))
    if isinstance(frontend, MelFrontend):
        yield from features_of((frontend.spectra_of(part) for part in parts), frontend)
        return
    graph = tf.function(frontend.features, autograph=False, reduce_retracing=True)
    for part in parts:
        waveforms = to_float(part) if part.dtype == np.int16 else part
        with blaming(frontend.owner):
            features = graph(tf.constant(waveforms, tf.float32)).numpy()
            _check(features, frontend)
        yield features


def clips_at_once(frontend: Frontend) -> int:
    """Return how many clips are computed at once: few enough to take little memory."""
    if not isinstance(frontend, MelFrontend):
        return _WAVEFORMS_AT_ONCE
    return max(1, _SPECTRA_BYTES // (4 * math.prod(frontend.spectrum_shape)))


def features_of(spectra: Iterable[np.ndarray], frontend: MelFrontend) -> Iterator[np.ndarray]:
    """Yield the features of clips of which spectra are given, as many at once."""
    for part in spectra:
        with blaming(frontend.owner):
            features = frontend.from_spectra(tf.constant(part, tf.float32)).numpy()
            _check(features, frontend)
        yield features


def features_of_bands(bands: np.ndarray, frontend: MelFrontend) -> np.ndarray:
    """Return the features of clips of which mel bands are given, ``[clips, frames, bands]``."""
    with blaming(frontend.owner):
        features: np.ndarray = frontend.from_bands(tf.constant(bands, tf.float32)).numpy()
        _check(features, frontend)
    return features


def convert_frontend(
    frontend: Frontend, mean: np.ndarray | float = 0.0, deviation: np.ndarray | float = 1.0
) -> bytes:
    """Return the front end as a ``.tflite``: ``[1, samples]`` to ``[1, frames, coeffs, 1]``.

    It uses builtin operators only; what is taken out of the features is part of it.

    Raises:
        PluginError: if the front end fails, or cannot be converted.
    """

    def deployed(waveform: tf.Tensor) -> tf.Tensor:
        features = frontend.features(waveform)
        if frontend.is_standardised:
            features = (features - mean) * (1 / deviation)
        return features[..., tf.newaxis]

    signature = tf.TensorSpec((1, frontend.num_samples), tf.float32, name="waveform")
    with blaming(frontend.owner):
        function = tf.function(deployed, autograph=False).get_concrete_function(signature)
        converter = tf.lite.TFLiteConverter.from_concrete_functions([function], tf.Module())
        content: bytes = converter.convert()
    return content


def _check(features: np.ndarray, frontend: Frontend) -> None:
    if features.shape[1:] != frontend.shape:
        raise TypeError(f"gives features of {features.shape[1:]}, and says {frontend.shape}")
    if not np.isfinite(features).all():
        raise ValueError("gives features that are not finite")
