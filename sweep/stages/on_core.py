"""What a candidate takes on a core, counted or estimated once for each shape and remembered."""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache as once
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from sweep import c, cache
from sweep.c.classifier import classifier_source
from sweep.c.cores import Target
from sweep.c.emulator import Costs, emulate, refuse_without_emulator
from sweep.c.estimate import estimated
from sweep.c.stepping import Stepping
from sweep.c.templates import Source
from sweep.candidate import Candidate, CompressionParams, digest
from sweep.errors import SweepError
from sweep.frontends.compute import VERSION
from sweep.networks.architecture import Architecture
from sweep.parameters import differences
from sweep.stages.streaming import stepping_of
from sweep.stages.untrained import lifelike_weights, untrained

_KIND = "counts"
_COUNTS = "counts.json"
_LOUDNESS = 1000
_PACKAGES = ("ziglang", "unicorn", "tensorflow", "ai-edge-quantizer")
_GENERATOR = (".py", ".c", ".h", ".ld", ".json")


@dataclass(frozen=True)
class Counted:
    """One shape on one core: an untrained network behind a front end.

    Flash, RAM and instructions follow from the shapes; what the weights are moves them by less than
    a hundredth (``benchmarks/device.py``).
    """

    candidate: Candidate
    architecture: Architecture
    quantization: str
    target: Target

    def remembered(self) -> Costs | None:
        """Return what was counted before; None if nothing was."""
        folder = cache.root() / _KIND / self._key
        return self._read(folder) if folder.is_dir() else None

    def costs(self) -> Costs:
        """Return what is remembered, else count or estimate it, which takes a second or less.

        Raises:
            SweepError: if there is no C of it, or the extra ``device`` is not installed.
        """
        return self._read(cache.entry(_KIND, self._key, self._count))

    @property
    def _key(self) -> str:
        frontend = self.candidate.frontend
        shapes = [VERSION, frontend.code(), differences(frontend), self.architecture.key]
        how = [self.target.core, self.target.counted]
        return digest([_generator(), *shapes, self.quantization, *how])

    def _read(self, folder: Path) -> Costs:
        with cache.readable(folder):
            return Costs(**json.loads((folder / _COUNTS).read_text(encoding="utf-8")))

    def _count(self, folder: Path) -> None:
        if self.target.counted:
            costs = self._emulated()
        else:
            costs = estimated(self.source(), self.target.core)
        (folder / _COUNTS).write_text(json.dumps(asdict(costs)), encoding="utf-8")

    def _emulated(self) -> Costs:
        refuse_without_emulator(self.target.core)
        files = {name: text for name, text in self.source().files.items() if name in c.SOURCES}
        costs, _ = emulate(files, *self._calls(), self.target.core)
        return costs

    def source(self) -> Source:
        """Return the C of it.

        Raises:
            SweepError: if there is none.
        """
        frontend, labels = self.candidate.frontend, map(str, range(self.architecture.labels))
        weights = lifelike_weights(self.architecture, CompressionParams(final_sparsity=0), seed=0)
        content = untrained(self.architecture, weights, self.quantization)
        # Of tables of equal values, the compiler makes something smaller.
        mean = np.random.default_rng(0).standard_normal(frontend.shape[1])
        try:
            source = classifier_source(
                frontend, mean, np.exp(mean), content, tuple(labels), self._stepping
            )
        except SweepError as error:
            raise SweepError(f"target: {self.candidate.chosen('network')}: {error}") from error
        return source

    @property
    def _stepping(self) -> Stepping | None:
        return stepping_of(self.candidate.frontend, self.architecture)

    def _calls(self) -> tuple[list[np.ndarray], np.dtype, tuple[int]]:
        """Return the samples of each call, a clip of noise, and type and shape of the output."""
        noise = np.random.default_rng(0).normal(0, _LOUDNESS, self.candidate.frontend.num_samples)
        clip, stepping = noise.astype(np.int16), self._stepping
        calls = [clip] if stepping is None else [*stepping.cut(clip)]
        kind = np.dtype(np.float32 if self.quantization == "float32" else np.int8)
        return calls, kind, (self.architecture.labels,)


@once
def _generator() -> str:
    """Return what changes when the C of a network may change, or how it is counted."""
    folder = Path(c.__file__).parent
    files = sorted(file for file in folder.rglob("*") if file.suffix in _GENERATOR)
    content = b"".join(file.read_bytes() for file in files)
    return digest([hashlib.sha256(content).hexdigest(), *map(_version, _PACKAGES)])


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # What was counted elsewhere is of another key.
        return ""
