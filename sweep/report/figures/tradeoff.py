"""The trade-off of two metrics: trials, limits, front and finalists; and the price list."""

from dataclasses import dataclass

import pandas as pd

from sweep.format import Table, metric_title
from sweep.limits import Limit
from sweep.metrics import Metric
from sweep.report.figures.axes import log_scaled, round_numbers
from sweep.study.finalist import Finalist
from sweep.study.records import StudyRecord
from sweep.study.summary import feasible_front, goals, interval

_NEAR = 3.0
_FOCUS = 2.0
_POINTS = 0.005
_MOST_PRICES = 12

Interval = tuple[float, float] | None


@dataclass(frozen=True)
class Mark:
    """A finalist in the trade-off of two metrics.

    Attributes:
        finalist: the finalist.
        x, y: the means over its trainings, on the test clips.
        searched: the values that the search measured.
        interval: the 95 % interval of ``y``, if it has one.
        holds: whether it meets every limit.
    """

    finalist: Finalist
    x: float
    y: float
    searched: tuple[float, float]
    interval: Interval
    holds: bool


@dataclass(frozen=True)
class Tradeoff:
    """One metric against another.

    Attributes:
        x, y: the metrics.
        front: the Pareto front of the feasible trials, over all objectives of the study.
        whiskers: the 95 % interval of ``y`` of each trial on the front, if it has one.
        feasible, infeasible: the other trials measured in both metrics, as rows of the table.
        steps: the best ``y`` that feasible trials reach at each ``x``, from the cheapest on.
        finalists: the finalists.
        limits: the limit on each metric that has one.
        x_range, y_range: the initial view; it contains the limits unless they are far away.
        x_log: whether ``x`` is on a log axis.
        below: number of trials below ``y_range``.
    """

    x: Metric
    y: Metric
    front: pd.DataFrame
    whiskers: list[Interval]
    feasible: pd.DataFrame
    infeasible: pd.DataFrame
    steps: list[tuple[float, float]]
    finalists: list[Mark]
    limits: dict[str, Limit]
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    x_log: bool
    below: int


def tradeoff(record: StudyRecord, frame: pd.DataFrame, x: Metric, y: Metric) -> Tradeoff:
    """Compute the trade-off of ``y`` against ``x`` from the table of trials."""
    measured = frame[frame[x.name].notna() & frame[y.name].notna()]
    best = feasible_front(record, measured)
    inside = measured["outcome"] == "feasible"
    limits = {limit.metric: limit for limit in record.space.limits}
    marks = [_mark(record, one, x, y) for one in record.finalists]
    values = [*map(float, measured[x.name]), *(mark.x for mark in marks)]
    log = log_scaled(x, values)
    heights = [*map(float, measured[y.name]), *(mark.y for mark in marks)]
    y_range = _y_range(heights, limits.get(y.name), y)
    return Tradeoff(
        x,
        y,
        best,
        [interval(row, y) for row in best.to_dict("records")],
        measured[inside & ~measured["trial"].isin(best["trial"])],
        measured[~inside],
        _steps(measured[inside], x, y),
        marks,
        limits,
        _x_range(values, limits.get(x.name), log),
        y_range,
        log,
        int((measured[y.name] < y_range[0]).sum()),
    )


def _mark(record: StudyRecord, one: Finalist, x: Metric, y: Metric) -> Mark:
    return Mark(
        one,
        one.mean(x.name),
        one.mean(y.name),
        (one.searched[x.name], one.searched[y.name]),
        one.interval(y.name) if y.name in one.exposures else None,
        one.holds(record.space.limits),
    )


def _steps(rows: pd.DataFrame, x: Metric, y: Metric) -> list[tuple[float, float]]:
    steps: list[tuple[float, float]] = []
    points = zip(rows[x.name], rows[y.name], strict=True)
    for cost, value in sorted(points, key=lambda at: (x.sign * at[0], y.sign * at[1])):
        if not steps or y.sign * value < y.sign * steps[-1][1]:
            steps.append((float(cost), float(value)))
    return steps


def _x_range(values: list[float], limit: Limit | None, log: bool) -> tuple[float, float]:
    if not values:
        values = [limit.bound / 2, limit.bound] if limit else [0.0, 1.0]
    low, high = min(values), max(values)
    if limit and low / _NEAR < limit.bound < high * _NEAR:
        low, high = min(low, limit.bound), max(high, limit.bound)
    if log:
        return low / 1.15, high * 1.15
    room = 0.06 * (high - low) or 0.5
    return low - room, high + room


def _y_range(values: list[float], limit: Limit | None, metric: Metric) -> tuple[float, float]:
    shown = values + ([limit.bound] if limit else [])
    low, high = (min(shown), max(shown)) if shown else (0.0, 1.0)
    if metric.share and metric.better == "higher":
        high = 1.0
        focus = limit.bound - _FOCUS * (1 - limit.bound) if limit else low
        if any(value > focus for value in values):
            low = max(low, focus)
    room = 0.05 * (high - low) or 0.02
    return low - room, high + room


def prices(record: StudyRecord, frame: pd.DataFrame) -> Table | None:
    """Return, for each level of the goal, the cheapest feasible trial in each cost.

    Levels of a share that is better higher are 0.005 apart, from the limit to the best trial, or a
    quarter of that range if it is narrower; levels of other metrics are round numbers.
    """
    goal, costs = goals(record.space)
    feasible = frame[(frame["outcome"] == "feasible") & frame[goal.name].notna()]
    if feasible.empty:
        return None
    better = -goal.sign * feasible[goal.name]
    rows = []
    for level in _levels(record, goal, feasible[goal.name])[-_MOST_PRICES:]:
        enough = feasible[better >= -goal.sign * level - 1e-12]
        cells = [f"{level:.4g}"]
        for one in costs:
            row = enough.sort_values(one.name, ascending=one.better == "lower").iloc[0]
            cells.append(f"{one.text(row[one.name])} (trial\u00a0{row['trial']})")
        rows.append(tuple(cells))
    bound = "at least" if goal.better == "higher" else "at most"
    heads = (f"{'lowest' if one.sign > 0 else 'highest'} {metric_title(one)}" for one in costs)
    return Table("The price list", (f"{metric_title(goal)} {bound}", *heads), tuple(rows))


def _levels(record: StudyRecord, goal: Metric, values: pd.Series) -> list[float]:
    """Return levels of the goal, from the easiest to the best trial."""
    low, high = float(values.min()), float(values.max())
    if not goal.share or goal.better == "lower":
        levels = round_numbers(low, high) if low < high else [low]
        return levels[:: -goal.sign]
    limits = {limit.metric: limit.bound for limit in record.space.limits}
    worst, best = (low, high) if goal.better == "higher" else (high, low)
    start = limits.get(goal.name, worst)
    step = _POINTS if abs(best - start) >= _POINTS else max(abs(best - start) / 4, 1e-4)
    return [start - goal.sign * i * step for i in range(int(abs(best - start) / step + 1e-9) + 1)]
