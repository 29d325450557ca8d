"""Convolutions and matrix products: their sizes, weights and factors in C."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from sweep.c.graph import Operator
from sweep.c.quantization import fused_bounds, multiplier
from sweep.c.steps import Step, constant_of, inputs_of


def _window(operator: Operator, kernel: tuple[int, int]) -> dict[str, int]:
    """Return the fields of a ``window``."""
    values, options, margins = operator.inputs[0], operator.options, []
    assert values is not None
    (_, *sizes, channels), (_, *places, outputs) = values.shape, operator.outputs[0].shape
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
    numbers = (*sizes, channels, *places, outputs, *kernel, *strides, *dilations, *margins)
    return dict(zip(names, numbers, strict=True))


def _filter(operator: Operator, sizes: Mapping[str, Any]) -> Step:
    """Return the step of a convolution or product, given the fields that say its sizes."""
    values, weights, *biases = operator.inputs
    assert values is not None and weights is not None
    (output,), outputs, kernel = (
        operator.outputs,
        operator.outputs[0].shape[-1],
        operator.name.lower(),
    )
    fields = {**sizes, "weights": constant_of(weights, "weights").ravel()}
    if biases and biases[0] is not None:
        fields["bias"] = constant_of(biases[0], "biases")
    else:
        fields["bias"] = np.zeros(outputs, np.float32 if values.dtype == np.float32 else np.int32)
    if weights.dtype != values.dtype:
        raise ValueError(f"has weights of type {weights.dtype} and values of {values.dtype}")
    if values.dtype == np.float32:
        return Step(f"{kernel}_float32", fields | fused_bounds(operator), (values,))
    factors = float(values.scale) * weights.scales.astype(np.float64) / float(output.scale)
    multipliers, shifts = zip(*map(multiplier, factors.tolist()), strict=True)
    fields |= {
        "multipliers": np.array(multipliers, np.int32),
        "shifts": np.array(shifts, np.int8),
        "scales_step": int(len(factors) > 1),
        "input_offset": -values.zero_point,
        "output_offset": output.zero_point,
    }
    return Step(f"{kernel}_int8", fields | fused_bounds(operator), (values,))


def conv_2d(operator: Operator) -> Step:
    """Return the step of a CONV_2D.

    Raises:
        ValueError: if it has groups, or weights that are computed or of another type.
    """
    values, weights = inputs_of(operator)[:2]
    _, rows, columns, channels = weights.shape
    if channels != values.shape[-1]:
        raise ValueError("convolves groups of channels")
    step = _filter(operator, {"window": _window(operator, (rows, columns))})
    if values.dtype == np.float32:
        return step
    return replace(
        step, fields={**step.fields, "weights": _by_four(constant_of(weights, "weights"))}
    )


def _by_four(weights: np.ndarray) -> np.ndarray:
    """Return the weights of four outputs side by side, then of the next four; the others follow."""
    flat = weights.reshape(len(weights), -1)
    whole = len(flat) // 4 * 4
    grouped = flat[:whole].reshape(-1, 4, flat.shape[1]).swapaxes(1, 2)
    return np.concatenate([grouped.ravel(), flat[whole:].ravel()])


def depthwise_conv_2d(operator: Operator) -> Step:
    """Return the step of a DEPTHWISE_CONV_2D; it raises as ``conv_2d``."""
    _, rows, columns, _ = inputs_of(operator)[1].shape
    return _filter(operator, {"window": _window(operator, (rows, columns))})


def fully_connected(operator: Operator) -> Step:
    """Return the step of a FULLY_CONNECTED; it raises as ``conv_2d``."""
    outputs, channels = inputs_of(operator)[1].shape
    rows = operator.outputs[0].size // outputs
    return _filter(operator, {"rows": rows, "channels": channels, "outputs": outputs})
