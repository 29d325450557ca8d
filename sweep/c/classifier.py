"""The C99 source of a classifier: front end, network, and what lies between them."""

import numpy as np

from sweep.c.arrays import number, text
from sweep.c.frontend import frontend_source
from sweep.c.graph import Graph, Tensor
from sweep.c.network import network_source
from sweep.c.stepping import Stepping
from sweep.c.templates import Source, filled
from sweep.frontends.base import Frontend


def classifier_source(
    frontend: Frontend,
    mean: np.ndarray,
    deviation: np.ndarray,
    model: bytes,
    labels: tuple[str, ...],
    stepping: Stepping | None = None,
) -> Source:
    """Return the C files, ``README.md`` and ``library.properties``.

    Args:
        frontend: the front end.
        mean, deviation: float32 ``[coefficients]``, as for ``convert_frontend``.
        model: the ``.tflite`` from features to probabilities.
        labels: their names.
        stepping: how a stream is cut, if the network keeps its frames.

    Raises:
        SweepError: if there is no C of this front end or of this network.
    """
    before = frontend_source(frontend, mean, deviation)
    network = network_source(model, stepping.frames if stepping else None)
    told = before.values | network.values | _between(Graph(model), labels)
    told |= _of_stream(stepping, network.values["step_bytes"])
    work = max(told["work_bytes"], told["arena_bytes"])
    told["ram_bytes"] = told["feature_bytes"] + work
    frame = told["work_bytes"] + 4 * told["coefficients"]
    told["work_ram_bytes"] = frame + told["step_bytes"] if stepping else told["ram_bytes"]
    files = filled(("classifier.h", "classifier.c", "README.md", "library.properties"), told)
    return Source(before.files | network.files | files, told)


def _of_stream(stepping: Stepping | None, memory: int) -> dict[str, object]:
    """Return what the templates say of the steps of a stream, which keep so many bytes."""
    if stepping is None:
        return {"stride": 0, "step_samples": 0, "stream": ""}
    note = (
        f"- A stream: `classifier_step` computes {stepping.frames} new frames, of {stepping.stride}"
        f" samples, and keeps\n  what it needs of the others, in {memory} bytes.\n"
    )
    return {"stride": stepping.stride, "step_samples": stepping.samples, "stream": note}


def _between(graph: Graph, labels: tuple[str, ...]) -> dict[str, object]:
    """Return what the templates say of the network's input and output."""
    return {
        "quantized": int(graph.input.dtype == np.int8),
        "labels": ", ".join(map(text, labels)),
        "label_names": ", ".join(labels),
        **_tensor("input", graph.input),
        **_tensor("output", graph.output),
    }


def _tensor(name: str, tensor: Tensor) -> dict[str, object]:
    scale = tensor.scale if tensor.dtype == np.int8 else 1.0
    return {f"{name}_scale": number(scale), f"{name}_zero_point": f"{tensor.zero_point}.0f"}
