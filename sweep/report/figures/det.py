"""Misses against false alarms an hour: the DET curves of finalists, and where they work."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import plotly.graph_objects as go

from sweep.limits import Limit
from sweep.metrics import FALSE_ALARMS_PER_HOUR, METRICS
from sweep.report.figures.axes import decades
from sweep.report.theme import BLUE, BROWN, GREEN, ORANGE, PURPLE, VERMILLION
from sweep.study.finalist import Finalist
from sweep.study.listening import Curve
from sweep.study.records import StudyRecord

_ALARMS, _MISSES = FALSE_ALARMS_PER_HOUR, METRICS["miss_rate"]
_COLOURS = (BLUE, VERMILLION, PURPLE, ORANGE, BROWN)
_SHARES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98, 0.99)
_BEYOND = 20.0


@dataclass(frozen=True)
class Working:
    """A finalist where it works.

    Attributes:
        trial: the trial's number.
        holds: whether it meets every limit.
        curves: of each training the fewest misses within so many false alarms, as these grow.
        misses, alarms: the means over the trainings, each at its own threshold.
        misses_interval, alarms_interval: their 95 % intervals.
    """

    trial: int
    holds: bool
    curves: tuple[Curve, ...]
    misses: float
    alarms: float
    misses_interval: tuple[float, float]
    alarms_interval: tuple[float, float]


@dataclass(frozen=True)
class Det:
    """Detection error trade-off in a stream of test speakers.

    Attributes:
        finalists: those that were run over it.
        limits: the limit of each metric that has one, by metric.
        hours: length of the stream.
        fewest: what stands for no false alarm, and for no miss, on axes that have no zero: half
            of one.
        alarms_range, misses_range: what is shown.
    """

    finalists: tuple[Working, ...]
    limits: dict[str, Limit]
    hours: float
    fewest: tuple[float, float]
    alarms_range: tuple[float, float]
    misses_range: tuple[float, float]


def det(record: StudyRecord) -> Det | None:
    """Compute misses against false alarms; None where no finalist was run over a stream."""
    each = [one for one in record.finalists if one.listening is not None]
    if not each:
        return None
    found = tuple(_working(record, one) for one in each)
    limits = {limit.metric: limit for limit in record.space.limits}
    hours = each[0].exposures[_ALARMS.name]
    fewest = 0.5 / hours, 0.5 / max(each[0].exposures[_MISSES.name], 1.0)
    return Det(found, limits, hours, fewest, *_ranges(found, limits, fewest))


def _working(record: StudyRecord, one: Finalist) -> Working:
    return Working(
        one.trial,
        one.holds(record.space.limits),
        tuple(_fewest_misses(training.curve) for training in one.retrainings),
        one.mean(_MISSES.name),
        one.mean(_ALARMS.name),
        one.interval(_MISSES.name),
        one.interval(_ALARMS.name),
    )


def _fewest_misses(curve: Curve) -> Curve:
    """Return the points that no other has fewer misses and false alarms than."""
    kept: list[tuple[float, float]] = []
    for misses, alarms in sorted(curve, key=lambda point: (point[1], point[0])):
        if not kept or misses < kept[-1][0]:
            kept.append((misses, alarms))
    return tuple(kept)


def _ranges(
    found: Sequence[Working], limits: dict[str, Limit], fewest: tuple[float, float]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the ranges of false alarms and misses around where the finalists work."""
    alarms = [end for one in found for end in (one.alarms, *one.alarms_interval)]
    misses = [end for one in found for end in (one.misses, *one.misses_interval)]
    alarms += [limits[_ALARMS.name].bound] if _ALARMS.name in limits else []
    misses += [limits[_MISSES.name].bound] if _MISSES.name in limits else []
    least = max(min(misses) / 2, fewest[1])
    most = min(max(misses) * 1.5, 1 - fewest[1])
    return (fewest[0] / 1.15, max(max(alarms) * 4, 10 * fewest[0])), (least, max(most, 2 * least))


