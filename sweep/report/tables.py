"""The tables of the page: every trial with its results, and the published report's five."""

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sweep.candidate import Candidate, FrontendParams, TrainingParams
from sweep.metrics import ACCURACY, Limit
from sweep.parameters import defaults
from sweep.report.axes import metric_names
from sweep.report.axes import title as axis_title
from sweep.report.words import amount, counted, plain, summary
from sweep.spec import Range
from sweep.statistics import wilson
from sweep.study.confirmation import Finalist
from sweep.study.table import StudyRecord, pick

_RETRAINED = ("accuracy", "latency_ms", "size_kb")

PUBLISHED = {
    "original_size": ("original_size_kb", 2, "KB"),
    "tflite_size": ("tflite_size_kb", 2, "KB"),
    "compressed_size": ("size_kb", 2, "KB"),
    "preprocessing_latency": ("preprocessing_latency_ms", 3, "ms"),
    "model_latency": ("model_latency_ms", 3, "ms"),
    "total_latency": ("latency_ms", 3, "ms"),
    "original_accuracy": ("original_accuracy", 3, ""),
    "tflite_accuracy": ("accuracy", 3, ""),
}
"""The published report's columns: column of the table of trials, digits, unit."""


@dataclass(frozen=True)
class Table:
    """A titled table of texts."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def measured_columns(record: StudyRecord) -> dict[str, tuple[str, int, str]]:
    """Return what is shown of every trial, as ``PUBLISHED`` does: that, and what the study limits.

    What it limits or aims at and the published report has no column for comes last.
    """
    known = {metric for metric, _, _ in PUBLISHED.values()}
    others = [metric for metric in metric_names(record.space) if metric not in known]
    return PUBLISHED | {m: (m, 2, "KB") if m.endswith("_kb") else (m, 0, "") for m in others}


def trial_rows(record: StudyRecord, frame: pd.DataFrame) -> dict[str, list[Any]]:
    """Return every trial as columns of plain values, in the published report's terms.

    ``low`` and ``high`` are the ends of the accuracy's 95 % Wilson interval.
    """
    measured = measured_columns(record)
    columns: dict[str, list[Any]] = {"trial": [], "outcome": [], "reason": [], "what": []}
    columns |= {name: [] for name in [*measured, "low", "high"]}
    for row in frame.to_dict("records"):
        columns["trial"].append(int(row["trial"]))
        columns["outcome"].append(row["outcome"])
        columns["reason"].append(row["reason"])
        columns["what"].append(summary(row))
        for name, (column, digits, _) in measured.items():
            value = row[column]
            columns[name].append(None if pd.isna(value) else round(float(value), digits + 2))
        known = pd.notna(row["accuracy"]) and row["clips"] > 0
        ends = wilson(row["accuracy"], int(row["clips"])) if known else (None, None)
        columns["low"].append(ends[0] and round(ends[0], 4))
        columns["high"].append(ends[1] and round(ends[1], 4))
    return columns


def table_rows(record: StudyRecord, frame: pd.DataFrame) -> dict[str, Any]:
    """Return what a page's table of trials holds.

    ``trials`` are ``trial_rows``, ``columns`` what is shown of them (``extra`` where the published
    report has no such column), ``parameters`` the values, not rounded, of those that vary.
    """
    columns: list[dict[str, Any]] = [{"name": "trial"}, {"name": "outcome"}]
    columns += [
        {
            "name": name,
            "number": True,
            "digits": digits,
            "unit": unit,
            "extra": name not in PUBLISHED,
        }
        for name, (_, digits, unit) in measured_columns(record).items()
    ]
    columns.append({"name": "what"})
    parameters = {name: [_exact(value) for value in frame[name]] for name in record.space.varying}
    return {"trials": trial_rows(record, frame), "columns": columns, "parameters": parameters}


def _exact(value: Any) -> str | float:
    """Return a parameter's value as JSON holds it, not rounded."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and not math.isnan(value):
        return value
    return plain(value)


def finalist_table(record: StudyRecord) -> Table:
    """Return what training the finalists again gave: do they hold, and was the search lucky?"""
    folds = any(one.validated for one in record.finalists)
    head = ["trial", "holds", "chance", "test accuracy", "interval", "in the search", "luck"]
    head += ["cross-validated"] * folds
    seeds = max((len(one.retrainings) for one in record.finalists), default=0)
    clips = max((one.test_clips for one in record.finalists), default=0)
    title = f"Trained again from {counted(seeds, 'seed')}, then the {clips} test clips, once"
    if len(record.tested) > len(record.finalists):
        title += f"; {len(record.tested)} trials have been measured on them by now, so the best of"
        title += " them is partly lucky there, too"
    others = [name for name in metric_names(record.space) if name not in _RETRAINED]
    rows = tuple(
        (
            *_finalist_cells(one, record.space.limits, folds),
            *(amount(name, one.searched.get(name)) for name in others),
        )
        for one in record.finalists
    )
    named = (axis_title(name).partition(" (")[0] for name in others)
    return Table(title, (*head, "size", "latency", *named), rows)


