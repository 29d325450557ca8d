"""The values of a parameter that varies, as one of Optuna's distributions."""

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
    of: type, low: float, high: float, step: float | None, log: bool
) -> IntDistribution | FloatDistribution:
    """Return the distribution of an interval, both ends included.

    ``high`` is rounded down to a whole number of steps above ``low``.

    Args:
        of: ``int`` for whole numbers, ``float`` for real ones.
        low, high: the ends.
        step: distance between values; None for 1 or, for real numbers, no step.
        log: whether the scale is logarithmic.
    """
    if step is not None:
        # A little more than the quotient, because 0.3 / 0.1 is a little less than 3.
        high = low + math.floor((high - low) / step * (1 + 1e-12)) * step
    if of is int:
        return IntDistribution(int(low), int(high), log, int(step or 1))
    return FloatDistribution(low, high if step is None else round(high, 12), log, step)


def count(distribution: BaseDistribution) -> int | None:
    """Return the number of values; None if it is infinite."""
    if isinstance(distribution, CategoricalDistribution):
        return len(distribution.choices)
    if (
        isinstance(distribution, (IntDistribution, FloatDistribution))
        and distribution.step is not None
    ):
        return round((distribution.high - distribution.low) / distribution.step) + 1
    return None


def value(distribution: BaseDistribution, index: int) -> Any:
    """Return the value at a place among the ``count`` there are."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[index]
    assert (
        isinstance(distribution, (IntDistribution, FloatDistribution))
        and distribution.step is not None
    )
    # Rounded, because 0.1 + 2 * 0.1 is not 0.3.
    return round(distribution.low + index * distribution.step, 12)


def values(distribution: BaseDistribution, at_most: int) -> list[Any]:
    """Return every value, or ``at_most`` of them spread over the range."""
    number = count(distribution)
    if isinstance(distribution, IntDistribution) and distribution.log and at_most < (number or 0):
        return sorted(
            {round(v) for v in np.geomspace(distribution.low, distribution.high, at_most).tolist()}
        )
    if number is not None:
        spread = np.linspace(0, number - 1, min(number, at_most)).round().astype(int).tolist()
        return [value(distribution, index) for index in spread]
    assert isinstance(distribution, FloatDistribution)
    space = np.geomspace if distribution.log else np.linspace
    return [float(number) for number in space(distribution.low, distribution.high, at_most)]


def draws(distribution: BaseDistribution, rng: np.random.Generator, number: int) -> list[Any]:
    """Return so many values drawn at random."""
    if isinstance(distribution, FloatDistribution) and distribution.log:
        drawn = np.exp(rng.uniform(math.log(distribution.low), math.log(distribution.high), number))
        return np.clip(drawn, distribution.low, distribution.high).tolist()
    if isinstance(distribution, IntDistribution) and distribution.log:
        # Half a number further at both ends, as Optuna does: the ends are as wide as the others.
        ends = math.log(distribution.low - 0.5), math.log(distribution.high + 0.5)
        drawn = np.exp(rng.uniform(*ends, number)).round()
        return np.clip(drawn, distribution.low, distribution.high).astype(int).tolist()
    values = count(distribution)
    if values is not None:
        places = rng.integers(values, size=number).tolist()
        known = {place: value(distribution, place) for place in set(places)}
        return [known[place] for place in places]
    assert isinstance(distribution, FloatDistribution)
    return rng.uniform(distribution.low, distribution.high, number).tolist()


def contains(distribution: BaseDistribution, wanted: Any) -> bool:
    """Tell whether a value is one of the distribution's."""
    if isinstance(distribution, CategoricalDistribution):
        return wanted in distribution.choices
    assert isinstance(distribution, (IntDistribution, FloatDistribution))
    if not isinstance(wanted, (int, float)) or not distribution.low <= wanted <= distribution.high:
        return False
    if isinstance(distribution, IntDistribution):
        return (wanted - distribution.low) % distribution.step == 0
    return distribution.step is None or math.isclose(
        wanted, snapped(distribution, wanted), abs_tol=1e-12
    )


def snapped(distribution: FloatDistribution, given: float) -> float:
    """Return the value of a range with a step that is meant.

    Samplers give 0.15000000000000002 for a step of 0.05.
    """
    assert distribution.step is not None
    return float(value(distribution, round((given - distribution.low) / distribution.step)))
