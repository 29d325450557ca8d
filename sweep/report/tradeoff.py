"""What accuracy costs: trials as points of two metrics, with limits and the front."""

from dataclasses import dataclass

import pandas as pd

from sweep.metrics import Limit
from sweep.report.axes import log_scaled, metric_names
from sweep.study.confirmation import Finalist
from sweep.study.table import StudyRecord, front

_NEAR = 3.0
_FOCUS = 2.0


@dataclass(frozen=True)
class Mark:
    """A finalist in the picture of two metrics.

    Attributes:
        finalist: what became of it.
        x, y: the means over its trainings, of accuracy on the test clips.
        searched: where the search had placed it.
        interval: the 95 % Wilson interval of ``y``, where that is the accuracy.
        holds: whether it keeps every limit.
    """

    finalist: Finalist
    x: float
    y: float
    searched: tuple[float, float]
    interval: tuple[float, float] | None
    holds: bool


@dataclass(frozen=True)
class Tradeoff:
    """One metric against another.

    Attributes:
        x, y: the metrics.
        front: feasible trials that no feasible trial beats in every objective of the study.
        feasible, infeasible: the other trials measured in both metrics, as rows of the table.
        steps: the best ``y`` that feasible trials reach at each ``x``, from the cheapest on.
        finalists: the trials that were trained again.
        limits: the limit on each metric that has one.
        x_range, y_range: the part to show first; it holds the limits unless they are far away.
        x_log: whether ``x`` is on a log axis.
        below: how many trials lie below ``y_range``.
    """

    x: str
    y: str
    front: pd.DataFrame
    feasible: pd.DataFrame
    infeasible: pd.DataFrame
    steps: list[tuple[float, float]]
    finalists: list[Mark]
    limits: dict[str, Limit]
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    x_log: bool
    below: int


@dataclass(frozen=True)
class Price:
    """The cheapest feasible trial, in each cost, that reaches at least ``least``.

    Attributes:
        metric: what is asked for.
        least: how much of it.
        trials: the number of the cheapest trial, by cost metric.
        costs: what it costs, by cost metric.
    """

    metric: str
    least: float
    trials: dict[str, int]
    costs: dict[str, float]


def goals(record: StudyRecord) -> tuple[str, list[str]]:
    """Return the metric the page asks for, and those it is paid with."""
    names = metric_names(record.space)
    y = "accuracy" if "accuracy" in names else names[0]
    order = {"size_kb": 0, "latency_ms": 1}
    costs = sorted((name for name in names if name != y), key=lambda name: order.get(name, 2))
    return y, costs


def feasible_front(record: StudyRecord, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of feasible trials that no feasible trial beats in every objective."""
    feasible = frame[frame["outcome"] == "feasible"]
    return front(feasible, dict(record.space.file.objectives)) if len(feasible) else feasible


def tradeoff(record: StudyRecord, frame: pd.DataFrame, x: str, y: str) -> Tradeoff:
    """Compute the picture of ``y`` against ``x`` from the table of trials."""
    measured = frame[frame[x].notna() & frame[y].notna()]
    best = feasible_front(record, measured)
    inside = measured["outcome"] == "feasible"
    limits = {limit.metric: limit for limit in record.space.limits}
    marks = [_mark(record, one, x, y) for one in record.finalists]
    values = [*map(float, measured[x]), *(mark.x for mark in marks)]
    log = log_scaled(x, values)
    heights = [*map(float, measured[y]), *(mark.y for mark in marks)]
    y_range = _y_range(heights, limits.get(y), y)
    return Tradeoff(
        x,
        y,
        best,
        measured[inside & ~measured["trial"].isin(best["trial"])],
        measured[~inside],
        _steps(measured[inside], x, y, _sign(record, y)),
        marks,
        limits,
        _x_range(values, limits.get(x), log),
        y_range,
        log,
        int((measured[y] < y_range[0]).sum()),
    )


def prices(record: StudyRecord, frame: pd.DataFrame) -> list[Price]:
    """Return what each further step of accuracy costs, from the limit up to the best trial.

    A step is half a point, or a quarter of what lies between where that is less.
    """
    feasible = frame[frame["outcome"] == "feasible"]
    metric, costs = goals(record)
    if metric != "accuracy" or feasible.empty:
        return []
    limits = {limit.metric: limit.bound for limit in record.space.limits}
    top = float(feasible[metric].max())
    start = max(limits.get(metric, 0.0), float(feasible[metric].min()) // 0.005 * 0.005)
    step = 0.005 if top - start >= 0.005 else max((top - start) / 4, 1e-4)
    levels = [start + i * step for i in range(int((top - start) / step + 1e-9) + 1)]
    found = []
    for level in levels[-12:]:
        enough = feasible[feasible[metric] >= level - 1e-12]
        cheapest = {cost: enough.sort_values(cost).iloc[0] for cost in costs}
        found.append(
            Price(
                metric,
                level,
                {cost: int(row["trial"]) for cost, row in cheapest.items()},
                {cost: float(row[cost]) for cost, row in cheapest.items()},
            )
        )
    return found


def _mark(record: StudyRecord, one: Finalist, x: str, y: str) -> Mark:
    return Mark(
        one,
        one.mean(x),
        one.mean(y),
        (one.searched[x], one.searched[y]),
        one.interval(y) if y in one.exposures else None,
        one.holds(record.space.limits),
    )


def _sign(record: StudyRecord, metric: str) -> int:
    return -1 if record.space.file.objectives.get(metric, "maximize") == "minimize" else 1


def _steps(rows: pd.DataFrame, x: str, y: str, sign: int) -> list[tuple[float, float]]:
    steps: list[tuple[float, float]] = []
    points = zip(rows[x], rows[y], strict=True)
    for cost, value in sorted(points, key=lambda point: (point[0], -sign * point[1])):
        if not steps or sign * value > sign * steps[-1][1]:
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


def _y_range(values: list[float], limit: Limit | None, metric: str) -> tuple[float, float]:
    shown = values + ([limit.bound] if limit else [])
    low, high = (min(shown), max(shown)) if shown else (0.0, 1.0)
    if metric == "accuracy":
        high = 1.0
        focus = limit.bound - _FOCUS * (1 - limit.bound) if limit else low
        if any(value > focus for value in values):
            low = max(low, focus)
    room = 0.05 * (high - low) or 0.02
    return low - room, high + room
