"""Exported files measured as a device would run them: one clip, one window after the other."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sweep.arrays import to_float
from sweep.audio.dataset import Dataset
from sweep.audio.streams import stream_of
from sweep.detection import Scores
from sweep.detector import OperatingPoint
from sweep.frontends.base import Frontend
from sweep.litert import CLIPS_TIMED, run_deployed, run_windows
from sweep.metrics import Measured
from sweep.predict import FRONTEND, MODEL
from sweep.space import Space
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
    space: Space,
) -> Deployed:
    """Return what files measure on the clips of a split, and in its stream.

    Args:
        files: front end and network, by name.
        dataset: the clips.
        split: which of them.
        frontend: the parameters of the front end.
        point: the operating point in a stream; None to run none.
        shape: the metrics that follow from the shape of the network.
        space: what is measured, and how.
    """
    rate, reference = frontend.downsampling_rate, space.target is not None
    waveforms = dataset.waveforms(split, rate)
    run = run_deployed(files[FRONTEND], files[MODEL], waveforms, reference)
    latencies = latency_facts(
        space.clock.measure(files[FRONTEND], to_float(waveforms[:CLIPS_TIMED])),
        space.clock.measure(files[MODEL], run.features),
    )
    facts = {**shape, **file_facts(files[MODEL]), **latencies}
    counts = confusion(dataset.targets(split), run.probabilities)
    scores, detection = None, None
    if point is not None:
        stream = stream_of(dataset, split, rate)
        found = run_windows(files[FRONTEND], files[MODEL], stream.samples, point.stride, reference)
        keywords, window = dataset.spec.labels, frontend.num_samples
        scores = Scores(stream, found, dataset.labels, keywords, point.stride, window)
        detection = scores.at(point)
    measured = Measured(facts, counts, space.metrics, dataset.labels, detection)
    return Deployed(measured, run.probabilities, scores)
