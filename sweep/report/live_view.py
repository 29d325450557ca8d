"""A study as the live page shows it: computed once for all who look, and not too often."""

import threading
import time
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from sweep.report.figures import figures
from sweep.report.frame import trial_frame
from sweep.study.table import StudyRecord
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
    return View(str(time.time_ns()), record, trial_frame(record), drawn)


def plain_figure(figure: go.Figure) -> Figure:
    """Return a figure as plain values without the template, which the browser chooses."""
    plain: Figure = figure.to_plotly_json()
    plain["layout"].pop("template", None)
    return plain


def side_by_side(mine: Figure, other: Figure) -> Figure:
    """Return a figure with axes wide enough for what another one shows, so that both compare."""
    shared = deepcopy(mine)
    for axis in ("xaxis", "yaxis"):
        here, there = shared["layout"].get(axis, {}), other["layout"].get(axis, {})
        if "range" in here and "range" in there and here.get("type") == there.get("type"):
            low = min(here["range"][0], there["range"][0])
            here["range"] = [low, max(here["range"][1], there["range"][1])]
    return shared
