"""A study as the live page shows it: computed once for all who look, and not too often."""

import math
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
    for side in ("x", "y"):
        here, there = (f["layout"].get(f"{side}axis", {}) for f in (shared, other))
        if "range" in here and "range" in there and here.get("type") == there.get("type"):
            before, after = here["range"], list(zip(here["range"], there["range"], strict=True))
            here["range"] = [min(after[0]), max(after[1])]
            _stretch(shared, side, before, here["range"], here.get("type") == "log")
    return shared


def _stretch(figure: Figure, side: str, before: list[float], after: list[float], log: bool) -> None:
    """Move the ends of shaded regions from the ends of an axis to where those are now."""
    for shape in figure["layout"].get("shapes", ()):
        for end, old, new in zip((f"{side}0", f"{side}1"), before, after, strict=True):
            at, to = (10**old, 10**new) if log else (old, new)
            if shape.get("type") == "rect" and math.isclose(shape[end], at, rel_tol=1e-9):
                shape[end] = to
