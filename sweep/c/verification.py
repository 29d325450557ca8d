"""The C of a classifier on many clips, compared with LiteRT."""

import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sweep.arrays import blocks
from sweep.c.compiler import FLAGS, compiled, compiler
from sweep.c.cores import DEFAULT_CORE
from sweep.c.emulator import emulate, is_installed
from sweep.c.stepping import Stepping
from sweep.c.templates import template
from sweep.detector import Event
from sweep.errors import SweepError
from sweep.litert import Model

FEATURES_TOLERANCE = 5e-5
"""Largest difference from ``frontend.tflite``, as a share of the features' range.

A step of int8 is 1/255 of the range, 78 times as much.
"""
OUTPUT_TOLERANCE = 1e-6
"""Largest difference of a float32 probability; int8 is equal in every bit."""
CLIPS_AT_ONCE = 256


@dataclass(frozen=True)
class Expected:
    """What LiteRT makes of the clips.

    Attributes:
        features: float32 ``[clips, frames, coefficients, 1]``, by ``frontend.tflite``.
        model: the network, in LiteRT's reference kernels.
    """

    features: np.ndarray
    model: Model

    @property
    def features_tolerance(self) -> float:
        """How far a feature in C may be from these."""
        return FEATURES_TOLERANCE * float(np.ptp(self.features))

    @property
    def is_quantized(self) -> bool:
        """Whether the network is int8, inputs and outputs included."""
        return self.input.dtype == np.int8

    @property
    def output_tolerance(self) -> float:
        """How far an output in C may be from LiteRT's for the same input."""
        return 0.0 if self.is_quantized else OUTPUT_TOLERANCE

    @cached_property
    def input(self) -> np.ndarray:
        """The inputs of the network as they are stored."""
        return self.model.encode(self.features)

    def kind(self, outputs: int) -> np.dtype:
        """Return the type of what ``run.c`` writes of a clip."""
        places, stored = self.features[0].size, self.input.dtype
        return np.dtype(
            [
                ("features", np.float32, places),
                ("input", stored, places),
                ("output", stored, outputs),
                ("probabilities", np.float32, outputs),
            ]
        )


def verified(
    files: Mapping[str, str],
    clips: np.ndarray,
    expected: Expected,
    flags: Sequence[str] = FLAGS,
    core: str = DEFAULT_CORE,
    stepping: Stepping | None = None,
) -> dict[str, Any]:
    """Return whether the C was run on the clips, and how far it was from LiteRT.

    Args:
        files: the C files by name.
        clips: int16 ``[clips, samples]``.
        expected: what LiteRT makes of them.
        flags: of the compiler.
        core: the name of the core that is emulated.
        stepping: how a stream is cut, if the network keeps its frames.

    Raises:
        SweepError: if the C computes something else.
    """
    if compiler() is None:
        return {"verified": False, "reason": "no C compiler"}
    output = expected.model.run_stored(expected.input)
    kind = expected.kind(output.shape[1])
    try:
        with compiled({**files, "run.c": template("run.c")}, flags) as program:
            parts = [program.run(part, kind) for part in blocks(clips, CLIPS_AT_ONCE)]
        found = np.concatenate(parts)
        streamed = None if stepping is None else _streamed(files, clips, found, flags, stepping)
    except (OSError, subprocess.SubprocessError):
        return {"verified": False, "reason": f"{compiler()} did not compile or run it"}
    told = {
        "verified": True,
        "clips": len(clips),
        "features": _features(found["features"], expected),
        "network": _network(found, expected),
        "inputs": _inputs(found["input"], expected),
        "labels": {"differing_clips": _differing(found["output"].argmax(1), output.argmax(1))},
    }
    if streamed is not None:
        told["streamed"] = streamed
    if is_installed():
        calls = [clips[0]] if stepping is None else stepping.cut(clips[0])
        told["device"] = _device(files, calls, found[0], core)
    return told


