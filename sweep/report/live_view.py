"""A study as the live page shows it: computed once for all who look, and not too often."""

import threading
import time
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from sweep.report.figures import figures, told_of
from sweep.report.tradeoff import goals, tradeoff
from sweep.report.tradeoff_figure import draw_tradeoff
from sweep.study.table import StudyRecord, table
from sweep.study.watching import Shelf

_REST = 2.0

Figure = dict[str, Any]
"""A Plotly figure as plain values, its colours of text and paper left to the browser."""


@dataclass(frozen=True)
class View:
    """A study and its figures at one moment; ``version`` differs from one moment to the next."""

    version: str
    record: StudyRecord
    frame: pd.DataFrame
    figures: dict[str, Figure]


class Gallery:
    """The views of all studies, drawn anew when a trial has ended.

    After drawing, a study is left alone for twice as long as that took: drawing takes a third of a
    core at most from the sweep that runs beside it.
    """

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self._views: dict[str, View] = {}
        self._rested: dict[str, float] = {}
        self._lock = threading.Lock()

    def view(self, name: str) -> View:
        """Return a study as it stands, or stood a moment ago.

        Raises:
            StudyError: if it is gone or cannot be read.
        """
        with self._lock:
            begin = time.monotonic()
            old = self._views.get(name)
            if old is not None and begin < self._rested[name]:
                return old
            record = self.shelf.study(name).record()
            if old is not None and old.record is record:
                return old
            self._views[name] = _view(record)
            end = time.monotonic()
            self._rested[name] = end + _REST * (end - begin)
            return self._views[name]


def _view(record: StudyRecord) -> View:
    drawn = {name: plain_figure(figure) for name, figure in figures(record).items()}
    return View(str(time.time_ns()), record, table(record), drawn)


def plain_figure(figure: go.Figure) -> Figure:
    """Return a figure as plain values without the template, which the browser chooses."""
    plain: Figure = figure.to_plotly_json()
    plain["layout"].pop("template", None)
    return plain


def side_by_side(mine: View, other: View) -> dict[str, Figure]:
    """Draw a study's pictures of goal against cost on axes that also hold what another one shows.

    The costs are those that both studies look at; where only one is on a log axis, they stay apart.
    """
    goal, costs = goals(mine.record)
    other_goal, other_costs = goals(other.record)
    shared = {}
    for cost in [cost for cost in costs if cost in other_costs and goal == other_goal]:
        here, there = (tradeoff(v.record, v.frame, cost, goal) for v in (mine, other))
        if here.x_log == there.x_log:
            wider = replace(
                here,
                x_range=_over(here.x_range, there.x_range),
                y_range=_over(here.y_range, there.y_range),
            )
            shared[f"front-{cost}"] = plain_figure(draw_tradeoff(wider, told_of(mine.record)))
    return shared


def _over(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return min(one[0], other[0]), max(one[1], other[1])
