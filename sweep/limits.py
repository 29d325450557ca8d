"""Limits on metrics, and how far a result violates them."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sweep.metrics import FALSE_ALARMS_PER_HOUR, WORST_RECALL, Metric
from sweep.statistics import poisson

_PATTERN = re.compile(r"(>=|<=|>|<)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)")
_EQUAL = 1e-9


@dataclass(frozen=True)
class Limit:
    """A bound on one metric; ``operator`` is one of ``>= > <= <``."""

    metric: str
    operator: str
    bound: float

    @classmethod
    def parse(cls, metric: Metric, text: str) -> "Limit":
        """Read a limit such as ``">= 0.97"``.

        Raises:
            ValueError: if the text is not an operator and a number, or the metric never has such a
                value.
        """
        match = _PATTERN.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text!r} is not a limit; write for example '>= 0.97' or '< 25'")
        if match[1].startswith(">") != (metric.better == "higher"):
            side = ">= or >" if metric.better == "higher" else "<= or <"
            raise ValueError(f"{metric.name} is limited by {side}, not by {match[1]}")
        bound = float(match[2])
        metric.check_bound(bound)
        if metric.share and match[1] == ">" and bound == 1:
            raise ValueError(f"no {metric.name} is above 1; write >= 1")
        return cls(metric.name, match[1], bound)

    def violation(self, value: float) -> float:
        """Return how far ``value`` violates the limit, relative to the bound; at most 0 if held.

        A value equal to a strict limit violates it, by 1e-9.
        """
        distance = self.bound - value if self.operator.startswith(">") else value - self.bound
        if distance == 0 and len(self.operator) == 1:
            return _EQUAL
        return distance / (abs(self.bound) or 1.0)

    def __str__(self) -> str:
        return f"{self.metric} {self.operator} {self.bound:.12g}"


EVERY_WORD = Limit(WORST_RECALL.name, ">", 0.0)
"""Added to the limits of a study that limits what training gives, but not ``worst_recall``.

A network that never recognises a rare word can still have a high accuracy.
"""


def violations(limits: Iterable[Limit], values: Mapping[str, float | None]) -> dict[str, float]:
    """Return the relative violation of each limit whose metric has a value, by metric name."""
    known = ((limit, values.get(limit.metric)) for limit in limits)
    return {limit.metric: limit.violation(value) for limit, value in known if value is not None}


def total_violation(by_metric: Mapping[str, float]) -> float:
    """Return the sum of the positive violations: 0 if every limit holds."""
    return sum(max(0.0, violation) for violation in by_metric.values())


def alarms_allowed(limits: Iterable[Limit]) -> Callable[[float], bool]:
    """Return what tells whether a number of false alarms an hour keeps its limit, one by default.

    An operating point is chosen within it.
    """
    default = Limit(FALSE_ALARMS_PER_HOUR.name, "<=", 1.0)
    limit = next((one for one in limits if one.metric == default.metric), default)
    return lambda per_hour: limit.violation(per_hour) <= 0


def hours_caution(limits: Iterable[Limit], hours: float) -> str:
    """Return what tells that streams are too short to show a limit of false alarms; else empty.

    Args:
        limits: among them that of false alarms, if there is one.
        hours: length of the streams.
    """
    _, shown = poisson(0.0, hours)
    limit = next((one for one in limits if one.metric == FALSE_ALARMS_PER_HOUR.name), None)
    if limit is None or limit.bound >= shown:
        return ""
    return (
        f"{hours:g} h of sound cannot show {limit}: no false alarm in it is below {shown:.2g} an"
        f" hour (95 %); it takes {shown * hours / limit.bound:.2g} h (dataset.streams.hours)"
    )
