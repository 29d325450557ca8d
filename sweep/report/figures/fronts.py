"""Draw what the goal costs: against one cost with limits and front, or against two in 3-D."""

import html
import math
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from sweep.format import counted, metric_title
from sweep.report.figures.axes import log_ticks
from sweep.report.figures.tradeoff import Interval, Mark, Tradeoff
from sweep.report.theme import BLUE, BROWN, GREEN, ORANGE, PURPLE, VERMILLION

SELECTED = "selected"
"""Name of the empty trace that rings the selected trial."""

_BEYOND = 20.0
_WHISKERS = "rgba(0,158,115,0.5)"
_CROSS = {
    "symbol": "x-thin",
    "size": 7,
    "opacity": 0.7,
    "line": {"color": VERMILLION, "width": 1.4},
}
_CIRCLE = {"symbol": "circle", "size": 8, "opacity": 0.75, "color": BLUE}
_DIAMOND = {"symbol": "diamond", "size": 11, "color": GREEN}
_STAR = {"symbol": "star", "size": 14, "color": ORANGE, "line": {"color": BROWN, "width": 1.2}}
_RING = {"symbol": "circle-open", "size": 20, "color": PURPLE, "line": {"width": 3}}
_FINALISTS = (("finalist, holds", True), ("finalist, fails", False))


def draw_tradeoff(picture: Tradeoff) -> go.Figure:
    """Draw the picture; each point carries its trial's number as ``customdata``."""
    figure = go.Figure()
    figure.add_scatter(**_points(picture, picture.infeasible, "breaks a limit", _CROSS))
    figure.add_scatter(**_points(picture, picture.feasible, "meets every limit", _CIRCLE))
    steps = [*picture.steps]
    if steps:
        steps.append((picture.x_range[1 if picture.x.better == "lower" else 0], steps[-1][1]))
    figure.add_scatter(
        x=[x for x, _ in steps],
        y=[y for _, y in steps],
        mode="lines",
        line={"shape": "hv", "color": GREEN, "width": 1.5},
        hoverinfo="skip",
        showlegend=False,
    )
    ends = _whiskers(picture.front[picture.y.name], picture.whiskers, _WHISKERS)
    figure.add_scatter(**_points(picture, picture.front, "on the front", _DIAMOND), error_y=ends)
    _add_finalists(figure, picture.finalists)
    figure.add_scatter(
        x=[], y=[], name=SELECTED, mode="markers", hoverinfo="skip", showlegend=False, marker=_RING
    )
    _set_axes(figure, picture)
    _shade_limits(figure, picture)
    figure.update_layout(height=460, hovermode="closest", margin={"r": 62})
    return figure


def _points(
    picture: Tradeoff, rows: pd.DataFrame, name: str, marker: dict[str, Any]
) -> dict[str, Any]:
    return {
        "x": [float(f"{value:.6g}") for value in rows[picture.x.name]],
        "y": [float(f"{value:.6g}") for value in rows[picture.y.name]],
        "customdata": [int(number) for number in rows["trial"]],
        "name": name,
        "mode": "markers",
        "marker": marker,
    }


def _whiskers(values: Any, ends: list[Interval], colour: str) -> dict[str, Any]:
    """Return whiskers from the low to the high end of each point's interval."""
    known = [(at, *(ends or (at, at))) for at, ends in zip(values, ends, strict=True)]
    return {
        "type": "data",
        "symmetric": False,
        "array": [high - at for at, _, high in known],
        "arrayminus": [at - low for at, low, _ in known],
        "thickness": 1,
        "width": 0,
        "color": colour,
    }


def _add_finalists(figure: go.Figure, marks: list[Mark]) -> None:
    """Draw where training again put the finalists, each tied to where the search had placed it."""
    ties = [((mark.searched[0], mark.x, None), (mark.searched[1], mark.y, None)) for mark in marks]
    if ties:
        figure.add_scatter(
            x=[x for xs, _ in ties for x in xs],
            y=[y for _, ys in ties for y in ys],
            mode="lines",
            line={"color": BROWN, "width": 1, "dash": "dot"},
            hoverinfo="skip",
            showlegend=False,
        )
    for name, holds in _FINALISTS:
        look = {} if holds else {"symbol": "star-open", "color": BROWN}
        kept = [mark for mark in marks if mark.holds == holds]
        if not kept:
            continue
        ys = [mark.y for mark in kept]
        figure.add_scatter(
            x=[mark.x for mark in kept],
            y=ys,
            customdata=[mark.finalist.trial for mark in kept],
            meta="finalist",
            name=name,
            mode="markers",
            marker=_STAR | look,
            error_y=_whiskers(ys, [mark.interval for mark in kept], BROWN),
        )


