"""A stream through front end and network: features once a stretch, windows sliced from them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from sweep.audio.streams import Stream
from sweep.detection import STRIDE_IN_S
from sweep.frontends.base import Frontend
from sweep.frontends.compute import clips_at_once, compute_features, features_of
from sweep.frontends.mel import MelFrontend
from sweep.litert import Model


def stride_of(frontend: Frontend) -> int:
    """Return the samples from one window to the next: about 0.1 s, in whole frame steps if any."""
    if not isinstance(frontend, MelFrontend):
        return round(STRIDE_IN_S * frontend.downsampling_rate)
    steps = max(1, round(STRIDE_IN_S * frontend.downsampling_rate / frontend.frame_step))
    return steps * frontend.frame_step


def window_features(samples: np.ndarray, frontend: Frontend) -> Iterator[np.ndarray]:
    """Yield the features of each window of a stream before mean and deviation are taken out.

    Neighbouring windows share frames, whose spectra are computed once where the front end is of mel
    bands; what is normalised by clip is normalised by window.

    Args:
        samples: int16 ``[samples]``.
        frontend: the front end.

    Yields:
        float32 ``[windows, frames, coefficients]``, some windows at once.
    """
    if isinstance(frontend, MelFrontend):
        return features_of(_window_spectra(samples, frontend), frontend)
    windows = np.lib.stride_tricks.sliding_window_view(samples, frontend.num_samples)
    return compute_features(windows[:: stride_of(frontend)], frontend)


def _window_spectra(samples: np.ndarray, frontend: MelFrontend) -> Iterator[np.ndarray]:
    window, stride = frontend.num_samples, stride_of(frontend)
    frames, steps = frontend.shape[0], stride // frontend.frame_step
    windows, at_once = 1 + (len(samples) - window) // stride, clips_at_once(frontend)
    for first in range(0, windows, at_once):
        count = min(at_once, windows - first)
        stretch = samples[first * stride : (first + count - 1) * stride + window]
        longer = replace(frontend, clip_length_in_s=len(stretch) / frontend.downsampling_rate)
        of_stretch = longer.spectra_of(stretch[None])[0]
        sliced = np.lib.stride_tricks.sliding_window_view(of_stretch, frames, axis=0)
        yield np.moveaxis(sliced[::steps][:count], -1, 1)


def run_stream(
    stream: Stream,
    frontend: Frontend,
    mean: np.ndarray,
    deviation: np.ndarray,
    models: Mapping[str, bytes],
) -> dict[str, np.ndarray]:
    """Return what networks make of each window of a stream, ``[windows, labels]`` by name.

    Args:
        stream: at the rate of the front end.
        frontend: the front end.
        mean, deviation: what it subtracts and divides by, ``[coefficients]``.
        models: ``.tflite`` files, from features to probabilities.
    """
    running = {name: Model(content) for name, content in models.items()}
    found: dict[str, list[np.ndarray]] = {name: [] for name in models}
    for features in window_features(stream.samples, frontend):
        features = ((features - mean) / deviation)[..., None]
        for name, model in running.items():
            found[name].append(model.run(features))
    return {name: np.concatenate(parts) for name, parts in found.items()}
