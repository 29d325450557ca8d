"""A stream through front end and network: features once a stretch, windows sliced from them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from sweep.audio.dataset import Dataset
from sweep.audio.streams import Stream, stream_of
from sweep.detection import STRIDE_IN_S, Detected, Scores
from sweep.frontends.base import Frontend
from sweep.frontends.compute import clips_at_once, compute_features, features_of_bands
from sweep.frontends.mel import MelFrontend, mel_matrix
from sweep.limits import Limit, alarms_allowed
from sweep.litert import Model
from sweep.stages.features import FeatureSet


def stride_of(frontend: Frontend) -> int:
    """Return the samples from one window to the next: about 0.1 s, in whole frame steps if any."""
    if not isinstance(frontend, MelFrontend):
        return round(STRIDE_IN_S * frontend.downsampling_rate)
    steps = max(1, round(STRIDE_IN_S * frontend.downsampling_rate / frontend.frame_step))
    return steps * frontend.frame_step


def window_features(samples: np.ndarray, frontend: Frontend) -> Iterator[np.ndarray]:
    """Yield the features of each window of a stream before mean and deviation are taken out.

    Neighbouring windows share frames, whose mel bands are computed once where the front end is of
    mel bands; what is normalised by clip is normalised by window.

    Args:
        samples: int16 ``[samples]``.
        frontend: the front end.

    Yields:
        float32 ``[windows, frames, coefficients]``, some windows at once.
    """
    if isinstance(frontend, MelFrontend):
        return _from_bands(samples, frontend)
    windows = np.lib.stride_tricks.sliding_window_view(samples, frontend.num_samples)
    return compute_features(windows[:: stride_of(frontend)], frontend)


def _from_bands(samples: np.ndarray, frontend: MelFrontend) -> Iterator[np.ndarray]:
    window, stride, matrix = frontend.num_samples, stride_of(frontend), mel_matrix(frontend)
    frames, steps = frontend.shape[0], stride // frontend.frame_step
    windows, at_once = 1 + (len(samples) - window) // stride, clips_at_once(frontend)
    for first in range(0, windows, at_once):
        count = min(at_once, windows - first)
        stretch = samples[first * stride : (first + count - 1) * stride + window]
        longer = replace(frontend, clip_length_in_s=len(stretch) / frontend.downsampling_rate)
        bands = longer.spectra_of(stretch[None])[0] @ matrix
        sliced = np.lib.stride_tricks.sliding_window_view(bands, frames, axis=0)
        yield features_of_bands(np.moveaxis(sliced[::steps][:count], -1, 1), frontend)


def detect(
    dataset: Dataset,
    frontend: Frontend,
    features: FeatureSet,
    models: Mapping[str, bytes],
    limits: list[Limit],
    reference: bool = False,
) -> dict[str, Detected]:
    """Return the operating point of each network on the validation stream, and what it detects.

    Args:
        dataset: the clips that the stream is made of.
        frontend: the front end.
        features: what the networks were trained on.
        models: ``.tflite`` files, from features to probabilities.
        limits: among them that of false alarms; see ``alarms_allowed``.
        reference: whether LiteRT's reference kernels run them; see ``litert.Model``.
    """
    stream = stream_of(dataset, "validation", frontend.downsampling_rate)
    labels, keywords = dataset.labels, dataset.spec.labels
    stride, window, allowed = stride_of(frontend), frontend.num_samples, alarms_allowed(limits)
    return {
        name: Scores(stream, found, labels, keywords, stride, window).best(allowed)
        for name, found in run_stream(stream, frontend, features, models, reference).items()
    }


def run_stream(
    stream: Stream,
    frontend: Frontend,
    features: FeatureSet,
    models: Mapping[str, bytes],
    reference: bool = False,
) -> dict[str, np.ndarray]:
    """Return what networks make of each window of a stream, ``[windows, labels]`` by name.

    Args:
        stream: at the rate of the front end.
        frontend, features, models, reference: as for ``detect``.
    """
    running = {name: Model(content, reference) for name, content in models.items()}
    found: dict[str, list[np.ndarray]] = {name: [] for name in models}
    for part in window_features(stream.samples, frontend):
        standardised = ((part - features.mean) / features.deviation)[..., None]
        for name, model in running.items():
            found[name].append(model.run(standardised))
    return {name: np.concatenate(parts) for name, parts in found.items()}
