"""The values a varying parameter may take, as one of Optuna's distributions."""

import math
from typing import Any

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)


def of_range(
    kind: type, low: float, high: float, step: float | None, log: bool
) -> IntDistribution | FloatDistribution:
    """Return the distribution of an interval, both ends included.

    A ``high`` that is no whole number of steps above ``low`` is lowered to one that is.

    Args:
        kind: ``int`` for whole numbers, whatever else for real ones.
        low, high: the ends.
        step: from one value to the next; None for 1 or, of real numbers, for all of them.
        log: whether equal ratios count as equal distances.
    """
    if step is not None:
        # A little more than the quotient, because 0.3 / 0.1 is a little less than 3.
        high = low + math.floor((high - low) / step * (1 + 1e-12)) * step
    if kind is int:
        return IntDistribution(int(low), int(high), log, int(step or 1))
    return FloatDistribution(low, high if step is None else round(high, 12), log, step)


def count(kind: BaseDistribution) -> int | None:
    """Return how many values there are; None when they are endless."""
    if isinstance(kind, CategoricalDistribution):
        return len(kind.choices)
    if isinstance(kind, (IntDistribution, FloatDistribution)) and kind.step is not None:
        return round((kind.high - kind.low) / kind.step) + 1
    return None


def value(kind: BaseDistribution, index: int) -> Any:
    """Return the value at a place among the ``count`` there are."""
    if isinstance(kind, CategoricalDistribution):
        return kind.choices[index]
    assert isinstance(kind, (IntDistribution, FloatDistribution)) and kind.step is not None
    # Rounded, because 0.1 + 2 * 0.1 is not 0.3.
    return round(kind.low + index * kind.step, 12)


def values(kind: BaseDistribution, at_most: int) -> list[Any]:
    """Return every value, or ``at_most`` of them spread over the range."""
    number = count(kind)
    if isinstance(kind, IntDistribution) and kind.log and at_most < (number or 0):
        return sorted({round(v) for v in np.geomspace(kind.low, kind.high, at_most).tolist()})
    if number is not None:
        spread = np.linspace(0, number - 1, min(number, at_most)).round().astype(int).tolist()
        return [value(kind, index) for index in spread]
    assert isinstance(kind, FloatDistribution)
    space = np.geomspace if kind.log else np.linspace
    return [float(number) for number in space(kind.low, kind.high, at_most)]


def draws(kind: BaseDistribution, rng: np.random.Generator, number: int) -> list[Any]:
    """Return so many values drawn at random."""
    if isinstance(kind, FloatDistribution) and kind.log:
        drawn = np.exp(rng.uniform(math.log(kind.low), math.log(kind.high), number))
        return np.clip(drawn, kind.low, kind.high).tolist()
    if isinstance(kind, IntDistribution) and kind.log:
        # Half a number further at both ends, as Optuna does: the ends are as wide as the others.
        ends = math.log(kind.low - 0.5), math.log(kind.high + 0.5)
        drawn = np.exp(rng.uniform(*ends, number)).round()
        return np.clip(drawn, kind.low, kind.high).astype(int).tolist()
    values = count(kind)
    if values is not None:
        places = rng.integers(values, size=number).tolist()
        known = {place: value(kind, place) for place in set(places)}
        return [known[place] for place in places]
    assert isinstance(kind, FloatDistribution)
    return rng.uniform(kind.low, kind.high, number).tolist()


def contains(kind: BaseDistribution, wanted: Any) -> bool:
    """Tell whether a value is one of the distribution's."""
    if isinstance(kind, CategoricalDistribution):
        return wanted in kind.choices
    assert isinstance(kind, (IntDistribution, FloatDistribution))
    if not isinstance(wanted, (int, float)) or not kind.low <= wanted <= kind.high:
        return False
    if isinstance(kind, IntDistribution):
        return (wanted - kind.low) % kind.step == 0
    return kind.step is None or math.isclose(wanted, snapped(kind, wanted), abs_tol=1e-12)


def snapped(kind: FloatDistribution, given: float) -> float:
    """Return the value of a range with a step that is meant.

    Samplers give 0.15000000000000002 for a step of 0.05.
    """
    assert kind.step is not None
    return float(value(kind, round((given - kind.low) / kind.step)))
