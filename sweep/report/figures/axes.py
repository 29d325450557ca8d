"""Axes of figures: the position of each trial for a parameter or metric, and labels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from sweep.format import metric_title, title
from sweep.metrics import Metric
from sweep.space import Space
from sweep.study.summary import metric_names

_WIDE = 20
_LABELS = 8
_FEWEST = 4


@dataclass(frozen=True)
class Axis:
    """One quantity over all trials.

    Attributes:
        name: the column of the table.
        title: its name, with its unit.
        scale: ``number``; ``log``, a position is the logarithm to base 10; ``choice``, it is the
            index of the choice.
        positions: the position of each trial; None without a value.
        ends: the lowest and the highest position.
        ticks, texts: labelled positions; empty for Plotly's own.
    """

    name: str
    title: str
    scale: str
    positions: list[float | None]
    ends: tuple[float, float]
    ticks: list[float]
    texts: list[str]

    def position(self, value: float) -> float:
        """Return the position of a number."""
        return math.log10(value) if self.scale == "log" else value


def parameter_axes(frame: pd.DataFrame, space: Space) -> list[Axis]:
    """Return an axis for each parameter that varies, in the order of the stages."""
    axes = []
    for name, distribution in space.distributions.items():
        values = list(frame[name])
        if isinstance(distribution, CategoricalDistribution):
            axes.append(_choice(name, values, list(distribution.choices)))
        elif isinstance(distribution, (IntDistribution, FloatDistribution)):
            ticks = _counted(distribution)
            axes.append(
                _number(
                    name,
                    title(name),
                    values,
                    distribution.low,
                    distribution.high,
                    distribution.log,
                    ticks,
                )
            )
    return axes


def variant_axis(frame: pd.DataFrame, space: Space) -> Axis | None:
    """Return the axis of the chosen variant; None if there is only one."""
    names = list(space.fixed.get("quantization", ()))
    return _choice("variant", list(frame["variant"]), names) if len(names) > 1 else None


def metric_axes(frame: pd.DataFrame, space: Space) -> list[Axis]:
    """Return an axis for each metric of objectives, then of limits."""
    return [metric_axis(space.metrics[name], frame) for name in metric_names(space)]


def metric_axis(metric: Metric, frame: pd.DataFrame) -> Axis:
    """Return the axis of a metric."""
    column = frame[metric.name]
    known = [float(value) for value in column.dropna()]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    log = log_scaled(metric, known)
    return _number(metric.name, metric_title(metric), list(column), low, high, log)


def log_scaled(metric: Metric, values: list[float]) -> bool:
    """Return whether a metric is on a log axis: sizes always, others if their range is wide."""
    if not values or min(values) <= 0:
        return False
    return metric.unit == "KB" or max(values) > _WIDE * min(values)


def decades(low: float, high: float) -> list[float]:
    """Return the round numbers 1, 2, 5 times powers of ten between two positive numbers."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [d * 10.0**p for p in powers for d in (1, 2, 5) if low <= d * 10.0**p <= high]


def log_ticks(low: float, high: float) -> list[float]:
    """Return round numbers to label a log axis between two positive numbers."""
    ticks = decades(low, high)
    if len(ticks) >= _FEWEST:
        return ticks
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    finer = [float(f"{d * 10.0**p:.9g}") for p in powers for d in (1, 1.5, 2, 3, 4, 5, 7)]
    return [tick for tick in finer if low <= tick <= high]


def round_numbers(low: float, high: float) -> list[float]:
    """Return from four to ten evenly spaced round numbers between two numbers."""
    step = next(s for s in reversed(decades((high - low) / 1e3, high - low)) if high - low >= 4 * s)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{i * step:.9g}") for i in range(first, last + 1)]


def _counted(distribution: IntDistribution | FloatDistribution) -> list[float]:
    """Return all values of a parameter if they are few, to label each."""
    if (
        not distribution.step
        or distribution.log
        or distribution.high - distribution.low > _LABELS * distribution.step
    ):
        return []
    return [
        distribution.low + i * distribution.step
        for i in range(round((distribution.high - distribution.low) / distribution.step) + 1)
    ]


def _number(
    name: str,
    title: str,
    values: list[Any],
    low: float,
    high: float,
    log: bool,
    ticks: Sequence[float] = (),
) -> Axis:
    if low == high:
        low, high = (low / 1.1, high * 1.1) if log else (low - 0.5, high + 0.5)
    place = math.log10 if log else float
    positions = [None if pd.isna(value) else float(place(value)) for value in values]
    if log:
        ticks = _apart(decades(low, high), low, high)
    return Axis(
        name,
        title,
        "log" if log else "number",
        positions,
        (float(place(low)), float(place(high))),
        [float(place(tick)) for tick in ticks],
        [f"{tick:.3g}" for tick in ticks],
    )


def _apart(ticks: list[float], low: float, high: float) -> list[float]:
    """Return the ticks without those that would overlap the ends of a log axis."""
    gap = 0.1 * math.log10(high / low)
    inner = [t for t in ticks if math.log10(t / low) > gap and math.log10(high / t) > gap]
    return [low, *inner, high]


def _choice(name: str, values: list[Any], choices: list[Any]) -> Axis:
    if all(isinstance(choice, (int, float)) for choice in choices):
        choices = sorted(choices)
    places = {choice: float(i) for i, choice in enumerate(choices)}
    positions = [places.get(None if pd.isna(value) else value) for value in values]
    texts = [
        "none" if c is None else str(c).lower() if c in (True, False) else str(c) for c in choices
    ]
    ends = (0.0, max(1.0, len(choices) - 1.0))
    return Axis(name, title(name), "choice", positions, ends, list(places.values()), texts)
