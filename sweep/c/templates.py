"""The files of this package that become C: as they are, or with values filled in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any


@dataclass(frozen=True)
class Source:
    """Files by name, and the values that were filled in."""

    files: dict[str, str]
    values: dict[str, Any]


def template(name: str) -> str:
    """Return the text of a file of this package."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


def filled(names: Iterable[str], values: Mapping[str, object]) -> dict[str, str]:
    """Return files by name, with values in place of ``${...}``."""
    return {name: Template(template(name)).substitute(values) for name in names}
