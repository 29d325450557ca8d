"""Warnings of ranges with the best trials at one end, with a line that widens them."""

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd
from optuna.distributions import FloatDistribution, IntDistribution

from sweep.format import plain
from sweep.space import Space

_CLOSE = 0.05
_SHARE = 0.5
_FEWEST = 3


@dataclass(frozen=True)
class RangeWarning:
    """A numeric range with many of the best trials near one end.

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


def range_warnings(space: Space, best: pd.DataFrame) -> list[RangeWarning]:
    """Find each range where half or more of the front lies within 5 % of an end.

    An end that cannot move, because the parameter's own domain stops there, is left alone; so are
    fronts of fewer than three trials.

    Args:
        space: the search space.
        best: the trials on the front, as rows of ``sweep.study.table.table``.
    """
    found = []
    for name, distribution in space.distributions.items():
        if (
            not isinstance(distribution, (IntDistribution, FloatDistribution))
            or len(best) < _FEWEST
        ):
            continue
        place = math.log if distribution.log else float
        low, high = place(distribution.low), place(distribution.high)
        for end, bound, other in (("low", low, high), ("high", high, low)):
            reach = max(_CLOSE * (high - low), 1e-12)
            near = sum(abs(place(value) - bound) <= reach for value in best[name])
            wider = _wider(distribution, end, _last(space, name, end))
            if (
                near >= _SHARE * len(best)
                and wider != getattr(distribution, end)
                and bound != other
            ):
                line = _line(name, distribution, {end: wider})
                found.append(
                    RangeWarning(name, end, getattr(distribution, end), near, len(best), line)
                )
    return found


def _last(space: Space, name: str, end: str) -> float | None:
    """Return the bound of a parameter; for a frequency the highest Nyquist frequency."""
    if end == "low":
        return space.domains[name].low
    if name in ("lower_frequency", "upper_frequency"):
        rate = "downsampling_rate"
        varies = rate in space.distributions
        rates = space.values(rate) if varies else [space.fixed.get(rate, space.defaults[rate])]
        return max(rates) / 2
    return space.domains[name].high


def _wider(
    distribution: IntDistribution | FloatDistribution, end: str, last: float | None
) -> float:
    """Return a bound half the range further out, or half or twice it on a log scale.

    It goes no further than ``last``, and whole steps: what was searched remains so.
    """
    further = (distribution.high - distribution.low) / 2
    if distribution.log:
        further = distribution.low / 2 if end == "low" else distribution.high
    bound = distribution.low if end == "low" else distribution.high
    step = distribution.step if not distribution.log else None
    if step:
        further = max(further, step)
    if last is not None:
        further = min(further, abs(last - bound))
    if step:
        further = math.floor(further / step * (1 + 1e-12)) * step
    value = bound - further if end == "low" else bound + further
    if isinstance(distribution, IntDistribution):
        return round(value)
    return float(f"{value:.12g}")


def _line(
    name: str, distribution: IntDistribution | FloatDistribution, change: dict[str, float]
) -> str:
    written: dict[str, Any] = {"low": distribution.low, "high": distribution.high} | change
    if distribution.step and not (
        isinstance(distribution, IntDistribution) and distribution.step == 1
    ):
        written["step"] = distribution.step
    if distribution.log:
        written["log"] = True
    return f"{name}: {{{', '.join(f'{key}: {_exact(value)}' for key, value in written.items())}}}"


def _exact(value: Any) -> str:
    return plain(value) if isinstance(value, bool) else f"{value:.12g}"
