"""The report page: one HTML file with its data embedded, or fetched from its server."""

import base64
import hashlib
import json
import os
import tempfile
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from plotly.offline import get_plotlyjs

from sweep.errors import StudyError
from sweep.report.page.record import study_data
from sweep.report.page.trials import noted_trials, trial_details
from sweep.report.theme import BRIGHTER, DARK, FONT, LIGHT
from sweep.study.records import StudyRecord
from sweep.study.table import table

_SCRIPTS = (
    "dom.js",
    "theme.js",
    "figures.js",
    "describe.js",
    "parallel.js",
    "table.js",
    "trial.js",
    "stream.js",
    "sections.js",
    "study.js",
    "studies.js",
    "main.js",
)


def render(record: StudyRecord) -> str:
    """Return the report of a study as a complete HTML page.

    The page contains style, scripts, Plotly and data; its content security policy forbids every
    request.
    """
    noted = noted_trials(record, table(record))
    data = study_data(record)
    data["details"] = {trial.number: trial_details(record, trial) for trial in noted}
    plotly = get_plotlyjs()
    return _fill(
        policy=f"{_policy(_script(), plotly)}",
        title=f"{record.name} – sweep report",
        summary=data["headline"],
        data=to_json(data),
        plotly=plotly,
    )


def served_page(title: str) -> str:
    """Return the page that fetches its data from its server."""
    return _fill(
        policy=served_policy(), title=f"{title} – sweep", data="null", plotly_address="/plotly.js"
    )


def served_policy() -> str:
    """Return a content security policy that only allows requests to the page's own server."""
    return f"{_policy(_script())} 'self'; connect-src 'self'; media-src 'self'"


def _policy(*scripts: str) -> str:
    """Return a content security policy that only allows these scripts, and no requests."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in scripts
    )
    return (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; "
        f"form-action 'none'; script-src 'unsafe-eval' {hashes}"
    )


def write(record: StudyRecord, path: Path) -> Path:
    """Write the report of a study to ``path``, atomically.

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


def to_json(content: Any) -> str:
    """Return plain values as JSON that is safe inside a script element."""
    written = json.dumps(content, allow_nan=False, separators=(",", ":"))
    return written.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")


def _fill(
    *,
    policy: str,
    title: str,
    data: str,
    summary: str = "",
    plotly: str = "",
    plotly_address: str = "",
) -> str:
    return Template(_asset("page.html")).substitute(
        policy=policy,
        title=escape(title),
        summary=escape(summary),
        style=_style(),
        look=_look(),
        data=data,
        plotly=plotly,
        plotly_address=plotly_address,
        script=_script(),
    )


@cache
def _look() -> str:
    """Return the colours of figures in both schemes as JSON."""
    themes = {"light": LIGHT, "dark": DARK}
    templates = {name: theme.template().to_plotly_json() for name, theme in themes.items()}
    return to_json({"themes": templates, "brighter": BRIGHTER})


@cache
def _style() -> str:
    """Return the style sheet, with the colours of both schemes."""
    light, dark = LIGHT.variables(), DARK.variables()
    scheme = f":root{{{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
    return scheme + Template(_asset("page.css")).substitute(font=FONT)


@cache
def _script() -> str:
    return "\n".join(_asset(name) for name in _SCRIPTS)


@cache
def _asset(name: str) -> str:
    return files("sweep.report.page").joinpath(name).read_text(encoding="utf-8")
