"""The report: one HTML file that holds all it shows and asks the network for nothing."""

import base64
import hashlib
import json
import os
import tempfile
from collections.abc import Container
from dataclasses import asdict
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

import pandas as pd
from plotly.offline import get_plotlyjs

from sweep.errors import StudyError
from sweep.report import hold, markup
from sweep.report.closeups import closeups
from sweep.report.edges import edges
from sweep.report.figures import figures
from sweep.report.finalist import again
from sweep.report.importance import importance
from sweep.report.parallel import SHOWN
from sweep.report.progress import progress
from sweep.report.slices import columns
from sweep.report.tables import finalist_table, miss_table, published_tables, table_rows
from sweep.report.theme import BRIGHTER, DARK, FONT, LIGHT
from sweep.report.tradeoff import goals, prices
from sweep.report.verdict import caution, effort, headline, limit_counts, nearest_misses, picks
from sweep.study.table import StudyRecord, table

_SCRIPTS = (
    "state.js",
    "look.js",
    "plots.js",
    "brush.js",
    "parallel.js",
    "table.js",
    "finalists.js",
    "closeup.js",
    "page.js",
)


def render(record: StudyRecord, audible: Container[str] = ()) -> str:
    """Return the report of a study as a complete HTML page.

    The page needs nothing else: style, scripts, Plotly and data are inside, and its content
    security policy forbids every request.

    Args:
        record: the study.
        audible: the recordings that a server of the page plays, by name.
    """
    frame = table(record)
    goal, costs = goals(record)
    found, spent = picks(record, frame), effort(record)
    script, plotly = _script(), get_plotlyjs()
    return Template(asset("page.html")).substitute(
        policy=_policy(plotly, script, sounds=audible != ()),
        name=escape(record.name),
        labels=markup.labels(record),
        style=style(),
        headline=escape(headline(record, frame)),
        caution=escape(caution(record, frame)),
        chips=markup.chips(limit_counts(record)),
        funnel=markup.funnel(record, spent),
        effort=markup.effort(spent),
        take_title="What to take" if found or frame.empty else "The nearest misses",
        take=markup.take(record, found, miss_table(record, nearest_misses(frame))),
        hold=_hold(record) if found else "",
        fronts=markup.fronts(goal, costs),
        space=markup.space() if len(costs) > 1 else "",
        prices=markup.prices(prices(record, frame)),
        edges=markup.edges(edges(record, frame)),
        matters=markup.matters(importance(record, frame).parameters, [goal, *costs]),
        shown=markup.radios("show", SHOWN, first_shown(frame)),
        goal=escape(goal),
        volume=markup.volume(progress(record, frame)) if found else "",
        tables="".join(markup.table(one) for one in published_tables(record, frame)),
        foot=markup.foot(record),
        data=_data(record, frame, audible),
        plotly=plotly,
        script=script,
    )


def write(record: StudyRecord, path: Path) -> Path:
    """Write the report of a study to ``path``, all of it or nothing.

    Raises:
        StudyError: if it cannot be written.
    """
    page = render(record)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(page)
            os.chmod(scratch, 0o644)
            os.replace(scratch, path)
        finally:
            Path(scratch).unlink(missing_ok=True)
    except OSError as error:
        raise StudyError(f"{path}: cannot be written: {error.strerror or error}") from error
    return path


def _data(record: StudyRecord, frame: pd.DataFrame, audible: Container[str]) -> str:
    """Return everything the scripts need as JSON that can stand inside a script element."""
    drawn = {name: figure.to_plotly_json() for name, figure in figures(record).items()}
    hovers: dict[int, str] = {}
    for figure in drawn.values():
        figure["layout"].pop("template", None)
        for trace in figure["data"]:
            if "customdata" in trace and trace["type"] in ("scatter", "scatter3d"):
                hovers |= dict(zip(trace["customdata"], trace.pop("text", ()), strict=False))
    looks = closeups(record, frame)
    chosen = [again(one) for one in record.finalists]
    clips = [name for look in looks.values() for name in look.mistakes]
    clips += [name for one in chosen for name, _ in one.worst]
    content = {
        "figures": drawn,
        "hovers": hovers,
        "sides": columns(record, frame),
        "themes": {
            "light": LIGHT.template().to_plotly_json(),
            "dark": DARK.template().to_plotly_json(),
        },
        "brighter": BRIGHTER,
        "shown": SHOWN,
        **table_rows(record, frame),
        "closeups": {number: asdict(look) for number, look in looks.items()},
        "finalists": [{"trial": o.trial, "seeds": o.seeds, "worst": o.worst} for o in chosen],
        "audible": [name for name in dict.fromkeys(clips) if name in audible],
        "labels": record.space.file.dataset.labels,
        "export": f"sweep export {record.argument}",
    }
    written = json.dumps(content, allow_nan=False, separators=(",", ":"))
    return written.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")


def _hold(record: StudyRecord) -> str:
    inside = hold.verdict(record, finalist_table(record)) + hold.places(record)
    return f'<section aria-labelledby="hold"><h2 id="hold">{hold.TITLE}</h2>{inside}</section>'


def first_shown(frame: pd.DataFrame) -> str:
    """Return the narrowest choice of trials that shows something."""
    return next(
        (show for show, kinds in SHOWN.items() if frame["outcome"].isin(kinds).any()), "all"
    )


def style() -> str:
    """Return the style sheet of every page, with the colours of both schemes."""
    light, dark = LIGHT.variables(), DARK.variables()
    scheme = f":root{{{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
    return scheme + Template(asset("page.css")).substitute(font=FONT)


@cache
def _script() -> str:
    return "\n".join(asset(name) for name in _SCRIPTS)


@cache
def asset(name: str) -> str:
    """Return a style sheet, a script or a template of this package."""
    return files("sweep.report").joinpath(name).read_text(encoding="utf-8")


def _policy(*scripts: str, sounds: bool) -> str:
    """Return a content security policy under which only these scripts run and nothing loads.

    With ``sounds``, clips are played from where the page is served.
    """
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in scripts
    )
    media = "media-src 'self'; " if sounds else ""
    return (
        f"default-src 'none'; script-src {hashes} 'unsafe-eval'; style-src 'unsafe-inline'; "
        f"img-src data: blob:; {media}base-uri 'none'; form-action 'none'"
    )
