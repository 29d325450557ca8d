"""The working memory of a network: where its activations would lie on a device."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ai_edge_litert import schema_py_generated as schema

_ITEM_BYTES = {
    schema.TensorType.FLOAT32: 4,
    schema.TensorType.FLOAT16: 2,
    schema.TensorType.INT32: 4,
    schema.TensorType.INT8: 1,
}
_ALIGNMENT = 16


@dataclass(frozen=True)
class Activation:
    """A tensor of so many bytes, kept from one operator to another, both included."""

    tensor: int
    size: int
    begin: int
    end: int

    @property
    def aligned(self) -> int:
        """Its bytes, and those up to where another may begin."""
        return math.ceil(self.size / _ALIGNMENT) * _ALIGNMENT

    def meets(self, other: "Activation") -> bool:
        return self.begin <= other.end and other.begin <= self.end


@dataclass(frozen=True)
class Arena:
    """Where activations lie.

    Attributes:
        size: bytes of all together.
        places: the first byte of each, by the index of its tensor.
    """

    size: int
    places: dict[int, int]


def activations_kb(content: bytes) -> float:
    """Return how many KB of 1024 bytes the activations of a ``.tflite`` take in memory."""
    return arena(content).size / 1024


def arena(content: bytes) -> Arena:
    """Return where the activations of a ``.tflite`` lie in memory."""
    return placed(_activations(content))


def placed(activations: Iterable[Activation]) -> Arena:
    """Return where activations lie in memory.

    They are placed as LiteRT for Microcontrollers places them (its ``greedy_memory_planner.cc``):
    the largest first, each as low as nothing lies that is needed at the same time.  A tensor arena
    holds them and the runtime's own records, a few hundred bytes an operator.
    """
    taken: list[tuple[int, Activation]] = []
    for activation in sorted(activations, key=lambda one: -one.aligned):
        place = 0
        for offset, other in sorted(taken, key=lambda one: one[0]):
            if activation.meets(other):
                if place + activation.aligned <= offset:
                    break
                place = max(place, offset + other.aligned)
        taken.append((place, activation))
    size = max(place + activation.aligned for place, activation in taken)
    return Arena(size, {activation.tensor: place for place, activation in taken})


def _activations(content: bytes) -> Iterator[Activation]:
    graph = schema.Model.GetRootAs(content, 0).Subgraphs(0)
    operators = [graph.Operators(i) for i in range(graph.OperatorsLength())]
    begins = dict.fromkeys(graph.InputsAsNumpy().tolist(), 0)
    ends: dict[int, int] = {}
    for step, operator in enumerate(operators):
        begins |= dict.fromkeys(operator.OutputsAsNumpy().tolist(), step)
        ends |= dict.fromkeys(operator.InputsAsNumpy().tolist(), step)
    ends |= dict.fromkeys(graph.OutputsAsNumpy().tolist(), len(operators) - 1)
    for index, begin in sorted(begins.items(), reverse=True):
        tensor = graph.Tensors(index)
        size = _ITEM_BYTES[tensor.Type()] * math.prod(tensor.ShapeAsNumpy().tolist())
        yield Activation(index, size, begin, ends.get(index, begin))
