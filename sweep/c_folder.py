"""The C folder of an export: written, and compared with LiteRT where C compiles."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from sweep.arrays import blocks, to_float
from sweep.audio.dataset import Dataset
from sweep.audio.streams import stream_of
from sweep.c import DETECTOR, LIBRARY, SOURCES
from sweep.c.arrays import constant, number
from sweep.c.classifier import classifier_source
from sweep.c.cores import CORES, DEFAULT_CORE
from sweep.c.detector import detector_source
from sweep.c.emulator import Costs
from sweep.c.stepping import Stepping
from sweep.c.templates import template
from sweep.c.verification import CLIPS_AT_ONCE, Expected, events_differing, verified
from sweep.candidate import AugmentationParams
from sweep.detector import Decisions, OperatingPoint
from sweep.frontends.base import Frontend
from sweep.litert import Model, run_windows
from sweep.predict import FRONTEND, MODEL
from sweep.stages.features import prepare_features

_COMPARED_IN_S = 600
"""How much of the validation stream the detector in C is compared on."""


def c_files(
    frontend: Frontend,
    deployed: Mapping[str, bytes],
    dataset: Dataset,
    point: OperatingPoint | None = None,
    core: str = DEFAULT_CORE,
    stepping: Stepping | None = None,
) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the files of the C folder by path, and what ``metadata.json`` says of them.

    Args:
        frontend: the front end.
        deployed: its ``frontend.tflite`` and the ``model.tflite``, by name.
        dataset: the clips they were made with.
        point: when keywords are detected in a stream; None for a classifier alone.
        core: the name of the core that is emulated.
        stepping: how a stream is cut, if the network keeps its frames.

    Raises:
        SweepError: if there is no C of this front end or network, or it computes something else.
    """
    statistics = prepare_features(dataset, frontend, AugmentationParams())
    source = classifier_source(
        frontend, statistics.mean, statistics.deviation, deployed[MODEL], dataset.labels, stepping
    ).files
    clips = dataset.waveforms("validation", frontend.downsampling_rate)
    expected = _expected(deployed, clips)
    files = source | {"test.c": template("test.c"), "Makefile": _makefile(core)}
    files["golden.h"] = _golden(clips[0], expected)
    classifier = {name: source[name] for name in SOURCES}
    told = verified(classifier, clips, expected, core=core, stepping=stepping)
    if point is not None:
        files |= detector_source(point, dataset.labels, dataset.spec.labels)
        if told["verified"]:
            program = {name: files[name] for name in (*SOURCES, *DETECTOR, "example.c")}
            told["events"] = _events(program, frontend, deployed, dataset, point)
    compiled = (*SOURCES, *DETECTOR)
    placed = {name: f"{LIBRARY}/{name}" if name in compiled else name for name in files}
    return {placed[name]: text for name, text in files.items()}, told


def counted(found: Mapping[str, Any]) -> dict[str, float]:
    """Return the metrics that were counted on a core, if any were, of what ``c_files`` told."""
    device = found.get("device", {"reason": "no emulator"})
    if "reason" in device:
        return {}
    return Costs(**{name: value for name, value in device.items() if name != "core"}).metrics


def _makefile(core: str) -> str:
    return f"CORE = {' '.join(CORES[core].gnu_flags)}\n" + template("Makefile")


def _expected(deployed: Mapping[str, bytes], clips: np.ndarray) -> Expected:
    frontend, model = Model(deployed[FRONTEND]), Model(deployed[MODEL], reference=True)
    parts = (frontend.run_each(to_float(part)) for part in blocks(clips, CLIPS_AT_ONCE))
    return Expected(np.concatenate(list(parts)), model)


def _events(
    files: Mapping[str, str],
    frontend: Frontend,
    deployed: Mapping[str, bytes],
    dataset: Dataset,
    point: OperatingPoint,
) -> dict[str, Any]:
    """Compare what ``example.c`` detects in the validation stream with what Python does."""
    rate, window = frontend.downsampling_rate, frontend.num_samples
    samples = stream_of(dataset, "validation", rate).samples[: _COMPARED_IN_S * rate]
    found = run_windows(deployed[FRONTEND], deployed[MODEL], samples, point.stride, reference=True)
    decisions = Decisions(dataset.labels, dataset.spec.labels, point, window, rate)
    return {"seconds": len(samples) / rate} | events_differing(
        files, samples, decisions.feed(found)
    )


def _golden(clip: np.ndarray, expected: Expected) -> str:
    (features,) = expected.features[:1]
    (output,) = expected.model.run_stored(expected.model.encode(features[None]))
    head = "/* A validation clip, and what LiteRT makes of it. */\n#include <stdint.h>"
    tolerances = {"FEATURES": expected.features_tolerance, "OUTPUT": expected.output_tolerance}
    return "\n\n".join(
        (
            head,
            *(f"#define GOLDEN_{k}_TOLERANCE {number(v)}" for k, v in tolerances.items()),
            constant("golden_samples", clip),
            constant("golden_features", features.ravel()),
            constant("golden_output", output),
            "",
        )
    )
