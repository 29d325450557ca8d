"""The operators of a ``.tflite`` file, and their tensors, as plain records."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from sweep.flatbuffer import OPERATORS, packed, unpacked

_TYPES: dict[int, np.dtype] = {
    schema.TensorType.FLOAT32: np.dtype(np.float32),
    schema.TensorType.FLOAT16: np.dtype(np.float16),
    schema.TensorType.INT32: np.dtype(np.int32),
    schema.TensorType.INT8: np.dtype(np.int8),
}


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor; a real value is ``(stored - zero_point) * scale``.

    Attributes:
        index: in the file.
        shape: its sizes.
        dtype: of what is stored; None for a type of which nothing here makes use.
        scales: float32, one or one a channel; empty where nothing is quantized.
        zero_point: of the first channel.
        data: the values of a constant, else None.
    """

    index: int
    shape: tuple[int, ...]
    dtype: np.dtype | None
    scales: np.ndarray
    zero_point: int
    data: np.ndarray | None

    @property
    def size(self) -> int:
        """How many values it has."""
        return math.prod(self.shape)

    @property
    def scale(self) -> np.float32:
        """The one scale of an activation.

        Raises:
            ValueError: if it has none or several.
        """
        if len(self.scales) != 1:
            raise ValueError(f"has {len(self.scales)} scales where one is needed")
        return np.float32(self.scales[0])


@dataclass(frozen=True, eq=False)
class Operator:
    """An operator.

    Attributes:
        place: in the file.
        name: in LiteRT's schema.
        inputs: None for one that is left out.
        options: as the schema has them.
    """

    place: int
    name: str
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]
    options: Any


class Graph:
    """The first subgraph of a ``.tflite`` file.

    Args:
        content: the file.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._model = unpacked(content)
        self._graph = self._model.subgraphs[0]

    @cached_property
    def tensors(self) -> tuple[Tensor, ...]:
        """All tensors, by index."""
        return tuple(self._tensor(i, one) for i, one in enumerate(self._graph.tensors))

    @cached_property
    def operators(self) -> tuple[Operator, ...]:
        """The operators, in the order in which they run."""
        return tuple(
            Operator(
                place,
                OPERATORS[self._model.operatorCodes[one.opcodeIndex].builtinCode],
                tuple(self.tensors[i] if i >= 0 else None for i in one.inputs),
                tuple(self.tensors[i] for i in one.outputs),
                one.builtinOptions,
            )
            for place, one in enumerate(self._graph.operators)
        )

    @property
    def input(self) -> Tensor:
        """The first input."""
        return self.tensors[self._graph.inputs[0]]

    @property
    def output(self) -> Tensor:
        """The first output."""
        return self.tensors[self._graph.outputs[0]]

    def alone(self, operator: Operator, shape: tuple[int, ...]) -> bytes:
        """Return a ``.tflite`` of one elementwise operator, ``[1, *shape]`` in and out."""
        model = unpacked(self._content)
        (graph,) = model.subgraphs
        graph.operators = [graph.operators[operator.place]]
        graph.inputs, graph.outputs = (graph.operators[0].inputs, graph.operators[0].outputs)
        for index in (*graph.inputs, *graph.outputs):
            graph.tensors[index].shape, graph.tensors[index].shapeSignature = [1, *shape], None
        model.signatureDefs = None
        return packed(model)

    def _tensor(self, index: int, tensor: Any) -> Tensor:
        dtype, shape = _TYPES.get(tensor.type), tuple(int(n) for n in tensor.shape)
        quantized = tensor.quantization
        scales = quantized.scale if quantized and quantized.scale is not None else ()
        return Tensor(
            index,
            shape,
            dtype,
            np.array(scales, np.float32),
            int(quantized.zeroPoint[0]) if len(scales) else 0,
            self._values(tensor.buffer, dtype, shape),
        )

    def _values(
        self, index: int, dtype: np.dtype | None, shape: tuple[int, ...]
    ) -> np.ndarray | None:
        data = self._model.buffers[index].data
        if data is None or dtype is None:
            return None
        return np.frombuffer(bytes(data), dtype).reshape(shape)
