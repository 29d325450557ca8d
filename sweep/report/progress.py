"""What the search did: volume gained and best feasible trial, over trials and over time."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from sweep.report.axes import title
from sweep.report.hypervolume import Costs, history
from sweep.report.theme import BLUE
from sweep.study.table import StudyRecord


@dataclass(frozen=True)
class Progress:
    """The state of the search after each finished trial.

    Attributes:
        trials: finished trials so far: 1, 2, ...
        minutes: wall-clock minutes from the start of the first trial.
        volume: what feasible trials dominate below the corner: the product, over the objectives,
            of the share of the way from the limit to accuracy 1, and of how many times each other
            metric was halved (doubled, if it is maximized).
        best: the best feasible value so far of each objective; None before there is one.
        corner: the worst corner, by objective: the limit, or else the worst feasible value.
    """

    trials: list[int]
    minutes: list[float]
    volume: list[float]
    best: dict[str, list[float | None]]
    corner: dict[str, float]


def progress(record: StudyRecord, frame: pd.DataFrame) -> Progress:
    """Compute the progress of the search, in the order in which trials finished."""
    frame = frame.sort_values("finished", kind="stable")
    feasible = (frame["outcome"] == "feasible").to_numpy()
    objectives = dict(record.space.file.objectives)
    limits = {limit.metric: limit.bound for limit in record.space.limits}
    corner, columns = {}, []
    best: dict[str, list[float | None]] = {}
    for metric, way in objectives.items():
        values = frame[metric].to_numpy(dtype=float)
        sign = -1 if way == "maximize" else 1
        worst = float((sign * values[feasible]).max() * sign) if feasible.any() else 1.0
        corner[metric] = limits.get(metric, worst)
        columns.append(_costs(metric, values, corner[metric], sign))
        reached = np.where(feasible, sign * values, np.inf)
        so_far = np.minimum.accumulate(reached) if len(reached) else reached
        best[metric] = [float(sign * cost) if np.isfinite(cost) else None for cost in so_far]
    points = np.where(feasible[:, None], np.column_stack(columns), np.inf)
    began = min((trial.started for trial in record.trials), default=None)
    minutes = [(at - began).total_seconds() / 60 for at in frame["finished"]] if began else []
    return Progress(
        list(range(1, len(frame) + 1)),
        [round(minute, 3) for minute in minutes],
        history(points, np.zeros(len(objectives))),
        best,
        corner,
    )


def _costs(metric: str, values: Costs, corner: float, sign: int) -> Costs:
    """Return how far each value lies from the corner: 0 there, and less the better it is.

    Accuracy has an end at 1 and is measured along the way to it; of a size or a time, the next
    halving is always worth as much as the last.
    """
    if metric == "accuracy":
        return sign * (values - corner) / ((1 - corner) or 1.0)
    return sign * np.log2(values / corner)


def draw_progress(found: Progress, over: str) -> go.Figure:
    """Draw volume and best values over ``trials`` or over ``minutes``."""
    names = [_volume_title(list(found.best)), *(f"best {title(m)}" for m in found.best)]
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


def _volume_title(metrics: list[str]) -> str:
    """Say what the axes of the volume are."""
    others = [title(metric).partition(" (")[0] for metric in metrics if metric != "accuracy"]
    kinds = ["accuracy linear"] * ("accuracy" in metrics)
    kinds += [f"{' and '.join(others)} log"] * bool(others)
    return f"hypervolume ({', '.join(kinds)})"
