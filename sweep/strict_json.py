"""JSON from a database or a file, held against types."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any


def check(kind: Any, record: Any) -> None:
    """Raise unless plain JSON values fit a type, such as a dataclass; nothing is converted.

    Raises:
        ValueError: naming fields whose values are of another type.
    """
    _adapter(kind).validate_json(json.dumps(record), strict=True)


def values(kind: Any, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a dataclass from plain JSON values, with tuples in place of lists.

    Raises:
        ValueError: naming fields whose values are of another type.
    """
    check(kind, record)
    return {name: _as_tuples(value) for name, value in record.items()}


def _as_tuples(value: Any) -> Any:
    return tuple(map(_as_tuples, value)) if isinstance(value, list) else value


@lru_cache
def _adapter(kind: Any) -> Any:
    # Imported here: not for predicting.
    from pydantic import TypeAdapter

    return TypeAdapter(kind)
