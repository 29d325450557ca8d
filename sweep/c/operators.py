"""What each operator of LiteRT becomes in C: a kernel, and the constants it is called with.

Multipliers, shifts and rounding are those of LiteRT's reference kernels, which LiteRT for
Microcontrollers shares: real factors become ``multiplier * 2^(shift - 31)`` (Jacob et al.,
"Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference",
2018).
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from sweep.c.filters import conv_2d, depthwise_conv_2d, fully_connected
from sweep.c.graph import Operator, Tensor
from sweep.c.pairs import add, mul
from sweep.c.quantization import bounds, multiplier
from sweep.c.steps import Step, constant_of, inputs_of
from sweep.errors import SweepError

_SOFTMAX_INTEGER_BITS = 5


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
            return Step("lookup_int8", fields, inputs_of(operator)[:1])
        emit, kind = _STEPS.get(name), "int8"
    elif types == {np.dtype(np.float32)}:
        emit, kind = (_STEPS | _FLOAT_STEPS).get(name), "float32"
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


def _mean(operator: Operator) -> Step:
    values, axes = inputs_of(operator)
    (output,), rank = operator.outputs, len(values.shape)
    over = sorted({int(axis) % rank for axis in constant_of(axes, "axes").ravel()})
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


def _softmax(operator: Operator) -> Step:
    (values,) = inputs_of(operator)
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
    return Step("logistic_float32", {"count": operator.outputs[0].size}, inputs_of(operator))


def _tanh(operator: Operator) -> Step:
    return Step("tanh_float32", {"count": operator.outputs[0].size}, inputs_of(operator))


def _relu(most: float) -> "_Emit":
    def emit(operator: Operator) -> Step:
        (output,) = operator.outputs
        fields = {"count": output.size} | bounds(0.0, most, output)
        return Step("relu_float32", fields, inputs_of(operator))

    return emit


def _copy(operator: Operator) -> Step:
    return Step("copy", {"count": operator.outputs[0].size}, inputs_of(operator)[:1])


def _slice(operator: Operator) -> Step:
    values, begin, _ = inputs_of(operator)
    (output,) = operator.outputs
    sizes = list(zip(values.shape, output.shape, strict=True))
    cut = next((axis for axis, (before, after) in enumerate(sizes) if before != after), 0)
    if (
        any(before != after for before, after in sizes[cut + 1 :])
        or math.prod(output.shape[:cut]) != 1
    ):
        raise ValueError("cuts more than one axis")
    if values.dtype == np.int8 and (values.scale, values.zero_point) != (
        output.scale,
        output.zero_point,
    ):
        raise ValueError("gives another scale than it takes")
    skipped = int(constant_of(begin, "places")[cut]) * math.prod(output.shape[cut + 1 :])
    return Step("copy", {"count": output.size}, (values,), skipped)


def _pad(operator: Operator) -> Step:
    values, margins = inputs_of(operator)
    missing = 4 - len(values.shape)
    if missing < 0:
        raise ValueError("has more than four axes")
    before, after = constant_of(margins, "margins").T.tolist()
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
    "ADD": add,
    "CONV_2D": conv_2d,
    "DEPTHWISE_CONV_2D": depthwise_conv_2d,
    "EXPAND_DIMS": _copy,
    "FULLY_CONNECTED": fully_connected,
    "MEAN": _mean,
    "MUL": mul,
    "PAD": _pad,
    "RESHAPE": _copy,
    "SLICE": _slice,
    "SOFTMAX": _softmax,
    "SQUEEZE": _copy,
}
_FLOAT_STEPS = {"LOGISTIC": _logistic, "RELU": _relu(math.inf), "RELU6": _relu(6), "TANH": _tanh}
_ELEMENTWISE = ("ELU", "HARD_SWISH", "LEAKY_RELU", "LOGISTIC", "RELU", "RELU6", "TANH")
"""Operators of one value, of which int8 has 256: what the reference kernel answers is a table."""
