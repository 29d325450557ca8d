"""All data of a study's page, as one record of plain values."""

from collections.abc import Container
from dataclasses import asdict
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from sweep.audio.streams import is_kept
from sweep.format import (
    Table,
    counted,
    describe_candidate,
    duration,
    metric_title,
    short_title,
)
from sweep.report.figures import figures
from sweep.report.figures.finalists import retrained
from sweep.report.figures.importance import importance
from sweep.report.figures.parallel import SHOWN
from sweep.report.figures.progress import describe_volume, search_history
from sweep.report.figures.slices import columns
from sweep.report.figures.timeline import timeline
from sweep.report.figures.tradeoff import prices
from sweep.report.page.trials import clips, trial_rows
from sweep.report.published import published_tables
from sweep.study import summary
from sweep.study.finalist import Finalist
from sweep.study.finalist_table import LEGEND, describe_finalist, finalist_table, streams_table
from sweep.study.records import StudyRecord
from sweep.study.table import table

_LATEST = 6


def study_data(record: StudyRecord, playable: Container[str] = ()) -> dict[str, Any]:
    """Return the record of a study that the page draws.

    Args:
        record: the study.
        playable: the recordings that the page can play, by name.
    """
    frame = table(record)
    goal, costs = summary.goals(record.space)
    varying = bool(record.space.distributions)
    return {
        "name": record.name,
        "labels": record.space.file.dataset.outputs,
        "command": record.argument,
        "headline": summary.headline(record, frame),
        "caution": summary.caution(record, frame),
        "warnings": [asdict(one) for one in summary.warnings(record, frame)],
        "limits": [
            {"limit": str(one.limit), "text": str(one), "binds": one.binds}
            for one in summary.limit_counts(record)
        ],
        **_effort(record),
        "picks": [asdict(one) for one in summary.picks(record, frame)],
        "misses": _misses(record, frame),
        "finalists": _finalists(record, playable),
        "goal": {"name": goal.name, "title": metric_title(goal)},
        "costs": [{"name": one.name, "title": metric_title(one)} for one in costs],
        "prices": _plain(prices(record, frame)),
        "latest": _latest(frame),
        "matters": importance(record, frame).parameters if varying else [],
        "volume": describe_volume(search_history(record, frame)) if len(frame) else "",
        "shown": SHOWN,
        "sides": columns(record, frame),
        "figures": {name: plain_figure(one) for name, one in figures(record).items()},
        **trial_rows(record, frame),
        "published": [_plain(one) for one in published_tables(record, frame)],
        "about": _about(record),
        "space": record.space.text(),
    }


def plain_figure(figure: go.Figure) -> dict[str, Any]:
    """Return a figure as plain values without the template, which the browser chooses."""
    plain: dict[str, Any] = figure.to_plotly_json()
    plain["layout"].pop("template", None)
    return plain


def _plain(content: Table | None) -> dict[str, Any] | None:
    return None if content is None else asdict(content)


def _effort(record: StudyRecord) -> dict[str, Any]:
    """Return the number of trials by outcome, and the training time spent and saved."""
    spent = summary.effort(record)
    counts = {"suggested": len(record.trials)}
    counts |= {name: n for name, n in record.funnel().items() if name != "failed" or n}
    notes = {
        name: f"saved about {duration(seconds)}" for name, seconds in spent.saved.items() if seconds
    }
    if record.finalists:
        counts["confirmed"] = len(record.confirmed())
        notes["confirmed"] = f"of {counted(len(record.finalists), 'finalist')}"
    saved = sum(spent.saved.values())
    less = f"; gating and stopping early saved about {duration(saved)}" if saved else ""
    took = f"Training took {duration(spent.spent)} in all{less}."
    return {
        "funnel": [
            {"name": name, "count": count, "note": notes.get(name, "")}
            for name, count in counts.items()
        ],
        "effort": took if spent.spent or saved else "",
    }


def _misses(record: StudyRecord, frame: pd.DataFrame) -> dict[str, Any] | None:
    """Return the trials nearest to feasible, with their metrics that have limits."""
    limits = record.space.limits
    rows = tuple(
        (
            str(row["trial"]),
            row["outcome"],
            *(record.space.metrics[one.metric].text(row[one.metric]) for one in limits),
            describe_candidate(row),
        )
        for row in summary.nearest_misses(frame).to_dict("records")
    )
    head = ("trial", "outcome", *map(str, limits), "candidate")
    return _plain(Table("What came closest", head, rows)) if rows else None


def _finalists(record: StudyRecord, playable: Container[str]) -> dict[str, Any]:
    """Return the table of finalists and the details of each."""
    each = []
    for one in record.finalists:
        found = retrained(one)
        names = [name for name, _ in found.worst]
        notes = [f"{times} of {found.seeds}" for _, times in found.worst]
        each.append(
            {
                "trial": one.trial,
                "holds": one.holds(record.space.limits),
                "told": describe_finalist(one, record),
                "worst": clips(names, playable, notes),
                "moments": _moments(one, record),
            }
        )
    folds = [one.validated.clips for one in record.finalists if one.validated]
    validated = (
        f" Cross-validated: the accuracy on all {max(folds)} clips for training and validation, "
        "each predicted by a network trained without its fold; the interval includes the variation "
        "between folds."
        if folds
        else ""
    )
    return {
        "verdict": summary.finalists_verdict(record),
        "table": _plain(finalist_table(record)),
        "streams": _plain(streams_table(record)),
        "legend": LEGEND + validated,
        "each": each,
    }


def _moments(one: Finalist, record: StudyRecord) -> dict[str, Any] | None:
    """Return false alarms and misses of a finalist's first training; None without a stream."""
    if one.listening is None:
        return None
    dataset = record.space.file.dataset
    line = timeline(one.listening, dataset.labels, dataset.label_from)
    return {
        "false_alarms": [asdict(moment) for moment in line.false_alarms],
        "misses": [asdict(moment) for moment in line.misses],
        "playable": is_kept(one.listening.sound),
    }


def _latest(frame: pd.DataFrame) -> dict[str, Any]:
    """Return the latest trials, and when the last finished."""
    tried = frame[frame["outcome"] != "invalid"]
    rows = tried.sort_values("finished", ascending=False, kind="stable")["trial"].head(_LATEST)
    last = "" if frame.empty else f"last trial ended {frame['finished'].max():%H:%M:%S on %Y-%m-%d}"
    return {"when": last, "trials": [int(number) for number in rows]}


def _about(record: StudyRecord) -> list[dict[str, Any]]:
    """Return limits, metrics and origin of a study, as titled groups of names and values."""
    metrics = {short_title(one): one.meaning for one in record.space.metrics.values()}
    limits = {one.metric: f"{one.operator} {one.bound:g}" for one in record.space.limits}
    groups = {"Limits": limits, "Metrics": metrics, "This study": dict(record.about)}
    return [{"title": title, "facts": facts} for title, facts in groups.items() if facts]
