"""The C99 source of a network: what the operators of its ``.tflite`` become."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sweep.c.arena import arena
from sweep.c.arrays import constant, structure
from sweep.c.graph import Graph, Operator, Tensor
from sweep.c.operators import step
from sweep.c.steps import Step
from sweep.c.streamed import memory_of, streamed
from sweep.c.templates import Source, filled, template
from sweep.c.work import work_of
from sweep.errors import SweepError
from sweep.litert import Model

_NEEDS = {
    "add_float32": ("broadcast", "bounded"),
    "add_int8": ("broadcast", "clamped", "requantize"),
    "conv_2d_float32": ("window", "bounded"),
    "conv_2d_int8": ("window", "clamped", "products", "requantize"),
    "depthwise_conv_2d_float32": ("window", "bounded"),
    "depthwise_conv_2d_int8": ("window", "clamped", "requantize"),
    "fully_connected_float32": ("bounded",),
    "fully_connected_int8": ("clamped",),
    "logistic_float32": ("exponential",),
    "mean_int8": ("clamped", "requantize"),
    "mul_float32": ("broadcast", "bounded"),
    "mul_int8": ("broadcast", "clamped", "requantize"),
    "relu_float32": ("bounded",),
    "softmax_float32": ("exponential",),
    "softmax_int8": ("clamped", "requantize"),
    "tanh_float32": ("exponential",),
}
"""The files of ``kernels`` that a kernel builds on."""

_KINDS = {"float32": "float", "int8": "int8_t"}

_NO_STREAM: dict[str, Any] = {
    **dict.fromkeys(("streaming", "step_frames", "step_memory", "step_bytes", "warm_up"), 0),
    **dict.fromkeys(("step_input_place", "step_output_place"), 0),
    **dict.fromkeys(("steps", "step_calls", "shifts"), ""),
}


def network_source(content: bytes, frames: int | None = None) -> Source:
    """Return ``network.h`` and ``network.c`` of a ``.tflite``.

    Args:
        content: the file.
        frames: new ones of each step of a stream; None for windows alone.

    Raises:
        SweepError: if an operator or a type has no C; it names it.
    """
    graph, memory = Graph(content), arena(content)
    kind = str(graph.input.dtype)
    if kind not in _KINDS or graph.output.dtype != graph.input.dtype:
        raise SweepError(f"a network from {kind} to {graph.output.dtype} has no C")
    width = np.dtype(kind).itemsize
    places = {tensor: place // width for tensor, place in memory.places.items()}
    calls = [
        _Call(_step(content, one), places, places[one.outputs[0].index]) for one in graph.operators
    ]
    steps = [call.step for call in calls]
    layers = [
        "\n\n".join((*_tables(i, one), _structure("layer", i, one)))
        for i, one in enumerate(steps, start=1)
    ]
    told = {
        "kind": kind,
        "type": _KINDS[kind],
        "inputs": graph.input.size,
        "outputs": graph.output.size,
        "arena": memory.size // width,
        "arena_bytes": memory.size,
        "weights_bytes": sum(_table_bytes(one) for one in steps),
        "work": work_of(steps),
        "input_place": places[graph.input.index],
        "output_place": places[graph.output.index],
        "kernels": "\n".join(template(f"kernels/{name}.c") for name in _kernels(steps)),
        "layers": "\n\n".join(layers),
        "calls": _written("layer", "arena", calls),
    } | _stream(content, graph, frames)
    return Source(filled(("network.h", "network.c"), told), told)


def _stream(content: bytes, graph: Graph, frames: int | None) -> dict[str, Any]:
    """Return what the templates say of a step of a stream."""
    if frames is None:
        return _NO_STREAM
    stream = streamed(graph, frames)
    memory = memory_of(graph, stream)
    width = np.dtype(graph.input.dtype).itemsize
    places = {tensor: place // width for tensor, place in memory.places.items()}
    calls = [
        _Call(
            _step(content, one.operator),
            {i: place + one.takes.get(i, 0) for i, place in places.items()},
            places[one.operator.outputs[0].index] + one.gives,
        )
        for one in stream.operators
    ]
    steps = [call.step for call in calls]
    taken = stream.maps[graph.input.index]
    kept = {i: one for i, one in stream.maps.items() if one.kept}
    return {
        "streaming": 1,
        "step_frames": taken.new,
        "step_memory": memory.size // width,
        "step_bytes": memory.size,
        "step_input_place": places[graph.input.index] + taken.kept * taken.row,
        "step_output_place": places[graph.output.index],
        "warm_up": stream.warm_up,
        "work": work_of(steps) | {"moved": sum(one.kept * one.row for one in kept.values())},
        "steps": "\n\n".join(_structure("step", i, one) for i, one in enumerate(steps, start=1)),
        "step_calls": _written("step", "memory", calls),
        "shifts": "\n".join(
            f"    memmove(memory + {places[i]}, memory + {places[i] + one.new * one.row},"
            f" {one.kept * one.row} * sizeof *memory);"
            for i, one in kept.items()
        ),
    }


@dataclass(frozen=True)
class _Call:
    """A call of a kernel, and where its inputs, by tensor, and its output lie."""

    step: Step
    inputs: dict[int, int]
    output: int

    def place(self, tensor: Tensor) -> int:
        return self.inputs[tensor.index] + self.step.skipped


def _step(content: bytes, operator: Operator) -> Step:
    return step(operator, lambda one: _table(content, one))


def _table(content: bytes, operator: Operator) -> np.ndarray:
    """Return what the reference kernel of an operator of one value makes of -128 to 127."""
    values = np.arange(-128, 128).astype(np.int8)
    alone = Graph(content).alone(operator, values.shape)
    return Model(alone, reference=True).run_stored(values[None])[0]


def _table_bytes(one: Step) -> int:
    constants = [tensor.data for tensor in one.inputs]
    return sum(v.nbytes for v in (*one.fields.values(), *constants) if isinstance(v, np.ndarray))


def _kernels(steps: list[Step]) -> list[str]:
    """Return the files of ``kernels`` that are needed, each after those it builds on."""
    used = sorted({one.kernel for one in steps})
    return sorted({need for name in used for need in _NEEDS.get(name, ())}) + used


def _tables(i: int, one: Step) -> Iterator[str]:
    """Yield the constant arrays of a layer, which all its calls share."""
    for field, values in one.fields.items():
        if isinstance(values, np.ndarray):
            yield constant(f"layer_{i}_{field}", values)
    for tensor in one.inputs:
        if tensor.data is not None:
            yield constant(f"layer_{i}_constant", tensor.data.ravel())


def _structure(kind: str, i: int, one: Step) -> str:
    fields = {
        field: f"layer_{i}_{field}" if isinstance(values, np.ndarray) else values
        for field, values in one.fields.items()
    }
    return structure(f"{one.kernel}_layer", f"{kind}_{i}", fields)


def _written(kind: str, memory: str, calls: list[_Call]) -> str:
    """Return calls in C."""
    lines = []
    for i, call in enumerate(calls, start=1):
        taken = [
            f"layer_{i}_constant" if tensor.data is not None else f"{memory} + {call.place(tensor)}"
            for tensor in call.step.inputs
        ]
        arguments = ", ".join((f"&{kind}_{i}", *taken, f"{memory} + {call.output}"))
        lines.append(f"    {call.step.kernel}({arguments});")
    return "\n".join(lines)
