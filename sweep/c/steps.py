"""A step of a network in C: one call of a kernel."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sweep.c.graph import Operator, Tensor


@dataclass(frozen=True)
class Step:
    """One call of a kernel.

    Attributes:
        kernel: its name.
        fields: its constants by name; arrays become tables.
        inputs: its inputs, constant or not.
        skipped: values of the first input that are passed over.
    """

    kernel: str
    fields: Mapping[str, Any]
    inputs: tuple[Tensor, ...]
    skipped: int = 0


def inputs_of(operator: Operator) -> tuple[Tensor, ...]:
    """Return the inputs that are not left out."""
    return tuple(one for one in operator.inputs if one is not None)


def constant_of(tensor: Tensor | None, what: str) -> np.ndarray:
    """Return the values of a constant input.

    Raises:
        ValueError: if it is computed; it says ``what`` is.
    """
    if tensor is None or tensor.data is None:
        raise ValueError(f"has {what} that are computed")
    return tensor.data
