"""Draw what accuracy costs: in two metrics with limits and front, or in three."""

import html
import math
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from sweep.report.axes import log_ticks, title
from sweep.report.theme import BLUE, BROWN, GREEN, ORANGE, PURPLE, VERMILLION
from sweep.report.tradeoff import Mark, Tradeoff
from sweep.report.words import counted, finalist_hover, hover
from sweep.statistics import wilson

SELECTED = "selected"
"""Name of the empty trace that rings the trial a reader has picked."""

_WHISKERS = "rgba(0,158,115,0.5)"
_FINALISTS = (("finalist, holds", "star", True), ("finalist, fails", "star-open", False))


def draw_tradeoff(picture: Tradeoff, parameters: list[str]) -> go.Figure:
    """Draw the picture; each point carries its trial's number as ``customdata``.

    Args:
        picture: what to draw.
        parameters: the parameters that the hover label names.
    """
    figure = go.Figure()
    figure.add_scatter(
        **_points(picture, picture.infeasible, parameters),
        name="breaks a limit",
        mode="markers",
        marker={"symbol": "x-thin", "size": 7, "opacity": 0.7, "line": _stroke(VERMILLION, 1.4)},
    )
    figure.add_scatter(
        **_points(picture, picture.feasible, parameters),
        name="meets every limit",
        mode="markers",
        marker={"symbol": "circle", "size": 8, "opacity": 0.75, "color": BLUE},
    )
    figure.add_scatter(
        x=[x for x, _ in picture.steps] + [picture.x_range[1]] * bool(picture.steps),
        y=[y for _, y in picture.steps] + [y for _, y in picture.steps[-1:]],
        mode="lines",
        line={"shape": "hv", "color": GREEN, "width": 1.5},
        hoverinfo="skip",
        showlegend=False,
    )
    figure.add_scatter(
        **_points(picture, picture.front, parameters),
        name="on the front",
        mode="markers",
        marker={"symbol": "diamond", "size": 11, "color": GREEN},
        error_y=_whiskers(picture.front) if picture.y == "accuracy" else None,
    )
    _add_finalists(figure, picture.finalists)
    figure.add_scatter(
        x=[],
        y=[],
        name=SELECTED,
        mode="markers",
        hoverinfo="skip",
        showlegend=False,
        marker={"symbol": "circle-open", "size": 20, "color": PURPLE, "line": {"width": 3}},
    )
    _frame(figure, picture)
    return figure


def _add_finalists(figure: go.Figure, marks: list[Mark]) -> None:
    """Draw where training again put the finalists, each tied to where the search had seen it."""
    if not marks:
        return
    ties = [((mark.searched[0], mark.x, None), (mark.searched[1], mark.y, None)) for mark in marks]
    figure.add_scatter(
        x=[x for xs, _ in ties for x in xs],
        y=[y for _, ys in ties for y in ys],
        mode="lines",
        line={"color": BROWN, "width": 1, "dash": "dot"},
        hoverinfo="skip",
        showlegend=False,
    )
    for name, symbol, holds in _FINALISTS:
        kept = [mark for mark in marks if mark.holds == holds]
        if not kept:
            continue
        figure.add_scatter(
            x=[mark.x for mark in kept],
            y=[mark.y for mark in kept],
            customdata=[mark.finalist.trial for mark in kept],
            hovertext=[finalist_hover(mark.finalist, holds) for mark in kept],
            hovertemplate="%{hovertext}<extra></extra>",
            name=name,
            mode="markers",
            marker={
                "symbol": symbol,
                "size": 14,
                "color": ORANGE if holds else BROWN,
                "line": _stroke(BROWN, 1.2),
            },
            error_y=_between([(mark.y, mark.interval) for mark in kept], BROWN),
        )


def draw_space(first: Tradeoff, second: Tradeoff, parameters: list[str]) -> go.Figure:
    """Draw the metric two pictures share over both their costs, in three dimensions."""
    figure = go.Figure()
    groups = (
        (first.infeasible, "breaks a limit", {"symbol": "square", "size": 3, "color": VERMILLION}),
        (first.feasible, "meets every limit", {"symbol": "circle", "size": 4, "color": BLUE}),
        (first.front, "on the front", {"symbol": "diamond", "size": 5, "color": GREEN}),
    )
    for measured, name, marker in groups:
        rows = measured[measured[second.x].notna()]
        points = _points(first, rows, parameters)
        points |= {"y": [float(value) for value in rows[second.x]], "z": points["y"]}
        figure.add_scatter3d(**points, name=name, mode="markers", marker=marker)
    for name, _, holds in _FINALISTS:
        both = zip(first.finalists, second.finalists, strict=True)
        kept = [(mark, other) for mark, other in both if mark.holds == holds]
        if kept:
            figure.add_scatter3d(
                x=[mark.x for mark, _ in kept],
                y=[other.x for _, other in kept],
                z=[mark.y for mark, _ in kept],
                customdata=[mark.finalist.trial for mark, _ in kept],
                hovertext=[finalist_hover(mark.finalist, holds) for mark, _ in kept],
                hovertemplate="%{hovertext}<extra></extra>",
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
            "xaxis": {"title": _named(first), "type": _scale(first)},
            "yaxis": {"title": _named(second), "type": _scale(second)},
            "zaxis": {"title": title(first.y), "range": list(first.y_range)},
            "camera": {"eye": {"x": 1.45, "y": 1.45, "z": 0.5}, "center": {"z": -0.15}},
            "aspectmode": "cube",
        },
    )
    return figure


