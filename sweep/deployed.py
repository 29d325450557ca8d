"""Exported files measured as a device would run them: one clip, one window after the other."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sweep.audio.dataset import Dataset
from sweep.audio.streams import stream_of
from sweep.detection import Scores
from sweep.detector import OperatingPoint
from sweep.frontends.base import Frontend
from sweep.litert import run_deployed, run_windows
from sweep.metrics import Measured, Metric
from sweep.predict import FRONTEND, MODEL
from sweep.stages.files import file_facts, latency_facts
from sweep.statistics import confusion


@dataclass(frozen=True)
class Deployed:
    """What files gave on the clips of a split, and in its stream.

    Attributes:
        measured: the measurements.
        probabilities: of the clips, float32 ``[clips, labels]``.
        scores: what the network makes of the stream; None where none was run.
    """

    measured: Measured
    probabilities: np.ndarray
    scores: Scores | None


def measure_files(
    files: Mapping[str, bytes],
    dataset: Dataset,
    split: str,
    frontend: Frontend,
    point: OperatingPoint | None,
    shape: Mapping[str, float],
    metrics: Mapping[str, Metric],
    reference: bool = False,
) -> Deployed:
    """Return what files measure on the clips of a split, and in its stream.

    Args:
        files: front end and network, by name.
        dataset: the clips.
        split: which of them.
        frontend: the parameters of the front end.
        point: the operating point in a stream; None to run none.
        shape: the metrics that follow from the shape of the network.
        metrics: what is measured, by name.
        reference: whether the network runs in LiteRT's reference kernels.
    """
    rate = frontend.downsampling_rate
    run = run_deployed(files[FRONTEND], files[MODEL], dataset.waveforms(split, rate), reference)
    latencies = latency_facts(run.preprocessing, run.model)
    facts = {**shape, **file_facts(files[MODEL]), **latencies}
    counts = confusion(dataset.targets(split), run.probabilities)
    scores, detection = None, None
    if point is not None:
        stream = stream_of(dataset, split, rate)
        found = run_windows(files[FRONTEND], files[MODEL], stream.samples, point.stride, reference)
        keywords, window = dataset.spec.labels, frontend.num_samples
        scores = Scores(stream, found, dataset.labels, keywords, point.stride, window)
        detection = scores.at(point)
    measured = Measured(facts, counts, metrics, dataset.labels, detection)
    return Deployed(measured, run.probabilities, scores)
