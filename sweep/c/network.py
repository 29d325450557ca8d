"""The C99 source of a network: what the operators of its ``.tflite`` become."""

from collections.abc import Iterator

import numpy as np

from sweep.c.arena import arena
from sweep.c.arrays import constant, structure
from sweep.c.graph import Graph, Operator, Tensor
from sweep.c.operators import step
from sweep.c.steps import Step
from sweep.c.templates import Source, filled, template
from sweep.errors import SweepError
from sweep.litert import Model

_NEEDS = {
    "add_float32": ("broadcast", "bounded"),
    "add_int8": ("broadcast", "clamped", "requantize"),
    "conv_2d_float32": ("window", "bounded"),
    "conv_2d_int8": ("window", "clamped", "requantize"),
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


def network_source(content: bytes) -> Source:
    """Return ``network.h`` and ``network.c`` of a ``.tflite``.

    Raises:
        SweepError: if an operator or a type has no C; it names it.
    """
    graph, memory = Graph(content), arena(content)
    kind = str(graph.input.dtype)
    if kind not in _KINDS or graph.output.dtype != graph.input.dtype:
        raise SweepError(f"a network from {kind} to {graph.output.dtype} has no C")
    steps = [step(one, lambda operator: _table(content, operator)) for one in graph.operators]
    width = np.dtype(kind).itemsize
    places = {tensor: place // width for tensor, place in memory.places.items()}
    layers, calls = zip(*_written(graph, steps, places), strict=True)
    told = {
        "kind": kind,
        "type": _KINDS[kind],
        "inputs": graph.input.size,
        "outputs": graph.output.size,
        "arena": memory.size // width,
        "arena_bytes": memory.size,
        "weights_bytes": sum(_table_bytes(one) for one in steps),
        "input_place": places[graph.input.index],
        "output_place": places[graph.output.index],
        "kernels": "\n".join(template(f"kernels/{name}.c") for name in _kernels(steps)),
        "layers": "\n\n".join(layers),
        "calls": "\n".join(f"    {call};" for call in calls),
    }
    return Source(filled(("network.h", "network.c"), told), told)


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


def _written(graph: Graph, steps: list[Step], places: dict[int, int]) -> Iterator[tuple[str, str]]:
    """Yield constants and call of each step, in C."""
    for i, (operator, one) in enumerate(zip(graph.operators, steps, strict=True), start=1):
        name, tables, fields = f"layer_{i}", [], dict(one.fields)
        for field, values in fields.items():
            if isinstance(values, np.ndarray):
                tables.append(constant(f"{name}_{field}", values))
                fields[field] = f"{name}_{field}"

        def pointer(tensor: Tensor) -> str:
            if tensor.data is None:
                return f"arena + {places[tensor.index]}"
            tables.append(constant(f"{name}_constant", tensor.data.ravel()))
            return f"{name}_constant"

        taken = [f"&{name}", *map(pointer, one.inputs), pointer(operator.outputs[0])]
        written = structure(f"{one.kernel}_layer", name, fields)
        yield "\n\n".join((*tables, written)), f"{one.kernel}({', '.join(taken)})"
