"""The C folder of an export: written, and compared with ``frontend.tflite`` where C compiles."""

import subprocess
from collections.abc import Mapping
from typing import Any

import numpy as np

from sweep.arrays import blocks, to_float
from sweep.audio.dataset import Dataset
from sweep.c.arrays import constant, number
from sweep.c.compiler import compiled, compiler
from sweep.c.frontend import frontend_source, template
from sweep.candidate import AugmentationParams
from sweep.errors import SweepError
from sweep.frontends.base import Frontend
from sweep.litert import Model
from sweep.stages.features import prepare_features

TOLERANCE = 5e-5
"""Largest difference from ``frontend.tflite``, as a share of the features' range.

A step of int8 is 1/255 of the range, 78 times as much.
"""

_CLIPS_AT_ONCE = 256


def c_files(
    frontend: Frontend, content: bytes, dataset: Dataset
) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the files of the C folder by name, and what ``metadata.json`` says of them.

    Args:
        frontend: the front end.
        content: its ``frontend.tflite``.
        dataset: the clips it was made with.

    Raises:
        SweepError: if there is no C of this front end, or it computes something else.
    """
    statistics = prepare_features(dataset, frontend, AugmentationParams())
    source = frontend_source(frontend, statistics.mean, statistics.deviation)
    clips = dataset.waveforms("validation", frontend.downsampling_rate)
    model = Model(content)
    parts = [model.run_each(to_float(part)) for part in blocks(clips, _CLIPS_AT_ONCE)]
    expected = np.concatenate(parts)[..., 0]
    tolerance = TOLERANCE * float(np.ptp(expected))
    files = source | {name: template(name) for name in ("test.c", "Makefile")}
    files["golden.h"] = _golden(clips[0], expected[0], tolerance)
    return files, _verified(files, frontend, clips, expected, tolerance)


def _golden(clip: np.ndarray, features: np.ndarray, tolerance: float) -> str:
    tables = constant("golden_samples", clip), constant("golden_features", features.reshape(-1))
    head = "/* A validation clip, and its features by frontend.tflite. */\n#include <stdint.h>"
    return "\n\n".join((head, f"#define GOLDEN_TOLERANCE {number(tolerance)}", *tables, ""))


def _verified(
    files: Mapping[str, str],
    frontend: Frontend,
    clips: np.ndarray,
    expected: np.ndarray,
    tolerance: float,
) -> dict[str, Any]:
    """Return whether the C was run on the clips, on how many, and how far it was from expected."""
    if compiler() is None:
        return {"verified": False, "reason": "no C compiler"}
    try:
        with compiled(files, frontend) as program:
            parts = [program.run(part) for part in blocks(clips, _CLIPS_AT_ONCE)]
    except (OSError, subprocess.SubprocessError):
        return {"verified": False, "reason": f"{compiler()} did not compile or run it"}
    difference = float(np.abs(np.concatenate(parts) - expected).max())
    if not difference <= tolerance:
        raise SweepError(
            f"the front end in C differs from frontend.tflite by {difference:.2g}, more than"
            f" {tolerance:.2g}; export without --c, and report it"
        )
    return {
        "verified": True,
        "clips": len(clips),
        "largest_difference": difference,
        "tolerance": tolerance,
    }
