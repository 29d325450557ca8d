"""``.tflite`` files as objects that can be changed, and back."""

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

OPERATORS: dict[int, str] = {
    code: name for name, code in vars(schema.BuiltinOperator).items() if name.isupper()
}
"""The names of operators in the schema, by their codes."""

_FIRST_BYTES = 4096
"""Memory that a file is begun in; it grows."""


def unpacked(content: bytes) -> Any:
    """Return a file as the schema's ``ModelT``, with all weights inside it.

    Raises:
        ValueError: if the bytes are no model.
    """
    model = schema.ModelT.InitFromPackedBuf(bytearray(content), 0)
    for buffer in model.buffers:
        if buffer.offset > 1:  # Large weights may lie behind the table.
            buffer.data = np.frombuffer(content, np.uint8, buffer.size, buffer.offset)
        buffer.offset = buffer.size = 0
    return model


def packed(model: Any, sharing: bool = False) -> bytes:
    """Return the file of a ``ModelT``.

    Args:
        model: the model.
        sharing: whether equal vectors are stored once: FlatBuffers may refer to one vector from
            many tables.
    """
    builder = _SharingBuilder(_FIRST_BYTES) if sharing else flatbuffers.Builder(_FIRST_BYTES)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


class _SharingBuilder(flatbuffers.Builder):
    """Writes each vector once."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._written: dict[tuple[str, bytes], int] = {}

    def CreateNumpyVector(self, x: np.ndarray) -> int:
        """Return the place of the vector, written now or before."""
        key = x.dtype.str, x.tobytes()
        if key not in self._written:
            self._written[key] = super().CreateNumpyVector(x)
        return self._written[key]
