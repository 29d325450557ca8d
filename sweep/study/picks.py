"""Picking one feasible trial: the smallest, the fastest, the most accurate, or a balance."""

from collections.abc import Iterable, Mapping

import pandas as pd

from sweep.errors import NothingFeasible, SpecError, nearest
from sweep.metrics import Metric, in_unit
from sweep.space import Space
from sweep.study.finalist import Finalist

PICKS = ("smallest", "fastest", "most-accurate", "balanced")
"""The criteria of ``pick``."""


def balance(frame: pd.DataFrame, metrics: Iterable[Metric]) -> pd.Series:
    """Return the squared distance of each row from the best value of every metric.

    Each metric is scaled: 0 is the best of the rows, 1 the worst.
    """
    points = pd.DataFrame({m.name: m.sign * frame[m.name].astype(float) for m in metrics})
    spans = (points.max() - points.min()).replace(0, 1)
    distances: pd.Series = (((points - points.min()) / spans) ** 2).sum(axis=1)
    return distances


def pick_metrics(space: Space) -> dict[str, tuple[Metric, ...]]:
    """Return the metrics that each criterion of ``PICKS`` compares, in order.

    Size and latency are the first metrics in KB and in ms that the space names, else ``size_kb``
    and ``latency_ms``.
    """
    size, latency = (
        space.metrics[in_unit(unit, space.named_metrics, space.metrics, default)]
        for unit, default in (("KB", "size_kb"), ("ms", "latency_ms"))
    )
    return {
        "smallest": (size, space.aim),
        "fastest": (latency, space.aim),
        "most-accurate": (space.aim, size),
        "balanced": (space.aim, latency, size),
    }


def pick(
    frame: pd.DataFrame,
    criterion: str,
    space: Space,
    confirmed: Mapping[int, Finalist] | None = None,
) -> pd.Series:
    """Return the feasible trial that is best by a criterion of ``PICKS``.

    ``balanced`` minimises ``balance``; the others compare their metrics in order.  If any
    finalists are ``confirmed``, only those are compared, by their metrics on the test clips: the
    search's values are optimistic.

    Raises:
        NothingFeasible: if no trial is feasible.
        SpecError: if there is no such criterion.
    """
    if criterion not in PICKS:
        raise SpecError(f"pick: {criterion!r} is unknown{nearest(criterion, PICKS)}")
    feasible = frame[frame["outcome"] == "feasible"]
    if feasible.empty:
        raise NothingFeasible("no trial is feasible, so there is nothing to pick")
    if confirmed:
        feasible = _retrained(feasible, confirmed)
    order = pick_metrics(space)[criterion]
    known = feasible.dropna(subset=[metric.name for metric in order])
    feasible = feasible if known.empty else known
    if criterion == "balanced":
        return feasible.iloc[int(balance(feasible, order).to_numpy().argmin())]
    rising = [metric.better == "lower" for metric in order]
    return feasible.sort_values([metric.name for metric in order], ascending=rising).iloc[0]


def _retrained(frame: pd.DataFrame, confirmed: Mapping[int, Finalist]) -> pd.DataFrame:
    """Return the rows of finalists, with the metrics measured on the test clips."""
    rows = frame[frame["trial"].isin(list(confirmed))].copy()
    again = [confirmed[int(trial)] for trial in rows["trial"]]
    for metric in again[0].retrainings[0].test if again else ():
        rows[metric] = [one.mean(metric) for one in again]
        if metric in again[0].exposures:
            intervals = [one.interval(metric) for one in again]
            rows[[f"{metric}_low", f"{metric}_high"]] = intervals
    return rows.assign(clips=[one.test_clips for one in again])