def _finalist_cells(one: Finalist, limits: list[Limit], folds: bool) -> tuple[str, ...]:
    low, high = one.interval("accuracy")
    validated = "-"
    if one.validated:
        ends = one.validated.interval(ACCURACY)
        validated = ACCURACY.text(one.validated.value(ACCURACY), ends)
    return (
        str(one.trial),
        "yes" if one.holds(limits) else "no",
        "-" if (chance := one.chance(limits)) is None else f"{chance:.0%}",
        _over_seeds(one, "accuracy", 3),
        f"{low:.3f}–{high:.3f}",
        f"{one.searched['accuracy']:.3f}",
        f"{100 * one.curse('accuracy'):+.1f} points".replace("-", "−"),
        *([validated] * folds),
        f"{_over_seeds(one, 'size_kb', 2)} KB",
        f"{_over_seeds(one, 'latency_ms', 3)} ms",
    )


def _over_seeds(one: Finalist, metric: str, digits: int) -> str:
    """Return mean and standard deviation; of one seed there is none."""
    mean = f"{one.mean(metric):.{digits}f}"
    return f"{mean} ± {one.spread(metric):.{digits}f}" if len(one.retrainings) > 1 else mean


def published_tables(record: StudyRecord, frame: pd.DataFrame) -> list[Table]:
    """Return Tables I to V of the published report, filled in for this study.

    The best trial of Tables III to V is the smallest feasible one, of finalists that hold where
    there are any; without one they are left out.
    """
    tables = [
        Table("Table I. The search space", ("parameter", "values"), _space_rows(record)),
        Table(
            "Table II. Training parameters",
            ("parameter", "value"),
            tuple((name, _choices(record, name)) for name in vars(TrainingParams())),
        ),
    ]
    if not (frame["outcome"] == "feasible").any():
        return tables
    confirmed = record.confirmed()
    number = pick(frame, "smallest", record.space, confirmed)["trial"]
    row = frame[frame["trial"] == number].iloc[0]
    which = "finalist that holds" if confirmed else "that meets the limits"
    best = f"trial {number}, the smallest {which}"
    frontend = list(defaults(FrontendParams))
    rest = [n for n in Candidate().parameters() if n not in (*frontend, "quantization")]
    training = set(vars(TrainingParams()))
    results = [
        (name, "–" if pd.isna(row[column]) else f"{row[column]:.{digits}f} {unit}".strip())
        for name, (column, digits, unit) in PUBLISHED.items()
    ]
    low, high = wilson(float(row["accuracy"]), int(row["clips"]))
    results.append(("95 % interval", f"{low:.3f} to {high:.3f}, {int(row['clips'])} clips"))
    if confirmed:
        again = confirmed[number]
        low, high = again.interval("accuracy")
        results.append(("test_accuracy", f"{again.mean('accuracy'):.3f}"))
        results.append(
            ("95 % interval, test clips", f"{low:.3f} to {high:.3f}, {again.test_clips} clips")
        )
    network = [(n, plain(row[n])) for n in rest if n not in training] + [
        ("variant", str(row["variant"])),
        ("parameters", f"{int(row['parameters']):,}"),
        ("multiply_adds", f"{int(row['multiply_adds']):,}"),
        ("ram_kb", amount("ram_kb", row["ram_kb"])),
    ]
    return tables + [
        Table(
            f"Table III. Front end of {best}",
            ("parameter", "value"),
            tuple((name, plain(row[name])) for name in frontend),
        ),
        Table(f"Table IV. Results of {best}", ("metric", "value"), tuple(results)),
        Table(f"Table V. Network of {best}", ("parameter", "value"), tuple(network)),
    ]


def miss_table(record: StudyRecord, misses: pd.DataFrame) -> Table:
    """Return the trials that came nearest, with what they measured against each limit."""
    rows = []
    for row in misses.to_dict("records"):
        values = [
            (
                "not measured"
                if pd.isna(row[limit.metric])
                else amount(limit.metric, row[limit.metric])
            )
            for limit in record.space.limits
        ]
        rows.append((str(row["trial"]), row["outcome"], *values, summary(row)))
    head = ("trial", "outcome", *(str(limit) for limit in record.space.limits), "what it is")
    return Table("What came closest", head, tuple(rows))


def _space_rows(record: StudyRecord) -> tuple[tuple[str, str], ...]:
    return tuple((name, _choices(record, name)) for name in record.space.file.parameters)


def _choices(record: StudyRecord, name: str) -> str:
    """Return the values a parameter may take, as the space says."""
    value = record.space.file.parameters.get(name, record.space.defaults[name])
    if isinstance(value, Range):
        step = (
            f" in steps of {plain(value.step)}"
            if value.step
            else ", log scale" if value.log else ""
        )
        return f"{plain(value.low)} to {plain(value.high)}{step}"
    return plain(value)
