"""YAML from outside: plain values only, bounded in size, no key twice."""

from pathlib import Path
from typing import Any

import yaml

from sweep.errors import SpecError

_MOST_BYTES = 200_000
_MOST_VALUES = 20_000


def read_text(path: Path) -> str:
    """Return the text of a file.

    Raises:
        SpecError: if it cannot be read, is too large or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise SpecError(f"{path}: cannot be read: {reason}") from error
    if len(content) > _MOST_BYTES:
        raise SpecError(f"{path}: larger than {_MOST_BYTES // 1000} KB")
    return text


def load(text: str, origin: str) -> Any:
    """Return what a YAML text holds; ``origin`` is its name in messages.

    Raises:
        SpecError: naming origin and line, if it is not YAML, holds a key twice, half of a surrogate
            pair, or more than 20,000 values once its aliases are replaced by what they stand for.
    """
    try:
        node = yaml.compose(text, yaml.SafeLoader)
        if node is not None:
            _check(node, origin, {})
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        hint = "; put a limit in quotes" if "chomping" in str(error.problem) else ""
        raise SpecError(f"{origin}{line}: not YAML: {error.problem}{hint}") from error
    except RecursionError as error:
        raise SpecError(f"{origin}: not YAML: nested too deeply") from error
    except (yaml.YAMLError, ValueError) as error:
        raise SpecError(f"{origin}: not YAML: {str(error).splitlines()[0]}") from error


def _check(node: yaml.Node, origin: str, sizes: dict[int, int]) -> int:
    """Return how many values a node holds, aliases replaced; look at each node once."""
    if id(node) in sizes:
        return sizes[id(node)]
    place = f"{origin}:{node.start_mark.line + 1}"
    inner: list[yaml.Node] = []
    if isinstance(node, yaml.ScalarNode):
        try:
            node.value.encode()
        except UnicodeEncodeError as error:
            raise SpecError(f"{place}: holds half of a surrogate pair, which is no text") from error
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, _ in node.value:
            if str(key.value) in seen:
                where = f"{origin}:{key.start_mark.line + 1}"
                raise SpecError(f"{where}: {key.value}: duplicate key; YAML would keep the last")
            seen.add(str(key.value))
        inner = [one for pair in node.value for one in pair]
    elif isinstance(node, yaml.SequenceNode):
        inner = node.value
    sizes[id(node)] = 1 + sum(_check(one, origin, sizes) for one in inner)
    if sizes[id(node)] > _MOST_VALUES:
        raise SpecError(f"{place}: holds more than {_MOST_VALUES:,} values")
    return sizes[id(node)]
