"""What is wrong with a search-space file, told in a line."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pydantic

from sweep.errors import nearest
from sweep.metrics import METRICS

_TELLING = ("extra_forbidden", "missing", "value_error")


def first_problem(
    error: pydantic.ValidationError,
    content: dict[Any, Any],
    keys: Callable[[Sequence[str]], Iterable[str]],
) -> str:
    """Return place and message of the first problem, or of the most telling one of a union.

    Args:
        error: what pydantic found.
        content: what it was given.
        keys: gives the keys allowed at a place.
    """
    problems = error.errors()
    # A misspelt key is told before what is missing because of it.
    first = min(problems, key=lambda problem: problem["type"] != "extra_forbidden")
    alternatives = [p for p in problems if p["loc"][:2] == first["loc"][:2]]
    told = [p for kind in _TELLING for p in alternatives if p["type"] == kind]
    problem = (told or alternatives)[0]
    loc = _place(problem["loc"], content)
    if problem["type"] == "missing":
        loc.append(str(problem["loc"][-1]))
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        message = f"unknown key{nearest(loc[-1], keys(loc[:-1]))}"
    elif problem["type"] == "missing":
        message = "is missing"
    elif loc[0] == "parameters" and loc[1:] and not told:
        loc, message = loc[:2], "expected a value, a list of values, or low and high"
    elif problem["type"] == "list_type":
        message = f"{problem['input']!r} is no list; write [{problem['input']}]"
    elif problem["type"] == "string_type":
        message = _no_text(loc, problem["input"])
    if message[:2].istitle():
        message = message[0].lower() + message[1:]
    return f"{'.'.join(loc)}: {message}"


def _place(loc: tuple[int | str, ...], content: Any) -> list[str]:
    """Return the keys that lead to a place, without the members of unions that pydantic names."""
    place = []
    for part in loc:
        held = dict(enumerate(content)) if isinstance(content, list) else content
        if isinstance(held, dict) and part in held:
            place.append(str(part))
            content = held[part]
    return place


def _no_text(loc: list[str], given: Any) -> str:
    if loc[0] == "limits":
        metric = METRICS.get(loc[-1])
        operator = ">=" if metric is not None and metric.better == "higher" else "<="
        return f'{given!r} is not a limit; write "{operator} {given}"'
    if loc[-1] in ("timeout", "trial_timeout"):
        return f"{given!r} has no unit; write for example 90s, 30m or 1h30m"
    return f"{given!r} is no text; put it in quotes"