def _streamed(
    files: Mapping[str, str],
    clips: np.ndarray,
    found: np.ndarray,
    flags: Sequence[str],
    stepping: Stepping,
) -> dict[str, int]:
    """Compare the last step of a stream that ends with a clip with what was found of the clip."""
    steps = np.stack([np.concatenate([*stepping.cut(clip)]) for clip in clips])
    with compiled({**files, "run_stream.c": template("run_stream.c")}, flags) as program:
        last = [program.run(part, found["output"].dtype) for part in blocks(steps, CLIPS_AT_ONCE)]
    differing = _differing(np.concatenate(last).reshape(found["output"].shape), found["output"])
    if differing:
        raise SweepError(
            f"a stream computed in C differs from {differing} of {len(clips)} clips; export without"
            " --c, and report it"
        )
    return {"clips": len(clips), "steps_a_clip": stepping.warm_up + 1, "differing_clips": differing}


def events_differing(
    files: Mapping[str, str], samples: np.ndarray, expected: Sequence[Event]
) -> dict[str, int]:
    """Return how many events ``example.c`` prints of a stream, and how many lines are others.

    Args:
        files: the C files by name, a detector's.
        samples: int16 ``[samples]``.
        expected: the events that Python finds.
    """
    with compiled(files) as program:
        printed = program.run(samples, np.dtype(np.uint8)).tobytes().decode()
    found, wanted = printed.splitlines(), [str(event) for event in expected]
    return {"detected": len(found), "differing": len(set(found) ^ set(wanted))}


def _device(
    files: Mapping[str, str], calls: Iterable[np.ndarray], here: np.ndarray, core: str
) -> dict[str, Any]:
    """Return what a clip takes on an emulated core, whose output must be that of this machine."""
    try:
        costs, output = emulate(files, calls, here["output"].dtype, here["output"].shape, core)
    except SweepError as error:
        return {"core": core, "reason": str(error)}
    if not np.array_equal(output, here["output"]):
        raise SweepError(
            f"the C computes something else on an emulated {core}; export without --c, and"
            " report it"
        )
    return {"core": core} | asdict(costs)


def _differing(found: np.ndarray, expected: np.ndarray) -> int:
    """Return in how many clips something differs."""
    differs = found != expected
    return int(differs.reshape(len(found), -1).any(axis=1).sum())


def _features(found: np.ndarray, expected: Expected) -> dict[str, float]:
    difference = float(np.abs(found - expected.features.reshape(found.shape)).max())
    tolerance = expected.features_tolerance
    if not difference <= tolerance:
        raise SweepError(
            f"the front end in C differs from frontend.tflite by {difference:.2g}, more than"
            f" {tolerance:.2g}; export without --c, and report it"
        )
    return {"largest_difference": difference, "tolerance": tolerance}


def _network(found: np.ndarray, expected: Expected) -> dict[str, Any]:
    """Compare the outputs with those of LiteRT for the same inputs, those that the C made."""
    same = expected.model.run_stored(found["input"].reshape(expected.input.shape))
    distances = np.abs(found["output"].astype(np.float64) - same)
    difference, tolerance = float(distances.max()), expected.output_tolerance
    if not difference <= tolerance:
        raise SweepError(
            "the network in C differs from LiteRT's reference kernels in"
            f" {_differing(found['output'], same)} of {len(same)} clips, by up to {difference:.2g};"
            " export without --c, and report it"
        )
    return {
        "compared_with": "LiteRT's reference kernels",
        "largest_difference": difference,
        "tolerance": tolerance,
    }


def _inputs(found: np.ndarray, expected: Expected) -> dict[str, Any]:
    """Return in how many clips an int8 input differs, and how near each is to the next integer.

    A margin is how far LiteRT's feature, in steps of int8, is from where it would be rounded the
    other way.
    """
    other = found != expected.input.reshape(found.shape)
    if not expected.is_quantized:
        return {}
    steps = expected.model.in_steps(expected.features).reshape(found.shape)
    margins = np.abs(steps - np.floor(steps) - 0.5)
    clips = np.flatnonzero(other.any(axis=1))
    return {
        "differing_clips": len(clips),
        "margins": {int(clip): float(margins[clip][other[clip]].max()) for clip in clips},
    }
