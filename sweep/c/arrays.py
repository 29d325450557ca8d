"""Constants and arrays in C, with every bit of their values."""

import numpy as np

_TYPES = {"float32": "float", "int16": "int16_t", "uint16": "uint16_t"}
_VALUES_A_LINE = 8


def number(value: float | np.floating) -> str:
    """Return a float32 as a C99 constant: hexadecimal, so that no bit is lost."""
    digits, exponent = float(np.float32(value)).hex().split("p")
    return f"{digits.rstrip('0')}p{exponent}f"


def constant(name: str, values: np.ndarray) -> str:
    """Return the definition of a constant array of one or two dimensions.

    Args:
        name: of the array.
        values: float32, int16 or uint16.
    """
    sizes = "".join(f"[{size}]" for size in values.shape)
    kind = _TYPES[values.dtype.name]
    rows = values if values.ndim == 2 else [values]
    body = ",\n".join(_row(row, braces=values.ndim == 2) for row in rows)
    return f"static const {kind} {name}{sizes} = {{\n{body}\n}};"


def _row(values: np.ndarray, braces: bool) -> str:
    write = number if values.dtype == np.float32 else str
    texts = [write(value) for value in values]
    parts = (texts[i : i + _VALUES_A_LINE] for i in range(0, len(texts), _VALUES_A_LINE))
    lines = ",\n".join(f"    {', '.join(part)}" for part in parts)
    return f"    {{\n{lines}\n    }}" if braces else lines
