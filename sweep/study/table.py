"""The table of a study's trials, which every listing shows, and its front."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import pandas as pd

from sweep import pareto
from sweep.candidate import Candidate
from sweep.errors import ManyFailures, SpecError, nearest
from sweep.limits import total_violation
from sweep.metrics import Metric
from sweep.space import Space
from sweep.study.records import StudyRecord, TrialRecord

_MEASURED = ("original_accuracy", "original_size_kb", "sparsity", "violation")

_MANY = 3


def table(record: StudyRecord) -> pd.DataFrame:
    """Return one row per trial: number, outcome, every parameter, every metric of its result.

    The columns are ``trial, outcome, reason``, the parameters, ``variant`` (the quantization
    chosen), the metrics, the ends of their 95 % intervals (``accuracy_low``), ``clips``,
    ``original_accuracy``, ``original_size_kb``, ``sparsity``, ``violation`` (sum of the relative
    violations), ``seconds`` (time its stages took), ``machine``, its ``processor`` and
    ``finished``.  A value not measured,
    or a parameter that the trial's network does not have, is NaN; None in a column of text.
    """
    metrics = record.space.metrics
    rows = [_row(trial, metrics) for trial in record.trials]
    measured = [*metrics, *interval_columns(metrics), *_MEASURED]
    return pd.DataFrame(rows, columns=_columns(record.space)).astype(
        {name: float for name in measured}
    )


def _columns(space: Space) -> list[str]:
    rest = ["clips", "original_accuracy", "original_size_kb", "sparsity", "violation", "seconds"]
    rest += ["machine", "processor"]
    parameters = [name for name in space.defaults if name != "quantization"]
    measured = [*space.metrics, *interval_columns(space.metrics)]
    return ["trial", "outcome", "reason", *parameters, "variant", *measured, *rest, "finished"]


def interval_columns(metrics: Mapping[str, Metric]) -> list[str]:
    """Return the columns with the ends of intervals."""
    sampled = [name for name, metric in metrics.items() if metric.exposure is not None]
    return [f"{name}_{end}" for name in sampled for end in ("low", "high")]


def _row(trial: TrialRecord, metrics: Mapping[str, Metric]) -> dict[str, Any]:
    evaluation, result = trial.evaluation, trial.evaluation.result
    row: dict[str, Any] = trial.candidate.parameters()
    row |= {"trial": trial.number, "outcome": evaluation.outcome, "reason": evaluation.reason}
    if result is not None:
        row |= {name: result[name] for name in metrics}
        for name, exposure in result.exposures.items():
            row[f"{name}_low"], row[f"{name}_high"] = metrics[name].interval(row[name], exposure)
        row |= {"variant": result.quantization, "violation": total_violation(result.violations)}
    return row | {
        "clips": evaluation.clips,
        "original_accuracy": evaluation.original_accuracy,
        "original_size_kb": evaluation.original_size_kb,
        "sparsity": evaluation.sparsity,
        "seconds": sum(evaluation.seconds.values()),
        "machine": evaluation.machine or None,
        "processor": evaluation.processor or None,
        "finished": trial.finished,
    }


def select(
    frame: pd.DataFrame, feasible: bool, sort: str | None, metrics: Mapping[str, Metric]
) -> pd.DataFrame:
    """Return the rows to list, sorted by a column: metrics best first, others smallest first.

    Raises:
        SpecError: if there is no such column.
    """
    if feasible:
        frame = frame[frame["outcome"] == "feasible"]
    if sort is None:
        return frame
    if sort not in frame:
        raise SpecError(f"--sort: no column {sort!r}{nearest(sort, frame.columns)}")
    # original_accuracy and original_size_kb sort as the metrics after conversion.
    metric = metrics.get(sort.removeprefix("original_"))
    highest_first = metric is not None and metric.better == "higher"
    return frame.sort_values(sort, ascending=not highest_first, kind="stable")


def failures(record: StudyRecord) -> list[dict[str, Any]]:
    """Return one row per failed trial: number, reason, traceback, parameters."""
    return [
        {"trial": t.number, "reason": t.evaluation.reason, "traceback": t.evaluation.traceback}
        | t.candidate.parameters()
        for t in record.trials
        if t.evaluation.outcome == "failed"
    ]


def refuse_many_failures(record: StudyRecord, since: datetime) -> None:
    """Raise if many of the trials started since then failed with an error.

    Raises:
        ManyFailures: if all failed, or at least a quarter and at least three.
    """
    outcomes = [t.evaluation.outcome for t in record.trials if t.started >= since]
    counted = len(outcomes) - outcomes.count("invalid")
    failed = outcomes.count("failed")
    if failed and (failed == counted or failed >= max(_MANY, counted / 4)):
        raise ManyFailures(
            f"{failed} of {counted} trials failed;"
            f" sweep trials {record.argument} --failed shows why"
        )


def front(frame: pd.DataFrame, objectives: Mapping[str, str]) -> pd.DataFrame:
    """Return the rows that no other row dominates, sorted by the first objective, best first.

    Args:
        frame: rows with a value for every objective.
        objectives: ``{metric: "maximize" or "minimize"}``.
    """
    kept = pareto.front(pareto.costs(_rows(frame, objectives), objectives))
    metric, way = next(iter(objectives.items()))
    return frame[kept].sort_values(metric, ascending=way == "minimize")


def _rows(frame: pd.DataFrame, columns: Collection[str]) -> list[dict[str, float | None]]:
    values = frame[list(columns)].astype(float)
    return [dict(zip(columns, row, strict=True)) for row in values.itertuples(index=False)]


def best_candidates(record: StudyRecord) -> list[Candidate]:
    """Return the candidates on the front of the feasible trials."""
    frame = table(record)
    feasible = frame[frame["outcome"] == "feasible"]
    if feasible.empty:
        return []
    numbers = set(front(feasible, record.space.file.objectives)["trial"])
    return [trial.candidate for trial in record.trials if trial.number in numbers]
