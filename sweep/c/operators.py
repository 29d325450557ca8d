"""What each operator of LiteRT becomes in C: a kernel, and the constants it is called with.

Multipliers, shifts and rounding are those of LiteRT's reference kernels, which LiteRT for
Microcontrollers shares: real factors become ``multiplier * 2^(shift - 31)`` (Jacob et al.,
"Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference",
2018).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from sweep.c.graph import Operator, Tensor
from sweep.errors import SweepError

_BOUNDS = {
    schema.ActivationFunctionType.NONE: (-math.inf, math.inf),
    schema.ActivationFunctionType.RELU: (0.0, math.inf),
    schema.ActivationFunctionType.RELU_N1_TO_1: (-1.0, 1.0),
    schema.ActivationFunctionType.RELU6: (0.0, 6.0),
}
_INT8 = np.iinfo(np.int8)
_LARGEST = np.finfo(np.float32).max
_ADD_SHIFT = 20
_SOFTMAX_INTEGER_BITS = 5
_AXES = 3


@dataclass(frozen=True)
class Step:
    """One call of a kernel.

    Attributes:
        kernel: its name.
        fields: its constants by name; arrays become tables.
        inputs: its inputs, constant or not.
    """

    kernel: str
    fields: Mapping[str, Any]
    inputs: tuple[Tensor, ...]


def step(operator: Operator, ask: Callable[[Operator], np.ndarray]) -> Step:
    """Return what an operator becomes.

    Args:
        operator: the operator; its activations are all float32 or all int8.
        ask: returns what an operator of one int8 input makes of -128 to 127.

    Raises:
        SweepError: if there is no C for it.
    """
    name, types = operator.name, {one.dtype for one in _activations(operator)}
    if types == {np.dtype(np.int8)}:
        if name in _ELEMENTWISE:
            fields = {"count": operator.outputs[0].size, "table": ask(operator)}
            return Step("lookup_int8", fields, _inputs(operator)[:1])
        emit, kind = _INT8_STEPS.get(name), "int8"
    elif types == {np.dtype(np.float32)}:
        emit, kind = _FLOAT_STEPS.get(name), "float32"
    else:
        raise SweepError(f"{name} has no C for {' and '.join(sorted(map(str, types)))} together")
    if emit is None:
        raise SweepError(f"{name} has no C for {kind}")
    try:
        return emit(operator)
    except ValueError as error:
        raise SweepError(f"this {name} has no C: it {error}") from error


def _activations(operator: Operator) -> list[Tensor]:
    return [one for one in (operator.inputs[0], *operator.outputs) if one is not None]


def _inputs(operator: Operator) -> tuple[Tensor, ...]:
    return tuple(one for one in operator.inputs if one is not None)


def _constant(tensor: Tensor | None, what: str) -> np.ndarray:
    if tensor is None or tensor.data is None:
        raise ValueError(f"has {what} that are computed")
    return tensor.data


def multiplier(real: float) -> tuple[int, int]:
    """Return multiplier and shift: ``real = multiplier * 2^(shift - 31)``, to 31 bits."""
    mantissa, shift = math.frexp(real)
    whole = math.floor(mantissa * 2**31 + 0.5)
    if whole == 2**31:
        whole, shift = whole // 2, shift + 1
    return (0, 0) if shift < -31 else (whole, shift)


def _bounds(operator: Operator) -> dict[str, Any]:
    """Return the least and the most value that the fused activation lets pass."""
    function = operator.options.fusedActivationFunction
    if function not in _BOUNDS:
        raise ValueError("is fused with an activation that is no kind of ReLU")
    output = operator.outputs[0]
    least, most = _BOUNDS[function]
    if output.dtype == np.float32:
        return {"least": np.float32(max(least, -_LARGEST)), "most": np.float32(min(most, _LARGEST))}
    return {"least": _stored(least, output), "most": _stored(most, output)}


def _stored(value: float, tensor: Tensor) -> int:
    if math.isinf(value):
        return int(_INT8.min if value < 0 else _INT8.max)
    stored = tensor.zero_point + math.floor(float(np.float32(value) / tensor.scale) + 0.5)
    return int(min(max(stored, _INT8.min), _INT8.max))


def _window(operator: Operator, kernel: tuple[int, int]) -> dict[str, int]:
    """Return the fields of a ``window``."""
    (_, *sizes, channels), options = operator.inputs[0].shape, operator.options  # type: ignore
    (_, *places, outputs), margins = operator.outputs[0].shape, []
    strides = options.strideH, options.strideW
    dilations = options.dilationHFactor, options.dilationWFactor
    for size, place, tap, stride, dilation in zip(sizes, places, kernel, strides, dilations):
        missing = (place - 1) * stride + dilation * (tap - 1) + 1 - size
        margins.append(max(0, missing) // 2 if options.padding == schema.Padding.SAME else 0)
    names = (
        *("rows", "columns", "channels", "output_rows", "output_columns", "output_channels"),
        *("kernel_rows", "kernel_columns", "row_stride", "column_stride"),
        *("row_dilation", "column_dilation", "top", "left"),
    )
    values = (*sizes, channels, *places, outputs, *kernel, *strides, *dilations, *margins)
    return dict(zip(names, values, strict=True))


def _filter(operator: Operator, sizes: Mapping[str, Any]) -> Step:
    """Return the step of a convolution or product, given the fields that say its sizes."""
    values, weights, *biases = operator.inputs
    assert values is not None and weights is not None
    (output,), outputs, kernel = operator.outputs, operator.outputs[0].shape[-1], operator.name.lower()
    fields = {**sizes, "weights": _constant(weights, "weights").ravel()}
    if biases and biases[0] is not None:
        fields["bias"] = _constant(biases[0], "biases")
    else:
        fields["bias"] = np.zeros(outputs, np.float32 if values.dtype == np.float32 else np.int32)
    if weights.dtype != values.dtype:
        raise ValueError(f"has weights of type {weights.dtype} and values of type {values.dtype}")
    if values.dtype == np.float32:
        return Step(f"{kernel}_float32", fields | _bounds(operator), (values,))
    factors = float(values.scale) * weights.scales.astype(np.float64) / float(output.scale)
    multipliers, shifts = zip(*map(multiplier, factors.tolist()), strict=True)
    fields |= {
        "multipliers": np.array(multipliers, np.int32),
        "shifts": np.array(shifts, np.int8),
        "scales_step": int(len(factors) > 1),
        "input_offset": -values.zero_point,
        "output_offset": output.zero_point,
    }
    return Step(f"{kernel}_int8", fields | _bounds(operator), (values,))


def _conv_2d(operator: Operator) -> Step:
    values, weights = _inputs(operator)[:2]
    _, rows, columns, channels = weights.shape
    if channels != values.shape[-1]:
        raise ValueError("convolves groups of channels")
    return _filter(operator, {"window": _window(operator, (rows, columns))})


def _depthwise_conv_2d(operator: Operator) -> Step:
    _, rows, columns, _ = _inputs(operator)[1].shape
    return _filter(operator, {"window": _window(operator, (rows, columns))})


def _fully_connected(operator: Operator) -> Step:
    outputs, channels = _inputs(operator)[1].shape
    rows = operator.outputs[0].size // outputs
    return _filter(operator, {"rows": rows, "channels": channels, "outputs": outputs})


def _mean(operator: Operator) -> Step:
    values, axes = _inputs(operator)
    (output,), rank = operator.outputs, len(values.shape)
    over = sorted({int(axis) % rank for axis in _constant(axes, "axes").ravel()})
    if over != list(range(over[0], over[-1] + 1)):
        raise ValueError("averages axes that are not neighbours")
    count = math.prod(values.shape[over[0] : over[-1] + 1])
    fields: dict[str, Any] = {
        "outer": math.prod(values.shape[: over[0]]),
        "count": count,
        "inner": math.prod(values.shape[over[-1] + 1 :]),
    }
    if values.dtype == np.float32:
        return Step("mean_float32", fields, (values,))
    whole, shift = multiplier(float(values.scale) / float(output.scale))
    # The division by count becomes part of the multiplier, at full precision.
    more = min(count.bit_length() - 1, 32, 31 + shift)
    fields |= {
        "zero_point": values.zero_point,
        "multiplier": (whole << more) // count,
        "shift": shift - more,
        "output_offset": output.zero_point,
    }
    return Step("mean_int8", fields, (values,))


def _broadcast(first: Tensor, second: Tensor) -> dict[str, tuple[int, ...]]:
    """Return the fields of a ``broadcast``: as few axes as step evenly through both arrays."""
    rank = max(len(first.shape), len(second.shape))
    shapes = [(1,) * (rank - len(one.shape)) + one.shape for one in (first, second)]
    axes: list[tuple[int, int, int]] = []
    steps = [1, 1]
    for sizes in reversed(list(zip(*shapes, strict=True))):
        size = max(sizes)
        axis = (size, *(step if one > 1 else 0 for one, step in zip(sizes, steps, strict=True)))
        steps = [step * one for one, step in zip(sizes, steps, strict=True)]
        if size > 1 and axes and axis[1:] == tuple(axes[-1][0] * step for step in axes[-1][1:]):
            axes[-1] = (axes[-1][0] * size, *axes[-1][1:])
        elif size > 1:
            axes.append(axis)  # type: ignore[arg-type]
    if len(axes) > _AXES:
        raise ValueError("broadcasts over more than three axes")
    every = [(1, 0, 0)] * (_AXES - len(axes)) + axes[::-1]
    return dict(zip(("size", "first_step", "second_step"), zip(*every, strict=True), strict=True))


def _pair(operator: Operator, kernel: str) -> tuple[Tensor, Tensor, dict[str, Any]]:
    first, second = _inputs(operator)
    if first.dtype != second.dtype:
        raise ValueError(f"takes {first.dtype} and {second.dtype}")
    return first, second, {"axes": _broadcast(first, second)}


def _add(operator: Operator) -> Step:
    first, second, fields = _pair(operator, "add")
    if first.dtype == np.float32:
        return Step("add_float32", fields | _bounds(operator), (first, second))
    (output,) = operator.outputs
    fields |= {
        "first_offset": -first.zero_point,
        "second_offset": -second.zero_point,
        "output_offset": output.zero_point,
    }
    twice = 2 * max(float(first.scale), float(second.scale))
    factors = {
        "first": float(first.scale) / twice,
        "second": float(second.scale) / twice,
        "output": twice / (2**_ADD_SHIFT * float(output.scale)),
    }
    for name, factor in factors.items():
        fields[f"{name}_multiplier"], fields[f"{name}_shift"] = multiplier(factor)
    return Step("add_int8", fields | _bounds(operator), (first, second))


def _mul(operator: Operator) -> Step:
    first, second, fields = _pair(operator, "mul")
    if first.dtype == np.float32:
        return Step("mul_float32", fields | _bounds(operator), (first, second))
    (output,) = operator.outputs
    whole, shift = multiplier(float(first.scale * second.scale / output.scale))
    fields |= {
        "first_offset": -first.zero_point,
        "second_offset": -second.zero_point,
        "output_offset": output.zero_point,
        "multiplier": whole,
        "shift": shift,
    }
    return Step("mul_int8", fields | _bounds(operator), (first, second))


def _softmax(operator: Operator) -> Step:
    (values,) = _inputs(operator)
    count, beta = values.shape[-1], operator.options.beta
    fields: dict[str, Any] = {"outer": values.size // count, "count": count}
    if values.dtype == np.float32:
        return Step("softmax_float32", fields | {"beta": np.float32(beta)}, (values,))
    bits = 31 - _SOFTMAX_INTEGER_BITS
    whole, shift = multiplier(min(beta * float(values.scale) * 2**bits, 2**31 - 1.0))
    reach = math.floor((2**_SOFTMAX_INTEGER_BITS - 1) * 2**bits / 2**shift)
    fields |= {"multiplier": whole, "shift": shift, "least_difference": -reach}
    return Step("softmax_int8", fields, (values,))


def _logistic(operator: Operator) -> Step:
    return Step("logistic_float32", {"count": operator.outputs[0].size}, _inputs(operator))


def _copy(operator: Operator) -> Step:
    return Step("copy", {"count": operator.outputs[0].size}, _inputs(operator)[:1])


def _pad(operator: Operator) -> Step:
    values, margins = _inputs(operator)
    missing = 4 - len(values.shape)
    if missing < 0:
        raise ValueError("has more than four axes")
    before, after = _constant(margins, "margins").T.tolist()
    zero = np.float32(0) if values.dtype == np.float32 else values.zero_point
    fields = {
        "size": (1,) * missing + values.shape,
        "before": (0,) * missing + tuple(before),
        "after": (0,) * missing + tuple(after),
        "value": zero,
    }
    return Step("pad", fields, (values,))


_Emit = Callable[[Operator], Step]

_STEPS: dict[str, _Emit] = {
    "ADD": _add,
    "CONV_2D": _conv_2d,
    "DEPTHWISE_CONV_2D": _depthwise_conv_2d,
    "EXPAND_DIMS": _copy,
    "FULLY_CONNECTED": _fully_connected,
    "MEAN": _mean,
    "MUL": _mul,
    "PAD": _pad,
    "RESHAPE": _copy,
    "SOFTMAX": _softmax,
    "SQUEEZE": _copy,
}
_INT8_STEPS = _STEPS
_FLOAT_STEPS = _STEPS | {"LOGISTIC": _logistic}
_ELEMENTWISE = ("ELU", "HARD_SWISH", "LEAKY_RELU", "LOGISTIC", "RELU", "RELU6", "TANH")
"""Operators of one value, of which int8 has 256: what the reference kernel answers is a table."""
