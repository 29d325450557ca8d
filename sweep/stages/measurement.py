"""Measurement: the size, accuracy and latency of the files that would be deployed."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from sweep import cache
from sweep.arrays import to_float
from sweep.audio.dataset import Dataset
from sweep.c.cores import Target
from sweep.candidate import Candidate, digest
from sweep.detection import Detected
from sweep.evaluation import Variant
from sweep.frontends.base import Frontend
from sweep.frontends.compute import VERSION, convert_frontend
from sweep.latency import Clock, ThisMachine
from sweep.limits import Limit, violations
from sweep.litert import CLIPS_TIMED, Latency, Model
from sweep.metrics import METRICS, Measured, Metric
from sweep.networks.architecture import Architecture
from sweep.parameters import differences
from sweep.stages.files import file_facts, latency_facts
from sweep.stages.on_core import Counted
from sweep.statistics import Confusion

_FRONTENDS_KEPT = 16


@dataclass(frozen=True)
class Bench:
    """What every variant of a candidate is measured with.

    Attributes:
        candidate: the parameters.
        architecture: the shape of its network.
        dataset: the clips.
        limits: what a feasible candidate keeps.
        metrics: what is measured, by name.
        clock: what takes latencies; None where none are taken.
        target: the core it is for; None where nothing is known of one.
    """

    candidate: Candidate
    architecture: Architecture
    dataset: Dataset
    limits: list[Limit]
    metrics: Mapping[str, Metric] = field(default_factory=lambda: METRICS)
    clock: Clock | None = ThisMachine()
    target: Target | None = None

    def measure(
        self,
        quantization: str,
        content: bytes,
        predictions: Confusion | None = None,
        detected: Detected | None = None,
    ) -> Variant:
        """Return every metric of a variant's file.

        Args:
            quantization: which variant it is.
            content: the file.
            predictions: counts of validation clips.
            detected: what is detected in the validation stream.
        """
        facts, spread_ms = self._shape() | file_facts(content), None
        if self.clock:
            preprocessing = self._preprocessing(self.clock)
            model = self._model(self.clock, quantization, content)
            facts |= latency_facts(preprocessing, model)
            spread_ms = preprocessing.spread_ms + model.spread_ms
        counted = self._counted(quantization)
        facts |= counted.costs().metrics if counted else {}
        point, detection = detected or (None, None)
        found = replace(self._measured(facts, predictions), detection=detection)
        return replace(self._judged(quantization, found, spread_ms), point=point)

    def estimate(self, quantization: str, size_kb: float) -> Variant:
        """Return what is known of a variant that is not converted, whose size is estimated."""
        counted = self._counted(quantization)
        costs = counted.remembered() if counted else None
        facts = self._shape() | {"size_kb": size_kb} | (costs.metrics if costs else {})
        return self._judged(quantization, self._measured(facts))

    def _counted(self, quantization: str) -> Counted | None:
        if self.target is None:
            return None
        return Counted(self.candidate, self.architecture, quantization, self.target)

    def _measured(self, facts: dict[str, float], predictions: Confusion | None = None) -> Measured:
        return Measured(facts, predictions, self.metrics, self.dataset.labels)

    def _shape(self) -> dict[str, float]:
        return {
            "parameters": self.architecture.parameters(),
            "multiply_adds": self.architecture.multiply_adds(),
        }

    def _judged(
        self, quantization: str, found: Measured, spread_ms: float | None = None
    ) -> Variant:
        values = found.values()
        broken = violations(self.limits, values)
        return Variant(quantization, values, spread_ms, found.exposures(), broken)

    def _preprocessing(self, clock: Clock) -> Latency:
        frontend = self.candidate.frontend
        # Which bands there are changes the numbers in the matrix of mel bands, not its shape.
        bands = {"lower_frequency": None, "upper_frequency": None}
        return _remembered(
            [clock.place, VERSION, frontend.code(), differences(frontend) | bands],
            lambda: clock.measure(_typical_frontend(frontend), self._clips()),
        )

    def _model(self, clock: Clock, quantization: str, content: bytes) -> Latency:
        def measure() -> Latency:
            features = Model(_typical_frontend(self.candidate.frontend)).run_each(self._clips())
            return clock.measure(content, features)

        return _remembered([clock.place, self.architecture.key, quantization], measure)

    def _clips(self) -> np.ndarray:
        rate = self.candidate.frontend.downsampling_rate
        return to_float(self.dataset.waveforms("validation", rate)[:CLIPS_TIMED])


def _remembered(key: Sequence[Any], measure: Callable[[], Latency]) -> Latency:
    """Measure once for all files of one shape, in one place.

    Latency is fixed by a network's shape, not by its weights; and a sweep that is run again then
    meets the same numbers, and so makes the same choices.
    """

    def build(folder: Path) -> None:
        record = json.dumps(asdict(measure()))
        (folder / "latency.json").write_text(record, encoding="utf-8")

    folder = cache.entry("latency", digest(key), build)
    with cache.readable(folder):
        return Latency(**json.loads((folder / "latency.json").read_text(encoding="utf-8")))


@lru_cache(_FRONTENDS_KEPT)
def _typical_frontend(frontend: Frontend) -> bytes:
    """Return the front end with made-up statistics, which cost what real ones cost."""
    coefficients = frontend.shape[1]
    return convert_frontend(frontend, np.full(coefficients, 0.5), np.full(coefficients, 2.0))
