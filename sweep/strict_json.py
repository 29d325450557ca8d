"""JSON from a database or a file, held against types."""

import json
from functools import lru_cache
from typing import Any


def check(kind: Any, record: Any) -> None:
    """Raise unless plain JSON values fit a type, such as a dataclass; nothing is converted.

    Raises:
        ValueError: naming fields whose values are of another type.
    """
    _adapter(kind).validate_json(json.dumps(record), strict=True)


@lru_cache
def _adapter(kind: Any) -> Any:
    # Imported here: not for predicting.
    from pydantic import TypeAdapter

    return TypeAdapter(kind)
