"""The front end: waveforms to features, for all clips at once and as the LiteRT graph deployed."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

from sweep import cache
from sweep.audio.augmentation import RENDERINGS, render
from sweep.audio.clips import to_float
from sweep.audio.dataset import Dataset
from sweep.candidate import AugmentationParams, FrontendParams, digest
from sweep.parameters import differences

VERSION = 3
"""Counts up when this module computes differently, so that old cache entries lapse."""

_LEAST_MAGNITUDE = 1e-6
_CLIPS_AT_ONCE = 8
"""Clips whose frames and spectra fit into a processor's cache."""
_SPECTRA_AT_ONCE = 128


class FeatureSet:
    """The features of one front end for the clips of one data set, as memory maps.

    Attributes:
        training: float32 ``[renderings, clips, frames, coefficients]``; rendering 0 is the clip
            itself, the others are augmented copies.
        validation: float32 ``[clips, frames, coefficients]``.
        mean, deviation: float32 ``[coefficients]``: what the front end subtracts and divides by.
    """

    def __init__(self, folder: Path) -> None:
        self.training = np.load(folder / "training.npy", mmap_mode="r")
        self.validation = np.load(folder / "validation.npy", mmap_mode="r")
        self.mean, self.deviation = np.load(folder / "statistics.npy")


def prepare_features(
    dataset: Dataset, frontend: FrontendParams, augmentation: AugmentationParams
) -> FeatureSet:
    """Return the features of training and validation clips, computed once for all studies."""

    def build(folder: Path) -> None:
        rate = frontend.downsampling_rate
        plain = compute_features(dataset.waveforms("training", rate), frontend)
        mean, deviation = _statistics(plain, frontend)
        varied = (
            () if augmentation.is_identity else _varied_spectra(dataset, frontend, augmentation)
        )
        shape = (1 + len(varied), *plain.shape)
        training = _new_array(folder / "training.npy", np.float32, shape)
        training[0] = (plain - mean) / deviation
        for i, spectra in enumerate(varied, start=1):
            training[i] = (_features_of(spectra, frontend) - mean) / deviation
        validation = compute_features(dataset.waveforms("validation", rate), frontend)
        np.save(folder / "validation.npy", (validation - mean) / deviation)
        np.save(folder / "statistics.npy", np.stack([mean, deviation]))

    content = [VERSION, dataset.fingerprint, differences(frontend), differences(augmentation)]
    return FeatureSet(cache.entry("features", digest(content), build))


def _varied_spectra(
    dataset: Dataset, frontend: FrontendParams, augmentation: AugmentationParams
) -> np.ndarray:
    """Return spectra of the augmented copies, ``[renderings - 1, clips, frames, bins]``.

    They are shared by all front ends of one frame length and step.  Half precision rounds a
    magnitude by 0.05 % at most, far below the noise and gain that augmentation itself brings.
    """
    rate = frontend.downsampling_rate

    def build(folder: Path) -> None:
        clips, noise = dataset.waveforms("training", rate), dataset.noise(rate)
        shape = (RENDERINGS - 1, len(clips), *_spectrum_shape(frontend))
        kept = _new_array(folder / "spectra.npy", np.float16, shape)
        for i in range(RENDERINGS - 1):
            varied = render(clips, noise, augmentation, rate, seed=i + 1)
            for part in _batches(len(clips), _CLIPS_AT_ONCE):
                kept[i, part] = spectra_of(varied[part], frontend)

    frames = [rate, frontend.frame_length, frontend.frame_step]
    content = [VERSION, dataset.fingerprint, frames, differences(augmentation)]
    folder = cache.entry("spectra", digest(content), build)
    return np.load(folder / "spectra.npy", mmap_mode="r")


def _new_array(path: Path, kind: type[np.generic], shape: tuple[int, ...]) -> np.ndarray:
    """Return an array on disk whose room is taken now: a disk that fills later kills the process.

    Raises:
        OSError: if there is no room.
    """
    array: np.ndarray = np.lib.format.open_memmap(path, "w+", kind, shape)
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return array


def compute_features(clips: np.ndarray, frontend: FrontendParams) -> np.ndarray:
    """Return the features of clips before mean and deviation are taken out.

    Args:
        clips: int16, or float32 in -1..1, ``[clips, samples]``.
        frontend: the front end.

    Returns:
        float32 ``[clips, frames, coefficients]``.
    """
    spectra = np.empty((len(clips), *_spectrum_shape(frontend)), np.float32)
    for part in _batches(len(clips), _CLIPS_AT_ONCE):
        spectra[part] = spectra_of(clips[part], frontend)
    return _features_of(spectra, frontend)


def spectra_of(clips: np.ndarray, frontend: FrontendParams) -> np.ndarray:
    """Return the magnitudes of the frames of clips, float32 ``[clips, frames, bins]``.

    By NumPy, which is three times as fast here as the same in TensorFlow.
    """
    if clips.dtype == np.int16:
        clips = to_float(clips)
    windows = np.lib.stride_tricks.sliding_window_view(clips, frontend.frame_length, axis=1)
    frames = windows[:, :: frontend.frame_step] * _window(frontend)
    return np.abs(np.fft.rfft(frames, frontend.fft_length))


def _features_of(spectra: np.ndarray, frontend: FrontendParams) -> np.ndarray:
    graph = _Graph(frontend)
    features = np.empty((len(spectra), *frontend.shape), np.float32)
    for part in _batches(len(spectra), _SPECTRA_AT_ONCE):
        features[part] = graph.from_spectra(tf.constant(spectra[part].astype(np.float32)))
    return features


def _spectrum_shape(frontend: FrontendParams) -> tuple[int, int]:
    return frontend.shape[0], frontend.fft_length // 2 + 1


def _batches(count: int, size: int) -> Iterator[slice]:
    yield from (slice(start, start + size) for start in range(0, count, size))


def _window(frontend: FrontendParams) -> np.ndarray:
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
        self.window = _window(frontend)
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
            return tf.math.log(bands + _LEAST_MAGNITUDE)
        if self.frontend.normalization == "per_clip":
            bands /= tf.reduce_mean(bands, axis=1, keepdims=True) + _LEAST_MAGNITUDE
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


def _statistics(features: np.ndarray, frontend: FrontendParams) -> tuple[np.ndarray, np.ndarray]:
    coefficients = features.shape[-1]
    if frontend.normalization == "none":
        return np.zeros(coefficients, np.float32), np.ones(coefficients, np.float32)
    deviation = np.maximum(features.std(axis=(0, 1)), 1e-3)
    return features.mean(axis=(0, 1)), deviation
