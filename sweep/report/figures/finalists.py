"""A finalist in detail: training curves, confusion matrix, misclassified clips."""

import html
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from sweep.report.theme import BLUE
from sweep.study.finalist import Finalist

_WORST = 24


@dataclass(frozen=True)
class Retrained:
    """The trainings of a finalist, combined.

    Attributes:
        trial: the trial's number.
        seeds: number of trainings.
        losses, accuracies: training loss and validation accuracy after each epoch, by training.
        confusion: test clips by true label (rows) and prediction (columns), over all trainings.
        worst: misclassified test clips with the number of trainings that misclassified them,
            sorted by that, then by confidence; at most 24.
    """

    trial: int
    seeds: int
    losses: tuple[tuple[float, ...], ...]
    accuracies: tuple[tuple[float, ...], ...]
    confusion: tuple[tuple[int, ...], ...]
    worst: tuple[tuple[str, int], ...]


def retrained(finalist: Finalist) -> Retrained:
    """Combine the trainings of a finalist."""
    each = finalist.retrainings
    counts = [np.array(one.confusion) for one in each if one.confusion]
    total = np.sum(counts, axis=0).tolist() if counts else []
    return Retrained(
        finalist.trial,
        len(each),
        tuple(one.losses for one in each),
        tuple(one.accuracies for one in each),
        tuple(tuple(row) for row in total),
        _worst([one.mistakes for one in each]),
    )


def _worst(mistakes: Sequence[Sequence[str]]) -> tuple[tuple[str, int], ...]:
    times = Counter(name for names in mistakes for name in names)
    places: dict[str, list[float]] = defaultdict(list)
    for names in mistakes:
        for place, name in enumerate(names):
            places[name].append(place / len(names))
    order = sorted(times, key=lambda name: (-times[name], np.mean(places[name]), name))
    return tuple((name, times[name]) for name in order[:_WORST])


def draw_curves(
    accuracies: Sequence[Sequence[float]], losses: Sequence[Sequence[float]]
) -> go.Figure:
    """Draw validation accuracy and training loss over epochs: each training, and their mean."""
    names = ("validation accuracy", "training loss")
    figure = make_subplots(
        rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.16, subplot_titles=names
    )
    for row, curves in enumerate((accuracies, losses), start=1):
        several = len(curves) > 1
        for curve in curves:
            _add_curve(figure, row, curve, 1 if several else 2, 0.4 if several else 1)
        if several:
            ends = min(len(curve) for curve in curves)
            mean = np.mean([curve[:ends] for curve in curves], axis=0).tolist()
            _add_curve(figure, row, mean, 2.5, 1)
    figure.update_annotations(x=0, xanchor="left", font={"size": 13})
    figure.update_xaxes(title="epoch", row=2, col=1)
    figure.update_yaxes(nticks=5)
    figure.update_layout(height=360, showlegend=False, margin={"t": 34, "b": 50})
    return figure


def _add_curve(
    figure: go.Figure, row: int, values: Sequence[float], width: float, opacity: float
) -> None:
    figure.add_scatter(
        x=list(range(1, len(values) + 1)),
        y=[float(f"{value:.5g}") if math.isfinite(value) else None for value in values],
        row=row,
        col=1,
        mode="lines" if len(values) > 1 else "markers",
        line={"color": BLUE, "width": width},
        opacity=opacity,
        hovertemplate="epoch %{x}: %{y:.4~g}<extra></extra>",
    )


def draw_confusion(counts: Sequence[Sequence[int]], labels: Sequence[str]) -> go.Figure:
    """Draw how many clips of each label (rows) were predicted as each (columns), by share."""
    shares = [[count / (sum(row) or 1) for count in row] for row in counts]
    texts = [
        [f"{count:,}<br>{share:.1%}" for count, share in zip(row, part, strict=True)]
        for row, part in zip(counts, shares, strict=True)
    ]
    places = list(range(len(labels)))
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=places,
            y=places,
            text=texts,
            texttemplate="%{text}",
            hoverinfo="skip",
            zmin=0,
            zmax=1,
            showscale=False,
            xgap=3,
            ygap=3,
        )
    )
    ticks = {
        "tickvals": places,
        "ticktext": [html.escape(label, quote=False) for label in labels],
        "ticks": "",
    }
    ticks |= {"showgrid": False, "fixedrange": True}
    figure.update_layout(
        height=max(260, min(620, 110 + 70 * len(labels))),
        xaxis={"side": "top", "title": "predicted", **ticks},
        yaxis={"autorange": "reversed", "title": "label", **ticks},
        margin={"t": 60, "b": 10},
    )
    return figure
