"""What the live page says of a study and changes as trials end: words, picks, latest trials."""

from collections.abc import Container, Sequence
from typing import Any
from urllib.parse import quote

import pandas as pd
from dash import html
from dash.development.base_component import Component

from sweep.report import hold, markup
from sweep.report.edges import edges
from sweep.report.finalist import again
from sweep.report.live_markup import to_components
from sweep.report.live_view import View
from sweep.report.tables import finalist_table, miss_table
from sweep.report.tradeoff import prices
from sweep.report.verdict import caution, effort, headline, limit_counts, nearest_misses, picks
from sweep.report.words import accuracy, amount, summary
from sweep.study.table import StudyRecord

_LATEST = 6

Pieces = list[Component | str]


def address(study: str, trial: object = None) -> str:
    """Return the address of the page of a study, or of one of its trials."""
    return f"/study/{quote(study)}" + ("" if trial is None else f"/trial/{trial}")


def head(view: View) -> Pieces:
    """Return the answer in words: did it work, how do the limits fare, what became of trials."""
    record, frame, spent = view.record, view.frame, effort(view.record)
    last = max((trial.finished for trial in record.trials), default=None)
    since = f"last trial ended {last:%H:%M:%S} on {last:%Y-%m-%d}" if last else "waiting"
    report = html.A("Full report", href=f"{address(record.name)}/report.html")
    words = f" {', '.join(record.space.file.dataset.labels)} · {since} · "
    return [
        html.P(["Sweep of ", html.B(record.name), html.Span([words, report], className="quiet")]),
        html.H1(headline(record, frame)),
        html.P(caution(record, frame), className="quiet"),
        html.Ul(_pieces(record, markup.chips(limit_counts(record))), className="chips"),
        html.Ol(_pieces(record, markup.funnel(record, spent)), className="funnel"),
        html.P(markup.effort(spent), className="quiet"),
    ]


def take(view: View) -> Pieces:
    """Return what to take, or what came nearest."""
    record, frame = view.record, view.frame
    found = picks(record, frame)
    misses = miss_table(record, nearest_misses(frame))
    heading = "What to take" if found or frame.empty else "The nearest misses"
    return [html.H2(heading), *_pieces(record, markup.take(record, found, misses))]


def finalists(view: View) -> Pieces:
    """Return what became of the finalists, or how to have some."""
    if not view.record.funnel()["feasible"]:
        return []
    told = hold.verdict(view.record, finalist_table(view.record))
    return [html.H2(hold.TITLE), *_pieces(view.record, told)]


def worst(record: StudyRecord, chosen: str | None, audible: Container[str]) -> list[Component]:
    """Return the test clips that a finalist hears worst."""
    found = [again(one) for one in record.finalists if str(one.trial) == chosen]
    if not found or not found[0].worst:
        return []
    clips = [(name, f"{times} of {found[0].seeds}") for name, times in found[0].worst]
    place = f"{address(record.name)}/finalist/{chosen}/clip"
    return [html.H3(hold.WORST), *clip_list(place, clips, audible)]


def price_list(view: View) -> Pieces:
    """Return what each level of accuracy costs."""
    return _pieces(view.record, markup.prices(prices(view.record, view.frame)))


def warnings(view: View) -> Pieces:
    """Return where the best trials press against the end of a range."""
    found = edges(view.record, view.frame)
    return _pieces(view.record, markup.edges(found))


def latest(view: View) -> Component:
    """Return the trials that ended last as a table, each with a link to its page."""
    tried = view.frame[view.frame["outcome"] != "invalid"]
    rows = tried.sort_values("finished", ascending=False, kind="stable").head(_LATEST)
    if rows.empty:
        return html.P("None has yet.", className="quiet")
    head_cells = ("trial", "outcome", "accuracy", "size", "latency", "what it is")
    body = [_trial_row(view.record.name, row) for row in rows.to_dict("records")]
    table = html.Table([html.Thead(row_of(html.Th, head_cells)), html.Tbody(body)])
    return scrolled(table, "the trials that ended last", "latest")


def _trial_row(study: str, row: dict[Any, Any]) -> Component:
    def known(metric: str, text: str) -> str:
        return "–" if pd.isna(row[metric]) else text

    link = html.A(str(row["trial"]), href=address(study, row["trial"]))
    outcome = [row["outcome"], *([html.Small(row["reason"])] if row["reason"] else [])]
    cells = (
        known("accuracy", accuracy(row["accuracy"], int(row["clips"]))),
        known("size_kb", amount("size_kb", row["size_kb"])),
        known("latency_ms", amount("latency_ms", row["latency_ms"])),
        summary(row),
    )
    return html.Tr([html.Td(link), html.Td(outcome), *(html.Td(cell) for cell in cells)])


def clip_list(
    place: str, clips: Sequence[tuple[str, str]], audible: Container[str]
) -> list[Component]:
    """Return clips by name, each with a note and, where it can be played, its sound.

    Args:
        place: the address below which they are served, by their position in the list.
        clips: name and note of each.
        audible: the recordings that can be played, by name.
    """
    items = []
    for i, (name, note) in enumerate(clips):
        pieces: Pieces = [html.Span(name), " ", html.Small(note)]
        if name in audible:
            sound = html.Audio(src=f"{place}/{i}", controls=True, preload="none", title=name)
            pieces.append(sound)
        items.append(html.Li(pieces))
    absent = html.P("The recordings are not on this machine.", className="quiet")
    heard = any(name in audible for name, _ in clips)
    return [html.Ol(items, className="clips"), *([] if heard else [absent])]


def scrolled(table: Component, label: str, kind: str = "") -> Component:
    """Return a table that may be wider than the page, for the keyboard to reach and move."""
    named = {"role": "region", "aria-label": label}
    return html.Div(table, className=f"scroll {kind}".strip(), tabIndex=0, **named)


def row_of(cell: type[Component], texts: Sequence[str]) -> Component:
    """Return a row of a table."""
    scope = {"scope": "col"} if cell is html.Th else {}
    return html.Tr([cell(text, **scope) for text in texts])


def _pieces(record: StudyRecord, text: str) -> Pieces:
    return to_components(text, lambda trial: address(record.name, trial))