def _set_axes(figure: go.Figure, picture: Tradeoff) -> None:
    """Set titles, scales and ranges."""
    ends = [math.log10(end) if picture.x_log else end for end in picture.x_range]
    figure.update_xaxes(**_scale(picture), range=ends)
    if picture.x_log:
        ticks = log_ticks(*picture.x_range)
        figure.update_xaxes(tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks])
    lower = f" ({counted(picture.below, 'trial')} below)" if picture.below else ""
    figure.update_yaxes(title=metric_title(picture.y) + lower, range=list(picture.y_range))


def _scale(picture: Tradeoff) -> dict[str, str]:
    """Return title and type of the axis of a picture's cost."""
    kind = ", log scale" if picture.x_log else ""
    return {"title": metric_title(picture.x) + kind, "type": "log" if picture.x_log else "linear"}


def _shade_limits(figure: go.Figure, picture: Tradeoff) -> None:
    """Shade what the limits allow, far beyond what is shown, and draw each limit as a line."""
    region: dict[str, float] = {}
    for side, metric, (low, high), log in (
        ("x", picture.x, picture.x_range, picture.x_log),
        ("y", picture.y, picture.y_range, False),
    ):
        far = _BEYOND * (high - low)
        ends = (low / _BEYOND, high * _BEYOND) if log else (low - far, high + far)
        region |= {f"{side}0": ends[0], f"{side}1": ends[1]}
        limit = picture.limits.get(metric.name)
        if limit is None:
            continue
        region[f"{side}0" if limit.operator.startswith(">") else f"{side}1"] = limit.bound
        inside = low < limit.bound < high
        if inside:
            line = {"color": GREEN, "width": 1.5, "dash": "dash"}
            (figure.add_vline if side == "x" else figure.add_hline)(limit.bound, line=line)
        arrow = "" if inside else " →" if limit.bound >= high else " ←"
        sign = limit.operator.replace(">=", "≥").replace("<=", "≤")
        at = math.log10(limit.bound) if log else limit.bound
        place: dict[str, Any] = {"x": 1, "xref": "paper", "y": 1, "yref": "paper"}
        place |= {"xanchor": "right", "yanchor": "bottom"}
        if side == "y":
            place |= {"y": at, "yref": "y", "xanchor": "left", "yanchor": "middle"}
        elif inside:
            place |= {"x": at, "xref": "x", "xanchor": "center"}
        text = html.escape(f"{sign} {limit.bound:g}{arrow}")
        figure.add_annotation(text=text, showarrow=False, **place)
    figure.add_shape(
        type="rect", **region, fillcolor=GREEN, opacity=0.09, line_width=0, layer="below"
    )


def draw_space(first: Tradeoff, second: Tradeoff) -> go.Figure:
    """Draw the metric two pictures share over both their costs, in three dimensions."""
    figure = go.Figure()
    groups = (
        (first.infeasible, "breaks a limit", {"symbol": "square", "size": 3, "color": VERMILLION}),
        (first.feasible, "meets every limit", {"symbol": "circle", "size": 4, "color": BLUE}),
        (first.front, "on the front", {"symbol": "diamond", "size": 5, "color": GREEN}),
    )
    for measured, name, marker in groups:
        rows = measured[measured[second.x.name].notna()]
        points = _points(first, rows, name, marker)
        points |= {"y": [float(value) for value in rows[second.x.name]], "z": points["y"]}
        figure.add_scatter3d(**points)
    for name, holds in _FINALISTS:
        both = zip(first.finalists, second.finalists, strict=True)
        kept = [(mark, other) for mark, other in both if mark.holds == holds]
        if kept:
            figure.add_scatter3d(
                x=[mark.x for mark, _ in kept],
                y=[other.x for _, other in kept],
                z=[mark.y for mark, _ in kept],
                customdata=[mark.finalist.trial for mark, _ in kept],
                meta="finalist",
                name=name,
                mode="markers",
                marker={"symbol": "cross", "size": 8, "color": ORANGE if holds else BROWN},
            )
    ring = {"symbol": "circle-open", "size": 12, "color": PURPLE, "line": {"width": 4}}
    figure.add_scatter3d(
        x=[], y=[], z=[], name=SELECTED, mode="markers", marker=ring, showlegend=False
    )
    figure.update_layout(
        height=560,
        margin={"l": 0, "r": 0, "b": 0},
        scene={
            "xaxis": _scale(first),
            "yaxis": _scale(second),
            "zaxis": {"title": metric_title(first.y), "range": list(first.y_range)},
            "camera": {"eye": {"x": 1.45, "y": 1.45, "z": 0.5}, "center": {"z": -0.15}},
            "aspectmode": "cube",
        },
    )
    return figure
