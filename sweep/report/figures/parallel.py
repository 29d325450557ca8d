"""All parameters and metrics at once: one line a trial, one axis a quantity."""

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from sweep.candidate import find
from sweep.metrics import Metric
from sweep.parameters import defaults
from sweep.registry import BUILT_IN
from sweep.report.figures.axes import (
    Axis,
    metric_axes,
    metric_axis,
    parameter_axes,
    round_numbers,
    variant_axis,
)
from sweep.study.records import StudyRecord
from sweep.study.summary import goals

SHOWN = {
    "feasible": ("feasible",),
    "trained": ("feasible", "infeasible", "stopped"),
    "all": ("feasible", "infeasible", "stopped", "gated", "invalid", "failed"),
}
"""Which outcomes each setting of the page's switch shows."""

FRONTEND = (
    "frontend",
    *(p for name in BUILT_IN["frontend"] for p in defaults(find("frontend", name))),
)
_MISSING = -0.12
_FINENESS = 120
_LONGEST = 9


@dataclass(frozen=True)
class Parallel:
    """Lines through parallel axes.

    Attributes:
        trials: the number of each line's trial.
        axes: the axes, parameters first; each has a position for every line.
        goal: the metric the lines are coloured by; ``colours`` is its axis.
        limits: lowest and highest allowed position, by axis name, where there is a limit.
    """

    trials: list[int]
    axes: list[Axis]
    goal: Metric
    colours: Axis
    limits: dict[str, tuple[float, float]]


def parallel(record: StudyRecord, frame: pd.DataFrame, show: str) -> Parallel:
    """Compute the lines of the trials that one of ``SHOWN`` names."""
    rows = frame[frame["outcome"].isin(SHOWN[show])]
    parameters, metrics = parameter_axes(rows, record.space), metric_axes(rows, record.space)
    variant = variant_axis(rows, record.space)
    goal = goals(record.space)[0]
    limits = {}
    for limit in record.space.limits:
        axis = next((axis for axis in metrics if axis.name == limit.metric), None)
        if axis is None:  # a limit that every study has
            axis = metric_axis(record.space.metrics[limit.metric], rows)
            metrics.append(axis)
        bound = (
            axis.position(limit.bound) if axis.scale != "log" or limit.bound > 0 else axis.ends[0]
        )
        room = 0.01 * (axis.ends[1] - axis.ends[0])
        if len(limit.operator) == 1:  # a value that touches a strict limit breaks it
            bound += math.copysign(1e-6 * room, 1 if limit.operator == ">" else -1)
        low, high = min(axis.ends[0], bound) - room, max(axis.ends[1], bound) + room
        limits[limit.metric] = (bound, high) if limit.operator.startswith(">") else (low, bound)
    return Parallel(
        [int(number) for number in rows["trial"]],
        [*parameters, *([variant] if variant else []), *metrics],
        goal,
        next(axis for axis in metrics if axis.name == goal.name),
        limits,
    )


def draw_parallel(lines: Parallel) -> go.Figure:
    """Draw the lines in one trace, each axis ready to be brushed.

    The trace's ``meta`` tells the page which axes belong to the front end, which range of each
    metric keeps its limit, which axes are logarithmic, and by ``missing`` which position stands for
    "not measured".
    """
    low, high = lines.colours.ends
    goal = lines.goal
    if goal.share and goal.better == "higher" and goal.name in lines.limits:
        low = max(low, 1 - 5 * (1 - lines.limits[goal.name][0]))
    figure = go.Figure(
        go.Parcoords(
            customdata=lines.trials,
            dimensions=[_dimension(axis) for axis in lines.axes],
            line={
                "color": [low if at is None else at for at in lines.colours.positions],
                "coloraxis": "coloraxis",
            },
            unselected={"line": {"opacity": 0.06}},
            labelangle=-24,
            labelside="top",
            rangefont={"color": "rgba(0,0,0,0)"},
            meta={
                "frontend": [*(a.name for a in lines.axes if a.name in FRONTEND), goal.name],
                "limits": {name: list(ends) for name, ends in lines.limits.items()},
                "log": [axis.name for axis in lines.axes if axis.scale == "log"],
                "missing": {a.name: _missing(a) for a in lines.axes if None in a.positions},
            },
        )
    )
    figure.update_layout(
        height=480,
        margin={"l": 60, "r": 40, "t": 110, "b": 30},
        coloraxis={
            "cmin": low,
            "cmax": max(high, low + 1e-6),
            "reversescale": goal.better == "lower",
            "colorbar": {
                "title": {"text": lines.colours.title, "side": "right"},
                "tickvals": lines.colours.ticks or None,
                "ticktext": lines.colours.texts or None,
            },
        },
    )
    return figure


def _missing(axis: Axis) -> float:
    return axis.ends[0] + _MISSING * (axis.ends[1] - axis.ends[0])


def _dimension(axis: Axis) -> dict[str, Any]:
    gap = None in axis.positions
    nowhere = _missing(axis)
    positions = [nowhere if at is None else float(f"{at:.6g}") for at in axis.positions]
    ticks, texts = list(axis.ticks), list(axis.texts)
    if gap and axis.scale == "number":
        ticks = round_numbers(*axis.ends)
        texts = [f"{tick:g}" for tick in ticks]
    if gap:
        ticks, texts = [nowhere, *ticks], ["none", *texts]
    if axis.scale == "choice":
        texts = _short(texts)
    elif ticks:
        ticks, texts = _finely(ticks, texts, axis)
    return {
        "name": axis.name,
        "label": axis.title,
        "values": positions,
        "range": [nowhere if gap else axis.ends[0], axis.ends[1]],
        **({"tickvals": ticks, "ticktext": texts} if ticks else {}),
    }


def _short(texts: list[str]) -> list[str]:
    """Cut long choices, which would print over the next axis, unless that made two alike."""
    cut = [text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…" for text in texts]
    return cut if len(set(cut)) == len(texts) else texts


def _finely(ticks: list[float], texts: list[str], axis: Axis) -> tuple[list[float], list[str]]:
    """Add blank ticks between the labelled ones.

    Plotly snaps a brush to the ticks of an axis that has any; a fine row of blank ones keeps the
    brush free.  Each blank differs from the next because Plotly tells ticks apart by their text.
    """
    low, high = axis.ends
    fine = [low + (high - low) * i / _FINENESS for i in range(1, _FINENESS)]
    apart = 0.4 * (high - low) / _FINENESS
    blanks = [at for at in fine if all(abs(at - tick) > apart for tick in ticks)]
    labelled = [*zip(ticks, texts, strict=True)]
    labelled += [(at, " " * (i + 1)) for i, at in enumerate(blanks)]
    labelled.sort()
    return [at for at, _ in labelled], [text for _, text in labelled]
