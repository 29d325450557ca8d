"""A network as it computes a stream: of each map only the new frames, from what is kept of others.

A step takes some frames more and gives what the network would of the window that ends with them,
in every bit: without padding a map's frames are the same wherever the window begins (Rybakov et
al., "Streaming Keyword Spotting on Mobile Devices", 2020, keep the inputs of layers likewise).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from sweep.c.arena import Activation, Arena, placed
from sweep.c.graph import Graph, Operator, Tensor
from sweep.c.steps import constant_of
from sweep.errors import SweepError

_OF_EACH_FRAME = (
    *("ADD", "ELU", "HARD_SWISH", "LEAKY_RELU", "LOGISTIC", "MEAN", "MUL", "PAD", "RELU", "RELU6"),
    "TANH",
)
_TIME = 1


@dataclass(frozen=True)
class Map:
    """What is held of a map with frames.

    Attributes:
        new: frames that a step computes anew, the last ones.
        held: frames that lie in memory; more than the new ones if others are kept.
        row: values of a frame.
    """

    new: int
    held: int
    row: int

    @property
    def kept(self) -> int:
        """Frames that are kept from one step to the next."""
        return self.held - self.new


@dataclass(frozen=True)
class StreamedOperator:
    """An operator on the frames that a step needs.

    Attributes:
        operator: with the shapes of these frames.
        takes: how many values of each of its inputs are passed over.
        gives: how many values of its output are.
    """

    operator: Operator
    takes: dict[int, int]
    gives: int


@dataclass(frozen=True)
class Streamed:
    """A network as it computes a stream.

    Attributes:
        operators: in the order in which they run.
        maps: those with frames, by the index of the tensor.
        warm_up: steps before the first whose window is whole.
    """

    operators: tuple[StreamedOperator, ...]
    maps: dict[int, Map]
    warm_up: int


def streamed(graph: Graph, frames: int) -> Streamed:
    """Return a network as it computes a stream.

    Args:
        graph: the network, on a window ``[1, frames, coefficients, 1]``.
        frames: new ones of each step, a multiple of the frames after which all layers computed.

    Raises:
        SweepError: if an operator pads frames or mixes them otherwise.
    """
    windows = dict(_windows(graph))
    strides = {graph.input.index: 1}
    for place, window in windows.items():
        operator = graph.operators[place]
        if _TIME < len(operator.outputs[0].shape) - 1 and window.gives:
            strides[operator.outputs[0].index] = strides[window.of.index] * window.stride
    tensors = graph.tensors
    new = {i: min(frames // stride, tensors[i].shape[_TIME]) for i, stride in strides.items()}
    held = dict(new)
    needs: dict[tuple[int, int], int] = {}
    for place, window in windows.items():
        operator = graph.operators[place]
        output = operator.outputs[0].index
        for tensor in operator.inputs:
            if tensor is not None and tensor.index in new:
                need = window.need(tensor.shape[_TIME], new.get(output, 0))
                needs[place, tensor.index] = need
                held[tensor.index] = max(held[tensor.index], need)
    maps = {i: Map(new[i], held[i], _row(tensors[i])) for i in strides}
    whole = graph.input.shape[_TIME]
    return Streamed(
        tuple(_with_frames(one, maps, needs) for one in graph.operators),
        maps,
        -(-whole // frames) - 1,
    )


def memory_of(graph: Graph, stream: Streamed) -> Arena:
    """Return where the maps of a stream lie: what is kept, and what a step needs besides."""
    last = len(graph.operators) - 1
    begins, ends = {graph.input.index: 0}, {graph.output.index: last}
    for operator in graph.operators:
        begins |= {one.index: operator.place for one in operator.outputs}
        ends |= {one.index: operator.place for one in operator.inputs if one is not None}
    ends[graph.output.index] = last
    return placed(
        (
            Activation(i, _bytes(graph.tensors[i], stream.maps.get(i)), 0, last)
            if i in stream.maps and stream.maps[i].kept
            else Activation(i, _bytes(graph.tensors[i], stream.maps.get(i)), begin, ends[i])
        )
        for i, begin in sorted(begins.items(), reverse=True)
    )


def _bytes(tensor: Tensor, of: Map | None) -> int:
    values = tensor.size if of is None else of.held * of.row
    return values * np.dtype(tensor.dtype).itemsize


@dataclass(frozen=True)
class _Window:
    """Which frames of its input an operator takes for each of its output.

    Attributes:
        of: the input.
        size: frames from the first to the last that one of the output takes; 0 for all.
        stride: between those of neighbours.
        outputs: frames of the output, of the whole window.
        first: the first frame it takes.
    """

    of: Tensor
    size: int
    stride: int
    outputs: int
    first: int = 0

    @property
    def gives(self) -> bool:
        """Whether its output has frames."""
        return self.size > 0

    @property
    def span(self) -> int:
        """The frames up to the last that it takes."""
        return self.first + (self.outputs - 1) * self.stride + self.size

    def need(self, inputs: int, new: int) -> int:
        """Return how many of the last of so many frames it takes for its last new ones."""
        if not self.gives:
            return inputs
        return inputs - self.span + (new - 1) * self.stride + self.size


def _windows(graph: Graph) -> Iterator[tuple[int, _Window]]:
    """Yield the window of each operator that takes frames, by its place."""
    timed = {graph.input.index}
    for operator in graph.operators:
        of = next((one for one in operator.inputs if one and one.index in timed), None)
        if of is None:
            continue
        window = _window(operator, of)
        if window.gives:
            timed.add(operator.outputs[0].index)
        yield operator.place, window


def _window(operator: Operator, of: Tensor) -> _Window:
    name, options, frames = operator.name, operator.options, of.shape[_TIME]
    outputs = operator.outputs[0].shape[_TIME]
    if name in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        weights = operator.inputs[1]
        assert weights is not None
        size = (weights.shape[1] - 1) * options.dilationHFactor + 1
        window = _Window(of, size, options.strideH, outputs)
        if window.span <= frames:
            return window
        raise SweepError(f"{name} pads frames, so a stream of it has no C; see streaming")
    if name == "SLICE":
        begin = constant_of(operator.inputs[1], "places").tolist()
        return _Window(of, 1, 1, outputs, begin[_TIME])
    if name == "MEAN":
        axes = constant_of(operator.inputs[1], "axes").ravel().tolist()
        if _TIME in axes:
            return _Window(of, 0, 1, 0)
    if name in _OF_EACH_FRAME and outputs == frames:
        return _Window(of, 1, 1, outputs)
    raise SweepError(f"{name} mixes frames, so a stream of it has no C")


def _row(tensor: Tensor) -> int:
    return tensor.size // tensor.shape[_TIME]


def _with_frames(
    operator: Operator, maps: dict[int, Map], needs: dict[tuple[int, int], int]
) -> StreamedOperator:
    """Return an operator with as many frames as it takes and gives in a step."""
    takes: dict[int, int] = {}
    inputs: list[Tensor | None] = []
    gives = 0
    for tensor in operator.inputs:
        if tensor is not None and operator.name == "SLICE" and tensor is operator.inputs[1]:
            # What it begins with is passed over already.
            tensor = replace(tensor, data=np.zeros_like(constant_of(tensor, "places")))
        elif tensor is not None and tensor.index in maps:
            of, need = maps[tensor.index], needs[operator.place, tensor.index]
            takes[tensor.index] = (of.held - need) * of.row
            tensor = _cut(tensor, need)
        inputs.append(tensor)
    (output,) = operator.outputs
    if output.index in maps:
        of = maps[output.index]
        gives, output = of.kept * of.row, _cut(output, of.new)
    return StreamedOperator(
        replace(operator, inputs=tuple(inputs), outputs=(output,)), takes, gives
    )


def _cut(tensor: Tensor, frames: int) -> Tensor:
    shape = (tensor.shape[0], frames, *tensor.shape[2:])
    return replace(tensor, shape=shape)
