"""A stream through front end and network: features once a stretch, windows sliced from them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from sweep.audio.dataset import Dataset
from sweep.audio.streams import Stream, stream_of
from sweep.c.stepping import Stepping
from sweep.detection import STRIDE_IN_S, Detected, Scores
from sweep.frontends.base import Frontend
from sweep.frontends.compute import clips_at_once, compute_features, features_of_bands
from sweep.frontends.mel import MelFrontend, mel_matrix
from sweep.limits import Limit, alarms_allowed
from sweep.litert import Model
from sweep.networks.architecture import Architecture
from sweep.stages.features import FeatureSet


def stride_of(frontend: Frontend, frames: int = 1) -> int:
    """Return the samples from one window to the next: about 0.1 s, in whole frame steps if any.

    Args:
        frontend: the front end.
        frames: steps come in multiples of so many frames; see ``Architecture.step_frames``.
    """
    if not isinstance(frontend, MelFrontend):
        return round(STRIDE_IN_S * frontend.downsampling_rate)
    step = frames * frontend.frame_step
    return max(1, round(STRIDE_IN_S * frontend.downsampling_rate / step)) * step


def stepping_of(frontend: Frontend, architecture: Architecture) -> Stepping | None:
    """Return how a stream is cut into steps; None if each window is computed anew."""
    if not architecture.streaming:
        return None
    assert isinstance(frontend, MelFrontend)  # No other is by frame and has C.
    stride = stride_of(frontend, architecture.step_frames)
    return Stepping(frontend, stride // frontend.frame_step)


def window_features(samples: np.ndarray, frontend: Frontend, stride: int) -> Iterator[np.ndarray]:
    """Yield the features of each window of a stream before mean and deviation are taken out.

    Neighbouring windows share frames, whose mel bands are computed once where the front end is of
    mel bands; what is normalised by clip is normalised by window.

    Args:
        samples: int16 ``[samples]``.
        frontend: the front end.
        stride: samples from one window to the next.

    Yields:
        float32 ``[windows, frames, coefficients]``, some windows at once.
    """
    if isinstance(frontend, MelFrontend):
        return _from_bands(samples, frontend, stride)
    windows = np.lib.stride_tricks.sliding_window_view(samples, frontend.num_samples)
    return compute_features(windows[::stride], frontend)


def _from_bands(samples: np.ndarray, frontend: MelFrontend, stride: int) -> Iterator[np.ndarray]:
    window, matrix = frontend.num_samples, mel_matrix(frontend)
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
    stride: int,
    features: FeatureSet,
    models: Mapping[str, bytes],
    limits: list[Limit],
    reference: bool = False,
) -> dict[str, Detected]:
    """Return the operating point of each network on the validation stream, and what it detects.

    Args:
        dataset: the clips that the stream is made of.
        frontend: the front end.
        stride: samples from one window to the next.
        features: what the networks were trained on.
        models: ``.tflite`` files, from features to probabilities.
        limits: among them that of false alarms; see ``alarms_allowed``.
        reference: whether LiteRT's reference kernels run them; see ``litert.Model``.
    """
    stream = stream_of(dataset, "validation", frontend.downsampling_rate)
    labels, keywords = dataset.labels, dataset.spec.labels
    window, allowed = frontend.num_samples, alarms_allowed(limits)
    found = run_stream(stream, frontend, stride, features, models, reference)
    return {
        name: Scores(stream, one, labels, keywords, stride, window).best(allowed)
        for name, one in found.items()
    }


def run_stream(
    stream: Stream,
    frontend: Frontend,
    stride: int,
    features: FeatureSet,
    models: Mapping[str, bytes],
    reference: bool = False,
) -> dict[str, np.ndarray]:
    """Return what networks make of each window of a stream, ``[windows, labels]`` by name.

    Args:
        stream: at the rate of the front end.
        frontend, stride, features, models, reference: as for ``detect``.
    """
    running = {name: Model(content, reference) for name, content in models.items()}
    found: dict[str, list[np.ndarray]] = {name: [] for name in models}
    for part in window_features(stream.samples, frontend, stride):
        standardised = ((part - features.mean) / features.deviation)[..., None]
        for name, model in running.items():
            found[name].append(model.run(standardised))
    return {name: np.concatenate(parts) for name, parts in found.items()}
