"""Constants, strings, arrays and structures in C, with every bit of their values."""

from collections.abc import Mapping

import numpy as np

_TYPES = {"float32": "float"} | {name: f"{name}_t" for name in ("int8", "int16", "uint16", "int32")}
_VALUES_A_LINE = 8


def number(value: float | np.floating) -> str:
    """Return a float32 as a C99 constant: hexadecimal, so that no bit is lost."""
    digits, exponent = float(np.float32(value)).hex().split("p")
    return f"{digits.rstrip('0')}p{exponent}f"


def text(value: str) -> str:
    """Return a string in C: UTF-8, all but letters, digits and spaces as octal escapes."""
    plain = (
        chr(b) if chr(b).isascii() and (chr(b).isalnum() or b == 32) else f"\\{b:03o}"
        for b in value.encode()
    )
    return f'"{"".join(plain)}"'


def constant(name: str, values: np.ndarray) -> str:
    """Return the definition of a constant array of one or two dimensions.

    Args:
        name: of the array.
        values: float32, int8, int16, uint16 or int32.
    """
    sizes = "".join(f"[{size}]" for size in values.shape)
    kind = _TYPES[values.dtype.name]
    rows = values if values.ndim == 2 else [values]
    body = ",\n".join(_row(row, braces=values.ndim == 2) for row in rows)
    return f"static const {kind} {name}{sizes} = {{\n{body}\n}};"


def structure(kind: str, name: str, fields: Mapping[str, object]) -> str:
    """Return the definition of a constant structure.

    Args:
        kind: its C type.
        name: of the structure.
        fields: its values by name: integers, float32, names in C, sequences of integers, and
            structures as mappings.
    """
    return f"static const {kind} {name} = {_value(fields)};"


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        fields = ",\n".join(f"    .{name} = {_value(field)}" for name, field in value.items())
        return f"{{\n{fields}\n}}"
    if isinstance(value, (tuple, list)):
        return f"{{{', '.join(map(_value, value))}}}"
    if isinstance(value, np.float32):
        return number(value)
    return _integer(value) if isinstance(value, int) else str(value)


def _integer(value: int) -> str:
    return "INT32_MIN" if value == -(2**31) else str(value)  # C has no negative constants.


def _row(values: np.ndarray, braces: bool) -> str:
    write = number if values.dtype == np.float32 else _integer
    texts = [write(value) for value in values]
    parts = (texts[i : i + _VALUES_A_LINE] for i in range(0, len(texts), _VALUES_A_LINE))
    lines = ",\n".join(f"    {', '.join(part)}" for part in parts)
    return f"    {{\n{lines}\n    }}" if braces else lines
