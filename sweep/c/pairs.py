"""Sums and products of two arrays in C, and how one is broadcast over the other."""

from typing import Any

import numpy as np

from sweep.c.graph import Operator, Tensor
from sweep.c.quantization import fused_bounds, multiplier
from sweep.c.steps import Step, inputs_of

_ADD_SHIFT = 20
_AXES = 3


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
            axes.append(axis)
    if len(axes) > _AXES:
        raise ValueError("broadcasts over more than three axes")
    every = [(1, 0, 0)] * (_AXES - len(axes)) + axes[::-1]
    return dict(zip(("size", "first_step", "second_step"), zip(*every, strict=True), strict=True))


def _pair(operator: Operator) -> tuple[Tensor, Tensor, dict[str, Any]]:
    first, second = inputs_of(operator)
    if first.dtype != second.dtype:
        raise ValueError(f"takes {first.dtype} and {second.dtype}")
    return first, second, {"axes": _broadcast(first, second)}


def _offsets(first: Tensor, second: Tensor, output: Tensor) -> dict[str, Any]:
    return {
        "first_offset": -first.zero_point,
        "second_offset": -second.zero_point,
        "output_offset": output.zero_point,
    }


def add(operator: Operator) -> Step:
    """Return the step of an ADD.

    Raises:
        ValueError: if its inputs differ in type, or broadcast over more than three axes.
    """
    first, second, fields = _pair(operator)
    if first.dtype == np.float32:
        return Step("add_float32", fields | fused_bounds(operator), (first, second))
    (output,) = operator.outputs
    twice = 2 * max(float(first.scale), float(second.scale))
    factors = {
        "first": float(first.scale) / twice,
        "second": float(second.scale) / twice,
        "output": twice / (2**_ADD_SHIFT * float(output.scale)),
    }
    fields |= _offsets(first, second, output)
    for name, factor in factors.items():
        fields[f"{name}_multiplier"], fields[f"{name}_shift"] = multiplier(factor)
    return Step("add_int8", fields | fused_bounds(operator), (first, second))


def mul(operator: Operator) -> Step:
    """Return the step of a MUL.

    Raises:
        ValueError: if its inputs differ in type, or broadcast over more than three axes.
    """
    first, second, fields = _pair(operator)
    if first.dtype == np.float32:
        return Step("mul_float32", fields | fused_bounds(operator), (first, second))
    (output,) = operator.outputs
    whole, shift = multiplier(float(first.scale * second.scale / output.scale))
    fields |= _offsets(first, second, output) | {"multiplier": whole, "shift": shift}
    return Step("mul_int8", fields | fused_bounds(operator), (first, second))
