"""One parameter against one metric."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from sweep.report.figures.axes import Axis, metric_axes, parameter_axes
from sweep.report.theme import BLUE, VERMILLION
from sweep.study.records import StudyRecord

_JITTER = 0.18
_GOLDEN = 0.6180339887


def columns(record: StudyRecord, frame: pd.DataFrame) -> dict[str, dict[str, dict[str, Any]]]:
    """Return what each parameter and each metric needs to be one side of a slice.

    Positions on a log axis are logarithms to base 10; choices are spread a little around their
    place so that equal ones do not hide each other.
    """
    return {
        "parameters": {a.name: _side(a) for a in parameter_axes(frame, record.space)},
        "metrics": {a.name: _side(a) for a in metric_axes(frame, record.space)},
    }


def draw_slice(record: StudyRecord, frame: pd.DataFrame, parameter: str, metric: str) -> go.Figure:
    """Draw all trials measured in a metric over a parameter."""
    sides = columns(record, frame)
    across, up = sides["parameters"][parameter], sides["metrics"][metric]
    figure = go.Figure()
    inside = list(frame["outcome"] == "feasible")
    for wanted, name, marker in (
        (
            False,
            "breaks a limit",
            {"symbol": "x-thin", "line": {"color": VERMILLION, "width": 1.4}},
        ),
        (True, "meets every limit", {"symbol": "circle", "color": BLUE}),
    ):
        kept = [i for i, feasible in enumerate(inside) if feasible == wanted]
        figure.add_scatter(
            x=[across["at"][i] for i in kept],
            y=[up["at"][i] for i in kept],
            customdata=[int(frame["trial"].iloc[i]) for i in kept],
            name=name,
            mode="markers",
            marker={"size": 7, "opacity": 0.7, **marker},
            hovertemplate="trial %{customdata}<extra></extra>",
        )
    figure.update_xaxes(**across["axis"])
    figure.update_yaxes(**up["axis"])
    figure.update_layout(height=400, hovermode="closest")
    return figure


def _side(axis: Axis) -> dict[str, Any]:
    low, high = axis.ends
    room = 0.5 if axis.scale == "choice" else 0.06 * (high - low)
    ticks = {"tickmode": "array", "tickvals": axis.ticks, "ticktext": axis.texts}
    return {
        "at": [_spread(axis, i, at) for i, at in enumerate(axis.positions)],
        "axis": {
            "title": {"text": axis.title + (", log scale" if axis.scale == "log" else "")},
            "range": [low - room, high + room],
            **(ticks if axis.ticks else {"tickmode": "auto", "tickvals": None, "ticktext": None}),
        },
    }


def _spread(axis: Axis, index: int, at: float | None) -> float | None:
    if at is None:
        return None
    jitter = _JITTER * (2 * (index * _GOLDEN % 1) - 1) if axis.scale == "choice" else 0.0
    return float(f"{at + jitter:.5g}")