def _points(picture: Tradeoff, rows: pd.DataFrame, parameters: list[str]) -> dict[str, Any]:
    return {
        "x": [float(f"{value:.6g}") for value in rows[picture.x]],
        "y": [float(f"{value:.6g}") for value in rows[picture.y]],
        "customdata": [int(number) for number in rows["trial"]],
        "text": [hover(row, parameters) for row in rows.to_dict("records")],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _stroke(colour: str, width: float) -> dict[str, Any]:
    return {"color": colour, "width": width}


def _scale(picture: Tradeoff) -> str:
    return "log" if picture.x_log else "linear"


def _whiskers(rows: pd.DataFrame) -> dict[str, Any]:
    ends = zip(rows["accuracy"], rows["clips"], strict=True)
    return _between([(share, wilson(share, int(clips))) for share, clips in ends], _WHISKERS)


def _named(picture: Tradeoff) -> str:
    return title(picture.x) + (", log scale" if picture.x_log else "")


def _between(points: list[tuple[float, tuple[float, float] | None]], colour: str) -> dict[str, Any]:
    """Return whiskers from the low to the high end of each point's interval."""
    ends = [(at, *(interval or (at, at))) for at, interval in points]
    return {
        "type": "data",
        "symmetric": False,
        "array": [high - at for at, _, high in ends],
        "arrayminus": [at - low for at, low, _ in ends],
        "thickness": 1,
        "width": 0,
        "color": colour,
    }


def _frame(figure: go.Figure, picture: Tradeoff) -> None:
    """Set scales and ranges, shade what the limits allow and draw each limit as a line."""
    ends = [math.log10(end) if picture.x_log else end for end in picture.x_range]
    figure.update_xaxes(title=_named(picture), type=_scale(picture), range=ends)
    if picture.x_log:
        ticks = log_ticks(*picture.x_range)
        figure.update_xaxes(tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks])
    lower = f" ({counted(picture.below, 'trial')} below)" if picture.below else ""
    figure.update_yaxes(title=title(picture.y) + lower, range=list(picture.y_range))
    figure.update_layout(height=460, hovermode="closest", margin={"r": 62})
    region = dict(zip(("x0", "x1"), picture.x_range, strict=True))
    region |= dict(zip(("y0", "y1"), picture.y_range, strict=True))
    for side, metric, (low, high) in (
        ("x", picture.x, picture.x_range),
        ("y", picture.y, picture.y_range),
    ):
        limit = picture.limits.get(metric)
        if limit is None:
            continue
        end = f"{side}0" if limit.operator.startswith(">") else f"{side}1"
        region[end] = min(max(limit.bound, low), high)
        inside = low < limit.bound < high
        if inside:
            line = {"color": GREEN, "width": 1.5, "dash": "dash"}
            (figure.add_vline if side == "x" else figure.add_hline)(limit.bound, line=line)
        arrow = "" if inside else " →" if limit.bound >= high else " ←"
        sign = limit.operator.replace(">=", "≥").replace("<=", "≤")
        text = html.escape(f"{sign} {limit.bound:g}{arrow}")
        at = math.log10(limit.bound) if picture.x_log and side == "x" else limit.bound
        if side == "y":
            place = {"x": 1, "xref": "paper", "y": at, "xanchor": "left"}
        elif inside:
            place = {"x": at, "y": 1, "yref": "paper", "yanchor": "bottom"}
        else:
            place = {"x": 1, "xref": "paper", "y": 1, "yref": "paper", "yanchor": "bottom"}
            place |= {"xanchor": "right"}
        figure.add_annotation(text=text, showarrow=False, **place)
    figure.add_shape(
        type="rect", **region, fillcolor=GREEN, opacity=0.09, line_width=0, layer="below"
    )
