"""Which parameters matter: how much of each metric's variance each one explains alone."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from sweep.format import short_title
from sweep.report.figures.axes import metric_axes, parameter_axes
from sweep.study.records import StudyRecord

FEASIBLE = "feasible"
_BINS = 5
FEWEST = 8
"""Trials without which no share is told."""


@dataclass(frozen=True)
class Importance:
    """Share of variance explained, 0 to 1.

    Attributes:
        parameters: the parameters that vary, the most important first.
        metrics: the metrics, and ``feasible`` last.
        titles: what the metrics are called.
        shares: one row a parameter, one column a metric; None where too few trials tell.
        trials: how many trials each column rests on.
    """

    parameters: list[str]
    metrics: list[str]
    titles: list[str]
    shares: list[list[float | None]]
    trials: list[int]


def epsilon_squared(groups: NDArray[Any], values: NDArray[np.float64]) -> float:
    """Return the share of the variance of ``values`` that the groups explain.

    This is ``(SS_between - df_between * MS_within) / SS_total``, at least 0: the correlation ratio
    corrected for what as many random groups would explain (T. L. Kelley, PNAS 1935).
    """
    total = float(((values - values.mean()) ** 2).sum())
    members = [values[groups == group] for group in np.unique(groups)]
    freedom = len(values) - len(members)
    if total <= 0 or len(members) < 2 or freedom <= 0:
        return 0.0
    within = float(sum(((part - part.mean()) ** 2).sum() for part in members))
    return max(0.0, (total - within - (len(members) - 1) * within / freedom) / total)


def importance(record: StudyRecord, frame: pd.DataFrame) -> Importance:
    """Compute the importance of each varying parameter, for each metric and for feasibility.

    A parameter with more than six values is cut into five groups of equally many trials.
    Feasibility counts the trials that were measured, gated ones included.
    """
    measured = frame[frame["violation"].notna()]
    groups = {a.name: bins(a.positions) for a in parameter_axes(measured, record.space)}
    columns = {
        a.name: measured[a.name].to_numpy(dtype=np.float64)
        for a in metric_axes(frame, record.space)
    }
    columns[FEASIBLE] = (measured["outcome"] == "feasible").to_numpy(dtype=np.float64)
    shares: dict[str, list[float | None]] = {
        name: [_share(group, column) for column in columns.values()]
        for name, group in groups.items()
    }
    order = sorted(shares, key=lambda name: -sum(share or 0.0 for share in shares[name]))
    return Importance(
        order,
        list(columns),
        [short_title(record.space.metrics[name]) for name in list(columns)[:-1]] + [FEASIBLE],
        [shares[name] for name in order],
        [int((~np.isnan(column)).sum()) for column in columns.values()],
    )


def bins(positions: list[float | None]) -> NDArray[np.float64]:
    """Return a group for each position: itself where there are few, else its quantile."""
    at = np.array([-1.0 if p is None else p for p in positions])
    if len(np.unique(at)) <= _BINS + 1:
        return at
    edges = np.quantile(at, np.linspace(0, 1, _BINS + 1)[1:-1])
    return np.searchsorted(edges, at, side="right").astype(float)


def _share(groups: NDArray[np.float64], values: NDArray[np.float64]) -> float | None:
    known = ~np.isnan(values)
    if known.sum() < FEWEST:
        return None
    return round(epsilon_squared(groups[known], values[known]), 4)


def draw_importance(found: Importance) -> go.Figure:
    """Draw the shares as a table of shaded cells; each carries parameter and metric."""
    texts = [["–" if s is None else f"{100 * s:.0f} %" for s in row] for row in found.shares]
    figure = go.Figure(
        go.Heatmap(
            # Plotly draws neither cells nor axes where there is no number at all.
            z=[[share or 0.0 for share in row] for row in found.shares],
            x=found.titles,
            y=found.parameters,
            text=texts,
            texttemplate="%{text}",
            customdata=[[[p, m] for m in found.metrics] for p in found.parameters],
            hovertemplate="%{y} alone explains %{text} of the variance of %{x}<extra></extra>",
            zmin=0,
            zmax=1,
            showscale=False,
            xgap=3,
            ygap=3,
        )
    )
    figure.update_layout(
        height=90 + 30 * max(1, len(found.parameters)),
        xaxis={"side": "top", "ticks": "", "showgrid": False, "fixedrange": True},
        yaxis={"autorange": "reversed", "ticks": "", "showgrid": False, "fixedrange": True},
        margin={"t": 40, "b": 10},
    )
    return figure
