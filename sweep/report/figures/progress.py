"""The history of a search: hypervolume and best feasible trial, over trials and over time."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from sweep.format import metric_title, short_title
from sweep.metrics import Metric
from sweep.report.figures.hypervolume import Costs, history
from sweep.report.theme import BLUE
from sweep.study.records import StudyRecord


@dataclass(frozen=True)
class SearchHistory:
    """The state of the search after each finished trial.

    Attributes:
        objectives: the metrics searched for.
        trials: finished trials so far: 1, 2, ...
        minutes: wall-clock minutes from the start of the first trial.
        volume: hypervolume that feasible trials dominate below the corner. A share counts by the
            fraction of the way from the limit to its ideal, another metric by its halvings
            (doublings if it is maximized).
        best: the best feasible value so far of each objective; None before there is one.
        corner: the worst corner, by objective: the limit, or else the worst feasible value.
    """

    objectives: list[Metric]
    trials: list[int]
    minutes: list[float]
    volume: list[float]
    best: dict[str, list[float | None]]
    corner: dict[str, float]


def search_history(record: StudyRecord, frame: pd.DataFrame) -> SearchHistory:
    """Compute the history of the search, in the order in which trials finished."""
    frame = frame.sort_values("finished", kind="stable")
    feasible = (frame["outcome"] == "feasible").to_numpy()
    objectives = [record.space.metrics[name] for name in record.space.file.objectives]
    limits = {limit.metric: limit.bound for limit in record.space.limits}
    corner, columns = {}, []
    best: dict[str, list[float | None]] = {}
    for metric in objectives:
        values = frame[metric.name].to_numpy(dtype=float)
        worst = (
            float((metric.sign * values[feasible]).max() * metric.sign) if feasible.any() else 1.0
        )
        corner[metric.name] = limits.get(metric.name, worst)
        columns.append(_costs(metric, values, corner[metric.name]))
        reached = np.where(feasible, metric.sign * values, np.inf)
        so_far = np.minimum.accumulate(reached) if len(reached) else reached
        best[metric.name] = [
            float(metric.sign * cost) if np.isfinite(cost) else None for cost in so_far
        ]
    points = np.where(feasible[:, None], np.column_stack(columns), np.inf)
    began = min((trial.started for trial in record.trials), default=None)
    minutes = [(at - began).total_seconds() / 60 for at in frame["finished"]] if began else []
    return SearchHistory(
        objectives,
        list(range(1, len(frame) + 1)),
        [round(minute, 3) for minute in minutes],
        history(points, np.zeros(len(objectives))),
        best,
        corner,
    )


def _costs(metric: Metric, values: Costs, corner: float) -> Costs:
    """Return the cost of each value relative to the corner: 0 there, lower is better.

    A share is measured linearly towards 0 or 1; sizes and times in halvings.
    """
    if metric.share:
        ideal = 1.0 if metric.better == "higher" else 0.0
        return metric.sign * (values - corner) / (abs(ideal - corner) or 1.0)
    return metric.sign * np.log2(np.maximum(values, np.finfo(float).tiny) / corner)


def describe_volume(found: SearchHistory) -> str:
    """Return an explanation of the first curve, in one sentence."""
    ends = ", ".join(f"{metric} {value:.4g}" for metric, value in found.corner.items())
    factors = [
        (
            f"the share of the way from there to {short_title(one)} {1 if one.sign < 0 else 0}"
            if one.share
            else f"the {'doublings' if one.sign < 0 else 'halvings'} of {short_title(one)}"
        )
        for one in sorted(found.objectives, key=lambda one: not one.share)
    ]
    return (
        "The first curve is the hypervolume that feasible trials dominate, seen from the corner "
        f"{ends}: {', times '.join(factors)}."
    )


def draw_progress(found: SearchHistory, over: str) -> go.Figure:
    """Draw volume and best values over ``trials`` or over ``minutes``."""
    names = [_volume_title(found), *(f"best {metric_title(one)}" for one in found.objectives)]
    figure = make_subplots(
        rows=len(names), cols=1, shared_xaxes=True, vertical_spacing=0.07, subplot_titles=names
    )
    xs = found.trials if over == "trials" else found.minutes
    for row, values in enumerate([found.volume, *found.best.values()], start=1):
        figure.add_scatter(
            x=xs,
            y=values,
            row=row,
            col=1,
            mode="lines",
            line={"shape": "hv", "color": BLUE, "width": 2},
            hovertemplate="%{x:.4~g}: %{y:.4~g}<extra></extra>",
            showlegend=False,
        )
    figure.update_annotations(x=0, xanchor="left", font={"size": 13})
    figure.update_yaxes(nticks=4)
    figure.update_yaxes(rangemode="tozero", row=1, col=1)
    label = "finished trials" if over == "trials" else "minutes since the first trial began"
    figure.update_xaxes(title=label, row=len(names), col=1)
    figure.update_layout(height=150 * len(names) + 60)
    return figure


def _volume_title(found: SearchHistory) -> str:
    """Say what the axes of the volume are."""
    scales = []
    for share, scale in ((True, "linear"), (False, "log")):
        names = [short_title(one) for one in found.objectives if one.share == share]
        if names:
            scales.append(f"{' and '.join(names)} {scale}")
    return f"hypervolume ({', '.join(scales)})"
