"""Print studies and recordings in the terminal."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from textwrap import indent
from typing import Any

import pandas as pd
import yaml
from rich.console import Console
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sweep import format
from sweep.audio.check import FolderReport
from sweep.audio.confounds import Finding
from sweep.audio.dataset import Dataset
from sweep.audio.layout import SUFFIXES, clip_of
from sweep.audio.splits import SPLITS
from sweep.errors import visible
from sweep.format import describe_candidate, plain
from sweep.metrics import Metric
from sweep.study.finalist_table import finalist_table, streams_table
from sweep.study.records import StudyRecord
from sweep.study.summary import (
    finalists_verdict,
    headline,
    interval,
    limit_counts,
    nearest_misses,
    warnings,
)
from sweep.study.table import failures, front, table

_PLAIN_WIDTH = 240
_NEAREST = 5
_ANY_WIDTH = 10_000
_LISTED = 5
BEYOND = "beyond full scale, scaled"


def console(stderr: bool = False) -> Console:
    """Return a console without markup; not a terminal, it is wide enough for every listing."""
    made = _Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    if not made.is_terminal:
        made = _Console(
            stderr=stderr, markup=False, highlight=False, emoji=False, width=_PLAIN_WIDTH
        )
    return made


class _Console(Console):
    """A console that escapes control characters in names."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a string as Rich prints it."""
        return super().render_str(visible(text), **options)


def describe_dataset(study: str, dataset: Dataset, workers: int, scheduler: str | None) -> str:
    """Return the data set and the workers of a sweep in a line, then its skipped recordings."""
    counts = " / ".join(str(count) for count in dataset.counts.values())
    split, speakers = dataset.spec.split, dataset.speakers
    by_speaker = "speaker-disjoint" if speakers.disjoint else "split by recording"
    how = {"speaker": by_speaker, "folders": "split by folder"}
    place = scheduler or f"{workers} worker{'s' if workers > 1 else ''}"
    rule = how[split] if isinstance(split, str) else "split by lists"
    words, length = ", ".join(dataset.labels), f"{dataset.clip_length_in_s:g} s"
    lines = [f"{study}: {words}; {counts} clips of {length}, {rule}; {place}"]
    lines += dataset.spec.none_of_these
    of_others = dataset.spec.unknown.caution if dataset.spec.unknown else ""
    balance = dataset.balance("validation")
    lines += filter(None, [of_others, speakers.caution, balance.caution])
    every = (name for names in dataset.listed.values() for name in names)
    if split == "speaker" and any(clip_of(name, dataset.spec.label_from).split for name in every):
        lines.append("split: speaker ignores folders named after splits; use split: folders")
    if dataset.noted:
        lines += [f"{BEYOND}: {len(dataset.noted)}", *shortened(dataset.noted)]
    return "\n".join(lines + left_out(dataset.skipped))


def warning(finding: Finding) -> str:
    """Return a finding about confounded recordings, in a line."""
    return f"confounded: {finding}"


def left_out(skipped: Sequence[str]) -> list[str]:
    """Return the number of skipped recordings and the first of them; no lines for none."""
    if not skipped:
        return []
    return [f"skipped unreadable recordings: {len(skipped)}", *shortened(skipped)]


def shortened(names: Sequence[str]) -> list[str]:
    """Return the first of some names, indented, and how many more there are."""
    lines = [f"  {name}" for name in names[:_LISTED]]
    if len(names) > _LISTED:
        lines.append(f"  ... and {len(names) - _LISTED} more; sweep data check --json lists all")
    return lines


def status_facts(record: StudyRecord) -> dict[str, Any]:
    """Return the status of a study, as plain values."""
    frame = table(record)
    feasible = frame[frame["outcome"] == "feasible"]
    objectives = dict(record.space.file.objectives)
    best = front(feasible, objectives) if len(feasible) else feasible
    columns = ["trial", "variant", *record.space.named_metrics]
    return {
        "study": record.name,
        "verdict": headline(record, frame),
        "funnel": record.funnel(),
        "limits": {
            str(count.limit): {
                "measured": count.measured,
                "failed": count.failed,
                "binds": count.binds,
            }
            for count in limit_counts(record)
        },
        "warnings": [asdict(one) for one in warnings(record, frame)],
        "front": _plain(best[columns]),
        "nearest_misses": _plain(nearest_misses(frame)[columns].head(_NEAREST)),
    }


