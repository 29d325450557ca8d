"""Real factors and bounds in integers, as LiteRT's reference kernels have them."""

import math
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from sweep.c.graph import Operator, Tensor

_BOUNDS = {
    schema.ActivationFunctionType.NONE: (-math.inf, math.inf),
    schema.ActivationFunctionType.RELU: (0.0, math.inf),
    schema.ActivationFunctionType.RELU_N1_TO_1: (-1.0, 1.0),
    schema.ActivationFunctionType.RELU6: (0.0, 6.0),
}
_INT8 = np.iinfo(np.int8)
_LARGEST = np.finfo(np.float32).max


def multiplier(real: float) -> tuple[int, int]:
    """Return multiplier and shift: ``real = multiplier * 2^(shift - 31)``, to 31 bits."""
    mantissa, shift = math.frexp(real)
    whole = math.floor(mantissa * 2**31 + 0.5)
    if whole == 2**31:
        whole, shift = whole // 2, shift + 1
    return (0, 0) if shift < -31 else (whole, shift)


def fused_bounds(operator: Operator) -> dict[str, Any]:
    """Return the least and the most value that the fused activation lets pass.

    Raises:
        ValueError: if it is not piecewise linear.
    """
    function = operator.options.fusedActivationFunction
    if function not in _BOUNDS:
        raise ValueError("is fused with an activation that is no kind of ReLU")
    return bounds(*_BOUNDS[function], operator.outputs[0])


def bounds(least: float, most: float, output: Tensor) -> dict[str, Any]:
    """Return the fields ``least`` and ``most`` for real bounds, which may be infinite."""
    if output.dtype == np.float32:
        least, most = np.clip((least, most), -_LARGEST, _LARGEST)
        return {"least": np.float32(least), "most": np.float32(most)}
    return {"least": _stored(least, output), "most": _stored(most, output)}


def _stored(value: float, tensor: Tensor) -> int:
    if math.isinf(value):
        return int(_INT8.min if value < 0 else _INT8.max)
    stored = tensor.zero_point + math.floor(float(np.float32(value) / tensor.scale) + 0.5)
    return int(min(max(stored, _INT8.min), _INT8.max))
