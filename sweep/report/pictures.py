"""Figures as PNG or SVG files, drawn by kaleido in a browser."""

import importlib
import os
import shutil
import warnings
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from sweep.errors import SweepError
from sweep.report.figures import figures
from sweep.report.theme import LIGHT
from sweep.study.records import StudyRecord

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_WIDTH, _WIDE = 1000, 1500
_PIXELS_PER_POINT = {"png": 2, "svg": 1}


def write_pictures(record: StudyRecord, suffix: str, folder: Path) -> list[Path]:
    """Write every figure of a study to its own file, in light colours.

    Args:
        record: the study.
        suffix: ``png`` or ``svg``.
        folder: the folder to write to; it is created if needed.

    Returns:
        The files, in the order of ``figures``.

    Raises:
        SweepError: if kaleido or a browser is missing or fails, or the folder cannot be written.
    """
    kaleido = _kaleido()
    browser = _browser()
    drawn = figures(record)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SweepError(f"{folder}: cannot be written: {error.strerror}") from error
    paths = [folder / f"{name}.{suffix}" for name in drawn]
    requests = [
        {"fig": _in_light_colours(figure), "path": path, "opts": _options(suffix, name, figure)}
        for (name, figure), path in zip(drawn.items(), paths, strict=True)
    ]
    try:
        # MathJax would be loaded from the network.
        kaleido.write_fig_from_object_sync(requests, kopts={"path": browser, "mathjax": False})
    except (RuntimeError, OSError, ValueError) as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise SweepError(f"{browser} did not draw the pictures: {first}") from error
    return paths


def _kaleido() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module("kaleido")
    except ImportError as error:
        raise SweepError(
            "pictures need kaleido; install it with: pip install 'tinysweep[pictures]'"
        ) from error


def _browser() -> str:
    named = os.environ.get("BROWSER_PATH")
    path = named if named is not None else next(filter(None, map(shutil.which, _BROWSERS)), None)
    if path is None or not Path(path).is_file():
        raise SweepError(
            (
                f"BROWSER_PATH is {named}, which is not a file"
                if named
                else "pictures need a browser"
            )
            + "; install chromium, or name one in BROWSER_PATH"
        )
    return path


def _in_light_colours(figure: go.Figure) -> go.Figure:
    """Return a figure in light colours, without the blank ticks that brushing needs."""
    styled = go.Figure(figure).update_layout(template=LIGHT.template())
    for trace in styled.select_traces(selector={"type": "parcoords"}):
        for axis in trace.dimensions:
            ticks = zip(axis.tickvals or (), axis.ticktext or (), strict=True)
            labelled = [(at, text) for at, text in ticks if text.strip()]
            if labelled:
                axis.tickvals, axis.ticktext = zip(*labelled, strict=True)
    return styled


def _options(suffix: str, name: str, figure: go.Figure) -> dict[str, Any]:
    width = _WIDE if name.startswith("parallel") else _WIDTH
    scale = _PIXELS_PER_POINT[suffix]
    return {"format": suffix, "width": width, "height": figure.layout.height, "scale": scale}
