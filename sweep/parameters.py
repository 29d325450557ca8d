"""Parameters: a dataclass field that says its default, its values and its meaning in one place."""

import inspect
import math
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import Field, dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

_ENORMOUS = 1e300
_KINDS = (bool, int, float, str, Path)


def parameter(
    default: Any,
    *,
    meaning: str,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[Any, ...] = (),
    log: bool = False,
) -> Any:
    """Declare a parameter: a field of a dataclass, or an argument of a function.

    Its annotation gives its type: ``bool``, ``int``, ``float``, ``str`` or, for a file of a source,
    ``Path``, with ``| None`` where null is a value too, or ``tuple[str, ...]`` for several of the
    choices at once.

    Args:
        default: the value it takes when a search space does not name it.
        meaning: what the parameter does, in a few words.
        low, high: the interval of a number; None where there is no end.
        choices: the values to choose from.
        log: whether a range of it is searched on a logarithmic scale.
    """
    told = {"meaning": meaning, "low": low, "high": high, "choices": tuple(choices), "log": log}
    return field(default=default, metadata={"domain": told})


def given(default: Any) -> Any:
    """Declare a field of such a dataclass that is no parameter, since it comes from elsewhere."""
    return field(default=default, metadata={"domain": None})


@dataclass(frozen=True)
class Domain:
    """The values one parameter may take: numbers in an interval, or one of some choices.

    Attributes:
        meaning: what the parameter does, in a few words.
        kind: the Python type of a value.
        low, high: the interval of a number; None where there is no end.
        choices: the values to choose from; empty where any value of the type will do.
        log: whether a range of it is searched on a logarithmic scale.
        optional: whether None is a value too.
    """

    meaning: str
    kind: type
    low: float | None = None
    high: float | None = None
    choices: tuple[Any, ...] = ()
    log: bool = False
    optional: bool = False

    def problem(self, value: Any) -> str | None:
        """Return what is wrong with a value, or None."""
        if value is None and self.optional:
            return None
        if not self._is_of_kind(value):
            return f"{value!r} is not {self._wanted()}{_hint(value) if self._is_number else ''}"
        if self.choices and value not in self.choices:
            return f"{value!r} is not one of {', '.join(map(str, self.choices))}"
        if (self.low is not None and value < self.low) or (
            self.high is not None and value > self.high
        ):
            return f"{value:g} is outside {self._interval()}"
        return None

    def allows_the_same(self, other: "Domain") -> bool:
        """Tell whether another domain has the same values, whatever they mean."""
        return replace(self, meaning="", log=False) == replace(other, meaning="", log=False)

    @property
    def values(self) -> str:
        """What it may be, in words."""
        if self.kind is bool:
            told = "true, false"
        elif self.choices:
            told = ", ".join(map(str, self.choices))
        elif self._is_number:
            told = f"{self._interval()}{', whole' if self.kind is int else ''}"
        else:
            told = "a text"
        return f"{told}{', or null' if self.optional else ''}"

    @property
    def _is_number(self) -> bool:
        return self.kind in (int, float)

    def _is_of_kind(self, value: Any) -> bool:
        if self.kind in (str, Path):
            return isinstance(value, str) or bool(self.choices)
        if self.kind is bool or isinstance(value, bool):
            return self.kind is bool and isinstance(value, bool)
        # Whole numbers without end would be too large for anything below.
        is_number = isinstance(value, (int, float)) and -_ENORMOUS < value < _ENORMOUS
        return is_number and (self.kind is float or value == int(value))

    def _interval(self) -> str:
        low = "-inf" if self.low is None else f"{self.low:g}"
        return f"{low} to {'inf' if self.high is None else f'{self.high:g}'}"

    def _wanted(self) -> str:
        return {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}[
            self.kind
        ]


@cache
def domains(owner: type | Callable[..., Any]) -> dict[str, Domain]:
    """Return the domain of every parameter that a dataclass, or a function, declares.

    A plain default, as in ``def build(shape, labels, width=1.0)``, declares a parameter of its type
    without bounds.

    Raises:
        TypeError: if an annotation is no type of a parameter.
        ValueError: if a default is outside its own domain.
    """
    hints = typing.get_type_hints(owner)
    found = {}
    for name, default, told in _declared(owner):
        place = f"{owner.__name__}.{name}"
        kind, optional = _kind(hints.get(name, type(default)), place)
        domain = Domain(kind=kind, optional=optional, **({"meaning": ""} | told))
        for value in default if isinstance(default, tuple) else [default]:
            if (problem := domain.problem(value)) is not None:
                raise ValueError(f"{place}: its default {problem}")
        found[name] = domain
    return found


@cache
def defaults(owner: type | Callable[..., Any]) -> dict[str, Any]:
    """Return the default of every parameter that a dataclass, or a function, declares."""
    return {name: default for name, default, _ in _declared(owner)}


def differences(params: Any) -> dict[str, Any]:
    """Return the fields of such a dataclass that do not have their default, by name."""
    values = {one.name: (getattr(params, one.name), one.default) for one in fields(params)}
    return {name: value for name, (value, default) in values.items() if value != default}


def _declared(owner: type | Callable[..., Any]) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Yield name, default and what ``parameter`` was told."""
    if isinstance(owner, type):
        for one in fields(owner):
            told = one.metadata.get("domain", {})
            if told is not None:
                yield one.name, one.default, told
        return
    for name, argument in inspect.signature(owner).parameters.items():
        default = argument.default
        if isinstance(default, Field):
            yield name, default.default, default.metadata["domain"]
        elif default is not argument.empty:
            yield name, default, {}


def _kind(annotation: Any, place: str) -> tuple[type, bool]:
    """Return the type of a parameter's values, and whether None is one too."""
    parts = [annotation]
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        parts = list(typing.get_args(annotation))
    wanted = [part for part in parts if part is not type(None)]
    if wanted == [tuple[str, ...]]:
        wanted = [str]
    if len(wanted) != 1 or wanted[0] not in _KINDS:
        raise TypeError(f"{place}: a parameter is bool, int, float or str, not {annotation}")
    return wanted[0], len(wanted) < len(parts)


def _hint(value: Any) -> str:
    """Return how to write a number that YAML takes for text: 1e-5 needs a point there."""
    try:
        number = float(value) if isinstance(value, str) else math.nan
    except ValueError:
        return ""
    if not math.isfinite(number):
        return ""
    written = value.strip() if "e" not in value.lower() else repr(number)
    return f"; write {written if '.' in written else written.replace('e', '.0e')}"