def draw_det(picture: Det) -> go.Figure:
    """Draw false alarms on a log axis and misses on one of normal deviates, as DET curves are.

    A cross has the intervals of where a finalist works, each training at the threshold of its own
    validation stream.
    """
    figure = go.Figure()
    for i, one in enumerate(picture.finalists):
        colour = _COLOURS[i % len(_COLOURS)]
        for curve in one.curves:
            _add_curve(figure, picture, one, curve, colour)
        _add_point(figure, picture, one, colour)
    _shade_limits(figure, picture)
    low, high = picture.alarms_range
    ticks = [tick for tick in decades(low, high) if tick > 1.9 * picture.fewest[0]]
    figure.update_xaxes(
        title=f"false alarms an hour, in {picture.hours:.3g} h",
        range=[_log(low), _log(high)],
        tickvals=[_log(picture.fewest[0]), *map(_log, ticks)],
        ticktext=["0", *(f"{tick:g}" for tick in ticks)],
    )
    low, high = picture.misses_range
    shares = [share for share in _SHARES if low <= share <= high]
    figure.update_yaxes(
        title="missed keywords",
        range=[_deviate(low), _deviate(high)],
        tickvals=[_deviate(share) for share in shares],
        ticktext=[f"{100 * share:g} %" for share in shares],
    )
    figure.update_layout(height=460, hovermode="closest", margin={"r": 62})
    return figure


def _add_curve(figure: go.Figure, picture: Det, one: Working, curve: Curve, colour: str) -> None:
    figure.add_scatter(
        x=[_rounded(_alarms(picture, alarms)) for _, alarms in curve],
        y=[_rounded(_misses(picture, misses)) for misses, _ in curve],
        mode="lines",
        line={"color": colour, "width": 1.3, "shape": "hv"},
        opacity=0.55 if len(one.curves) > 1 else 0.9,
        legendgroup=str(one.trial),
        showlegend=False,
        hoverinfo="skip",
    )


def _add_point(figure: go.Figure, picture: Det, one: Working, colour: str) -> None:
    x, y = _alarms(picture, one.alarms), _misses(picture, one.misses)
    alarms = _ALARMS.text(one.alarms, one.alarms_interval)
    misses = _MISSES.text(one.misses, one.misses_interval)
    xs = [_alarms(picture, end) for end in one.alarms_interval]
    ys = [_misses(picture, end) for end in one.misses_interval]
    figure.add_scatter(
        x=[_rounded(x)],
        y=[_rounded(y)],
        error_x=_whisker(x, xs, colour),
        error_y=_whisker(y, ys, colour),
        customdata=[one.trial],
        name=f"trial {one.trial}{'' if one.holds else ', fails'}",
        legendgroup=str(one.trial),
        mode="markers",
        marker={"symbol": "star" if one.holds else "star-open", "size": 14, "color": colour},
        hovertemplate=f"trial {one.trial}<br>{alarms}<br>{misses} missed<extra></extra>",
    )


def _whisker(at: float, ends: Sequence[float], colour: str) -> dict[str, object]:
    low, high = ends
    return {
        "type": "data",
        "symmetric": False,
        "array": [_rounded(high - at)],
        "arrayminus": [_rounded(at - low)],
        "thickness": 1.6,
        "width": 5,
        "color": colour,
    }


def _shade_limits(figure: go.Figure, picture: Det) -> None:
    """Shade what the limits allow, and draw each as a line with its bound."""
    line = {"color": GREEN, "width": 1.5, "dash": "dash"}
    region = {"x0": -_BEYOND, "x1": _BEYOND, "y0": -_BEYOND, "y1": _BEYOND}
    alarms, misses = (picture.limits.get(metric.name) for metric in (_ALARMS, _MISSES))
    if alarms:
        region["x1"] = at = _log(alarms.bound)
        figure.add_vline(at, line=line)
        place = {"x": at, "y": 1, "yref": "paper", "xanchor": "center", "yanchor": "bottom"}
        figure.add_annotation(text=f"≤ {alarms.bound:g}", showarrow=False, **place)
    if misses:
        region["y1"] = at = _misses(picture, misses.bound)
        figure.add_hline(at, line=line)
        place = {"x": 1, "xref": "paper", "y": at, "xanchor": "left", "yanchor": "middle"}
        figure.add_annotation(text=f"≤ {100 * misses.bound:g} %", showarrow=False, **place)
    if alarms or misses:
        figure.add_shape(
            type="rect", **region, fillcolor=GREEN, opacity=0.09, line_width=0, layer="below"
        )


def _alarms(picture: Det, value: float) -> float:
    return _log(max(value, picture.fewest[0]))


def _misses(picture: Det, share: float) -> float:
    fewest = picture.fewest[1]
    return _deviate(min(max(share, fewest), 1 - fewest))


def _log(value: float) -> float:
    return math.log10(value)


def _deviate(share: float) -> float:
    return NormalDist().inv_cdf(share)


def _rounded(value: float) -> float:
    return round(value, 4)
