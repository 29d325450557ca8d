"""Where the best trials press against the end of a range, and the line that widens it."""

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd
from optuna.distributions import FloatDistribution, IntDistribution

from sweep.report.tradeoff import feasible_front
from sweep.report.words import plain
from sweep.rules import DOMAINS
from sweep.study.table import StudyRecord

_CLOSE = 0.05
_SHARE = 0.5
_FEWEST = 3


@dataclass(frozen=True)
class Edge:
    """A numeric range whose end holds many of the best trials.

    Attributes:
        parameter: the parameter.
        end: ``low`` or ``high``.
        bound: the value at that end.
        near, best: how many of the trials on the front lie at that end, of how many.
        line: the line of the search-space file to write instead.
    """

    parameter: str
    end: str
    bound: float
    near: int
    best: int
    line: str


def edges(record: StudyRecord, frame: pd.DataFrame) -> list[Edge]:
    """Find each range where half or more of the front lies within 5 % of an end.

    An end that cannot move, because the parameter's own domain stops there, is left alone; so are
    fronts of fewer than three trials.
    """
    best = feasible_front(record, frame)
    found = []
    for name, kind in record.space.varying.items():
        if not isinstance(kind, (IntDistribution, FloatDistribution)) or len(best) < _FEWEST:
            continue
        place = math.log if kind.log else float
        low, high = place(kind.low), place(kind.high)
        for end, bound, other in (("low", low, high), ("high", high, low)):
            reach = max(_CLOSE * (high - low), 1e-12)
            near = sum(abs(place(value) - bound) <= reach for value in best[name])
            wider = _wider(name, kind, end)
            if near >= _SHARE * len(best) and wider != getattr(kind, end) and bound != other:
                line = _line(name, kind, {end: wider})
                found.append(Edge(name, end, getattr(kind, end), near, len(best), line))
    return found


def _wider(name: str, kind: IntDistribution | FloatDistribution, end: str) -> float:
    """Return a bound half the range further out, or half or twice it on a log scale.

    It stays within the parameter's domain, and whole steps away: what was searched remains so.
    """
    further = (kind.high - kind.low) / 2
    if kind.log:
        further = kind.low / 2 if end == "low" else kind.high
    bound, last = (kind.low, DOMAINS[name].low) if end == "low" else (kind.high, DOMAINS[name].high)
    step = kind.step if not kind.log else None
    if step:
        further = max(further, step)
    if last is not None:
        further = min(further, abs(last - bound))
    if step:
        further = math.floor(further / step * (1 + 1e-12)) * step
    value = bound - further if end == "low" else bound + further
    if isinstance(kind, IntDistribution):
        return round(value)
    return float(f"{value:.4g}")


def _line(name: str, kind: IntDistribution | FloatDistribution, change: dict[str, float]) -> str:
    written: dict[str, Any] = {"low": kind.low, "high": kind.high} | change
    if kind.step and not (isinstance(kind, IntDistribution) and kind.step == 1):
        written["step"] = kind.step
    if kind.log:
        written["log"] = True
    return f"{name}: {{{', '.join(f'{key}: {plain(value)}' for key, value in written.items())}}}"
