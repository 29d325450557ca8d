"""Measurement: the size, accuracy and latency of the files that would be deployed."""

import json
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import numpy as np

from sweep import cache
from sweep.audio.clips import to_float
from sweep.audio.dataset import Dataset
from sweep.candidate import Candidate, FrontendParams, Variant, digest
from sweep.limits import Limit, violations
from sweep.litert import CLIPS_TIMED, Latency, Model, measure_latency, zipped_kb
from sweep.networks.architecture import Architecture
from sweep.stages.frontend import VERSION, convert_frontend
from sweep.stages.memory import activations_kb

_FRONTENDS_KEPT = 16


@dataclass(frozen=True)
class Bench:
    """What every variant of a candidate is measured with."""

    candidate: Candidate
    architecture: Architecture
    dataset: Dataset
    limits: list[Limit]

    def measure(self, quantization: str, content: bytes, accuracy: float | None) -> Variant:
        """Return size and latency of a variant's file, beside an accuracy found elsewhere."""
        preprocessing, model = self._preprocessing(), self._model(quantization, content)
        variant = Variant(
            quantization=quantization,
            accuracy=accuracy,
            latency_ms=preprocessing.median_ms + model.median_ms,
            size_kb=zipped_kb(content),
            preprocessing_latency_ms=preprocessing.median_ms,
            model_latency_ms=model.median_ms,
            latency_spread_ms=preprocessing.spread_ms + model.spread_ms,
            tflite_size_kb=len(content) / 1024,
            parameters=self.architecture.parameters(),
            multiply_adds=self.architecture.multiply_adds(),
            ram_kb=activations_kb(content),
        )
        return self._judged(variant)

    def estimate(self, quantization: str, size_kb: float) -> Variant:
        """Return what is known of a variant that is not converted, whose size is estimated."""
        return self._judged(
            Variant(
                quantization=quantization,
                accuracy=None,
                latency_ms=None,
                size_kb=size_kb,
                preprocessing_latency_ms=None,
                model_latency_ms=None,
                latency_spread_ms=None,
                tflite_size_kb=None,
                parameters=self.architecture.parameters(),
                multiply_adds=self.architecture.multiply_adds(),
            )
        )

    def _judged(self, variant: Variant) -> Variant:
        return replace(variant, violations=violations(self.limits, asdict(variant)))

    def _preprocessing(self) -> Latency:
        frontend = self.candidate.frontend
        # Which bands there are changes the numbers in the matrix of mel bands, not its shape.
        bands = {"lower_frequency": None, "upper_frequency": None}
        return _remembered(
            digest([VERSION, asdict(frontend) | bands]),
            lambda: measure_latency(_typical_frontend(frontend), self._clips()),
        )

    def _model(self, quantization: str, content: bytes) -> Latency:
        def measure() -> Latency:
            features = Model(_typical_frontend(self.candidate.frontend)).run_each(self._clips())
            return measure_latency(content, features)

        return _remembered(digest([repr(self.architecture), quantization]), measure)

    def _clips(self) -> np.ndarray:
        rate = self.candidate.frontend.downsampling_rate
        return to_float(self.dataset.waveforms("validation", rate)[:CLIPS_TIMED])


def _remembered(key: str, measure: Callable[[], Latency]) -> Latency:
    """Measure once for all files of one shape, on this machine, with this LiteRT.

    Latency is fixed by a network's shape, not by its weights; and a sweep that is run again then
    meets the same numbers, and so makes the same choices.
    """

    def build(folder: Path) -> None:
        record = json.dumps(asdict(measure()))
        (folder / "latency.json").write_text(record, encoding="utf-8")

    where = [platform.node(), version("ai-edge-litert"), key]
    folder = cache.entry("latency", digest(where), build)
    return Latency(**json.loads((folder / "latency.json").read_text(encoding="utf-8")))


@lru_cache(_FRONTENDS_KEPT)
def _typical_frontend(frontend: FrontendParams) -> bytes:
    """Return the front end with made-up statistics, which cost what real ones cost."""
    coefficients = frontend.shape[1]
    return convert_frontend(frontend, np.full(coefficients, 0.5), np.full(coefficients, 2.0))
