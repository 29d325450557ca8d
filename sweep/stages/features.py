"""The features of a data set, computed once for all studies, a block of clips at a time."""

from collections.abc import Iterable, Iterator
from itertools import chain
from math import prod
from pathlib import Path

import numpy as np

from sweep import cache
from sweep.arrays import blocks, load, save
from sweep.audio.augmentation import RENDERINGS, render
from sweep.audio.dataset import Dataset
from sweep.candidate import AugmentationParams, digest
from sweep.frontends.base import Frontend
from sweep.frontends.compute import VERSION, clips_at_once, compute_features, features_of
from sweep.frontends.mel import MelFrontend
from sweep.parameters import differences

_SPECTRA_KEPT_BYTES = 2**30
"""Spectra that take more on disk are computed anew for each front end."""
_CLIPS_AT_ONCE = 512
_LEAST_DEVIATION = 1e-3


class FeatureSet:
    """The features of one front end for the clips of one data set, as memory maps.

    Attributes:
        training: float32 ``[renderings, clips, frames, coefficients]``; rendering 0 is the clip
            itself, the others are augmented copies.
        validation: float32 ``[clips, frames, coefficients]``.
        mean, deviation: float32 ``[coefficients]``: what the front end subtracts and divides by.
    """

    def __init__(self, folder: Path) -> None:
        with cache.readable(folder):
            self.training = load(folder / "training.npy")
            self.validation = load(folder / "validation.npy")
            self.mean, self.deviation = np.load(folder / "statistics.npy")


def prepare_features(
    dataset: Dataset, frontend: Frontend, augmentation: AugmentationParams
) -> FeatureSet:
    """Return the features of training and validation clips, computed once for all studies."""
    rate, shape = frontend.downsampling_rate, frontend.shape

    def build(folder: Path) -> None:
        clips, plain = dataset.waveforms("training", rate), folder / "plain.npy"
        save(plain, (len(clips), *shape), np.float32, compute_features(clips, frontend))
        mean, deviation = _statistics(load(plain), frontend)

        def standardised(parts: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
            return ((part - mean) / deviation for part in parts)

        copies = 0 if augmentation.is_identity else RENDERINGS - 1
        varied = _varied(dataset, frontend, augmentation) if copies else ()
        every = chain(blocks(load(plain), _CLIPS_AT_ONCE), varied)
        training = (1 + copies, len(clips), *shape)
        save(folder / "training.npy", training, np.float32, standardised(every))
        plain.unlink()
        clips = dataset.waveforms("validation", rate)
        features = standardised(compute_features(clips, frontend))
        save(folder / "validation.npy", (len(clips), *shape), np.float32, features)
        np.save(folder / "statistics.npy", np.stack([mean, deviation]))

    own = [frontend.code(), differences(frontend)]
    content = [VERSION, dataset.fingerprint, own, differences(augmentation)]
    return FeatureSet(cache.entry("features", digest(content), build))


def _varied(
    dataset: Dataset, frontend: Frontend, augmentation: AugmentationParams
) -> Iterator[np.ndarray]:
    """Yield the features of the augmented copies, rendering by rendering, some clips at once."""
    if isinstance(frontend, MelFrontend):
        yield from features_of(_varied_spectra(dataset, frontend, augmentation), frontend)
        return
    rate, at_once = frontend.downsampling_rate, clips_at_once(frontend)
    clips, noise = dataset.waveforms("training", rate), dataset.noise(rate)
    for seed in range(1, RENDERINGS):
        for varied in render(clips, noise, augmentation, rate, seed, at_once):
            yield from compute_features(varied, frontend)


def _varied_spectra(
    dataset: Dataset, frontend: MelFrontend, augmentation: AugmentationParams
) -> Iterator[np.ndarray]:
    """Yield the spectra of the augmented copies, rendering by rendering, some clips at once.

    They are shared by all front ends of one frame length and step, and kept where they are not too
    large.  Half precision rounds a magnitude by 0.05 % at most, far below the noise and gain that
    augmentation itself brings.
    """
    rate, at_once = frontend.downsampling_rate, clips_at_once(frontend)
    clips = dataset.waveforms("training", rate)

    def computed() -> Iterator[np.ndarray]:
        noise = dataset.noise(rate)
        for seed in range(1, RENDERINGS):
            for varied in render(clips, noise, augmentation, rate, seed, at_once):
                yield frontend.spectra_of(varied).astype(np.float16)

    shape = (RENDERINGS - 1, len(clips), *frontend.spectrum_shape)
    if np.dtype(np.float16).itemsize * prod(shape) > _SPECTRA_KEPT_BYTES:
        yield from computed()
        return
    frames = [rate, frontend.clip_length_in_s, frontend.frame_length, frontend.frame_step]
    content = [VERSION, dataset.fingerprint, frames, differences(augmentation)]
    folder = cache.entry(
        "spectra",
        digest(content),
        lambda folder: save(folder / "spectra.npy", shape, np.float16, computed()),
    )
    for rendering in load(folder / "spectra.npy"):
        yield from blocks(rendering, at_once)


def _statistics(features: np.ndarray, frontend: Frontend) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and deviation of each coefficient over all frames, summed in 64 bits."""
    coefficients = features.shape[-1]
    if not frontend.is_standardised:
        return np.zeros(coefficients, np.float32), np.ones(coefficients, np.float32)

    def mean_of(parts: Iterable[np.ndarray]) -> np.ndarray:
        return sum(part.sum(axis=(0, 1), dtype=np.float64) for part in parts) / frames

    frames = len(features) * features.shape[1]
    mean = mean_of(blocks(features, _CLIPS_AT_ONCE))
    variance = mean_of((part - mean) ** 2 for part in blocks(features, _CLIPS_AT_ONCE))
    deviation = np.maximum(np.sqrt(variance), _LEAST_DEVIATION)
    return mean.astype(np.float32), deviation.astype(np.float32)
