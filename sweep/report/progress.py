"""What the search did: volume gained and best feasible trial, over trials and over time."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from sweep.report.axes import title
from sweep.report.hypervolume import history
from sweep.report.theme import BLUE
from sweep.study.table import StudyRecord


@dataclass(frozen=True)
class Progress:
    """The state of the search after each finished trial.

    Attributes:
        trials: finished trials so far: 1, 2, ...
        minutes: wall-clock minutes from the start of the first trial.
        volume: share of the allowed box that feasible trials dominate, 0 to 1.
        best: the best feasible value so far of each objective; None before there is one.
        corner: the box's worst corner, by objective: the limit, or else the worst feasible value.
    """

    trials: list[int]
    minutes: list[float]
    volume: list[float]
    best: dict[str, list[float | None]]
    corner: dict[str, float]


def progress(record: StudyRecord, frame: pd.DataFrame) -> Progress:
    """Compute the progress of the search, in the order in which trials finished.

    The box reaches from the corner to the perfect model: accuracy 1, everything else 0.
    """
    frame = frame.sort_values("finished", kind="stable")
    feasible = (frame["outcome"] == "feasible").to_numpy()
    objectives = dict(record.space.file.objectives)
    limits = {limit.metric: limit.bound for limit in record.space.limits}
    corner, columns = {}, []
    best: dict[str, list[float | None]] = {}
    for metric, way in objectives.items():
        values = frame[metric].to_numpy(dtype=float)
        sign, ideal = (-1, 1.0) if way == "maximize" else (1, 0.0)
        inside = values[feasible]
        worst = float((sign * inside).max() * sign) if len(inside) else ideal
        corner[metric] = limits.get(metric, worst)
        if metric != "accuracy" and way == "maximize":
            ideal = float(inside.max()) if len(inside) else 1.0
        columns.append((values - ideal) / ((corner[metric] - ideal) or 1.0))
        costs = np.where(feasible, sign * values, np.inf)
        so_far = np.minimum.accumulate(costs) if len(costs) else costs
        best[metric] = [float(sign * cost) if np.isfinite(cost) else None for cost in so_far]
    points = np.where(feasible[:, None], np.column_stack(columns), 2.0)
    began = min((trial.started for trial in record.trials), default=None)
    minutes = [(at - began).total_seconds() / 60 for at in frame["finished"]] if began else []
    return Progress(
        list(range(1, len(frame) + 1)),
        [round(minute, 3) for minute in minutes],
        history(points, np.ones(len(objectives))),
        best,
        corner,
    )


def draw_progress(found: Progress, over: str) -> go.Figure:
    """Draw volume and best values over ``trials`` or over ``minutes``."""
    names = ["share of the allowed box covered", *(f"best {title(m)}" for m in found.best)]
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