def _plain(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as plain JSON values, with null for unknown ones."""
    rows: list[dict[str, Any]] = json.loads(frame.to_json(orient="records", double_precision=15))
    return rows


def print_front(out: Console, record: StudyRecord) -> None:
    """Print the verdict and the Pareto front of the feasible trials, or the nearest misses."""
    frame = table(record)
    out.print(headline(record, frame))
    for one in warnings(record, frame):
        out.print(f"warning: {one.text} {one.advice}".rstrip())
    feasible = frame[frame["outcome"] == "feasible"]
    if feasible.empty:
        missed = nearest_misses(frame).head(_NEAREST)
        metrics = [limit.metric for limit in record.space.limits]
        print_trials(out, record, missed, "The nearest misses", metrics)
        return
    best = front(feasible, dict(record.space.file.objectives))
    print_trials(out, record, best, "The front")


def print_trials(
    out: Console,
    record: StudyRecord,
    frame: pd.DataFrame,
    title: str,
    more_metrics: Iterable[str] = (),
) -> None:
    """Print a line a trial: number, outcome, the metrics of limits and objectives, in words.

    The words go below the numbers where the terminal is too narrow for both.
    """
    if frame.empty:
        return
    metrics = list(dict.fromkeys([*record.space.named_metrics, *more_metrics]))
    of = record.space.metrics
    trials = [{str(name): value for name, value in t.items()} for t in frame.to_dict("records")]
    cells = [["trial", "outcome", *metrics]]
    cells += [[str(t["trial"]), t["outcome"], *(_cell(of[m], t) for m in metrics)] for t in trials]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    descriptions = ["candidate", *map(describe_candidate, trials)]
    beside = sum(widths) + 2 * len(widths) + max(map(len, descriptions)) <= out.width
    out.print(title)
    for row, description in zip(cells, descriptions, strict=True):
        numbers = "  ".join(
            cell.ljust(width) if i == 1 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        if beside:
            out.print(f"{numbers}  {description}")
            continue
        out.print(numbers)
        if row is not cells[0]:
            out.print(Padding(description, (0, 0, 0, widths[0] + 2), expand=False))


def print_failures(out: Console, record: StudyRecord) -> None:
    """Print the failed trials, each with its traceback."""
    found = failures(record)
    for failure in found:
        out.print(f"trial {failure['trial']}: {failure['reason']}")
        out.print(indent(failure["traceback"].rstrip(), "  "), soft_wrap=True)
    if not found:
        out.print("no trial failed")


def print_finalists(out: Console, record: StudyRecord) -> None:
    """Print the tables of finalists and the verdict."""
    for found in filter(None, (finalist_table(record), streams_table(record))):
        _print_table(out, found)
    out.print(finalists_verdict(record))


def _print_table(out: Console, found: format.Table) -> None:
    """Print a table of texts, as pairs where the terminal is too narrow."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in found.head:
        table.add_column(column, justify="right")
    for row in found.rows:
        table.add_row(*row)
    out.print(found.title)
    if Measurement.get(out, out.options.update(width=_ANY_WIDTH), table).maximum <= out.width:
        out.print(table)
        return
    for row in found.rows:
        print_pairs(out, zip(found.head, row, strict=True))
        out.print()


def print_pairs(out: Console, pairs: Iterable[tuple[str, Any]]) -> None:
    """Print names and values in columns; a value may be a mapping. Skip empty ones."""
    table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name, value in pairs:
        rows = value.items() if isinstance(value, Mapping) else [("", value)]
        filled = [(inner, content) for inner, content in rows if content not in ([], {})]
        for i, (inner, content) in enumerate(filled):
            table.add_row("" if i else str(name), str(inner), plain(content))
    out.print(table)


def print_plugins(out: Console, found: Iterable[Mapping[str, str]]) -> None:
    """Print the plugins that a search-space file can name."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("kind", "name", "origin"):
        table.add_column(column, overflow="fold")
    for plugin in found:
        table.add_row(plugin["kind"], plugin["name"], plugin["origin"])
    out.print(table)


def print_parameters(out: Console, facts: Iterable[Mapping[str, Any]]) -> None:
    """Print the parameters of a search-space file."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("parameter", "default", "values", "meaning"):
        table.add_column(column, overflow="fold", no_wrap=column == "parameter")
    for fact in facts:
        default = yaml.safe_dump(fact["default"], default_flow_style=True).partition("\n")[0]
        table.add_row(fact["parameter"], default, fact["values"], fact["meaning"])
    out.print(table)


def print_folder(out: Console, found: FolderReport) -> None:
    """Print the content of a folder of recordings."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("label", "clips", "speakers", *SPLITS, "shortest", "median", "longest"):
        table.add_column(column, justify="left" if column == "label" else "right")
    for label in found.labels:
        lengths = (label.shortest_in_s, label.median_in_s, label.longest_in_s)
        counts = map(str, (label.clips, label.speakers, *label.splits.values()))
        table.add_row(label.label, *counts, *(f"{s:.2f} s" for s in lengths))
    out.print(table)
    rates = ", ".join(f"{rate} Hz" for rate in found.sample_rates)
    noises = f"{found.noises} background recording{'' if found.noises == 1 else 's'}"
    out.print(f"{found.clips} clips at {rates or 'no rate'}; {noises}")
    for line in (*found.advice, *map(warning, found.findings)):
        out.print(line)
    for caution in filter(None, [found.speakers.caution, found.balance.caution]):
        out.print(caution)
    for what, names in (
        ("silent", found.silent),
        ("repeated", tuple(" = ".join(group) for group in found.repeated)),
        ("unreadable", found.unreadable),
    ):
        out.print(f"{what}: {len(names)}")
        for line in shortened(names):
            out.print(line)
    if found.noted:
        out.print(f"{BEYOND}: {len(found.noted)}")
        for line in shortened(found.noted):
            out.print(line)
    if found.reserved:
        folders = ", ".join(f"{name} ({count})" for name, count in found.reserved.items())
        out.print(f"not words (folders that begin with _): {folders}")
    if found.passed_over:
        suffixes = ", ".join(SUFFIXES)
        out.print(f"ignored (not {suffixes}, or too deep): {len(found.passed_over)}")
        for line in shortened(found.passed_over):
            out.print(line)


def _cell(metric: Metric, row: Mapping[str, Any]) -> str:
    value = row[metric.name]
    if value is None or math.isnan(value):
        return "-"
    ends = interval(row, metric)
    return plain(float(value)) if ends is None else metric.text(value, ends)
