"""Exported files measured as a device would run them: one clip, one window after the other."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from sweep.audio.dataset import Dataset
from sweep.audio.streams import stream_of
from sweep.detection import Scores
from sweep.detector import OperatingPoint
from sweep.frontends.base import Frontend
from sweep.litert import run_deployed, run_windows
from sweep.metrics import Measured, Metric
from sweep.predict import FRONTEND, MODEL
from sweep.stages.files import file_facts
from sweep.statistics import confusion


def measure_files(
    files: Mapping[str, bytes],
    dataset: Dataset,
    split: str,
    frontend: Frontend,
    point: OperatingPoint | None,
    shape: Mapping[str, float],
    metrics: Mapping[str, Metric],
) -> tuple[Measured, np.ndarray]:
    """Return what files measure on the clips of a split, and in its stream.

    Args:
        files: front end and network, by name.
        dataset: the clips.
        split: which of them.
        frontend: the parameters of the front end.
        point: the operating point in a stream; None to run none.
        shape: the metrics that follow from the shape of the network.
        metrics: what is measured, by name.

    Returns:
        The measurements, and the probabilities of the clips, float32 ``[clips, labels]``.
    """
    rate = frontend.downsampling_rate
    run = run_deployed(files[FRONTEND], files[MODEL], dataset.waveforms(split, rate))
    facts = {**shape, **file_facts(files[MODEL], run.preprocessing, run.model)}
    counts = confusion(dataset.targets(split), run.probabilities)
    measured = Measured(facts, counts, metrics, dataset.labels)
    if point is None:
        return measured, run.probabilities
    stream, labels, keywords = stream_of(dataset, split, rate), dataset.labels, dataset.spec.labels
    found = run_windows(files[FRONTEND], files[MODEL], stream.samples, point.stride)
    scores = Scores(stream, found, labels, keywords, point.stride, frontend.num_samples)
    return replace(measured, detection=scores.at(point)), run.probabilities
