"""A trial trained again from its record alone, and how near the outcome is."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from sweep import machine
from sweep.audio.dataset import Progress
from sweep.audio.folds import with_folds
from sweep.errors import StudyError
from sweep.evaluation import Evaluation
from sweep.export import same_clips
from sweep.metrics import Metric
from sweep.predict import MODEL
from sweep.study.launch import versions
from sweep.study.records import StudyRecord, TrialRecord
from sweep.study.storage import StudyFolder
from sweep.study.task import evaluate_candidate
from sweep.study.workers import DaskWorkers, Result

_TICK_IN_S = 0.5


@dataclass(frozen=True)
class Replay:
    """What came of a trial that was trained again.

    Attributes:
        trial: its number.
        metric: the metric that is compared, the goal of the search.
        then, now: its value.
        interval: what 95 % of trainings on as many clips would give, as of then.
        sha256: of ``model.tflite`` then and now; None where a trial kept no file.
        changed: what is another than then: versions, processor.
    """

    trial: int
    metric: str
    then: float
    now: float
    interval: tuple[float, float]
    sha256: tuple[str | None, str | None]
    changed: tuple[str, ...]

    @property
    def is_identical(self) -> bool:
        """Whether both gave the same bytes."""
        then, now = self.sha256
        return then is not None and then == now

    @property
    def is_within_noise(self) -> bool:
        """Whether the value is one that the interval holds."""
        low, high = self.interval
        return self.is_identical or low <= self.now <= high

    def __str__(self) -> str:
        changed = f"; not as then: {', '.join(self.changed)}" if self.changed else ""
        if self.is_identical:
            return f"trial {self.trial}: the same bytes{changed}"
        noise = "the same within noise" if self.is_within_noise else "not the same"
        low, high = self.interval
        return (
            f"trial {self.trial}: other bytes, {noise}: {self.metric} {self.then:.4g}"
            f" ({low:.4g} to {high:.4g}) then, {self.now:.4g} now{changed}"
        )


def replay(
    folder: StudyFolder,
    record: StudyRecord,
    number: int,
    source: str | None = None,
    progress: Progress | None = None,
) -> Replay:
    """Train a trial again, in a worker like the one it had, and compare.

    Args:
        folder: where the study keeps its files.
        record: the study.
        number: the trial.
        source: where the clips of the study are now; where they were, if None.
        progress: as for ``open_dataset``.

    Raises:
        StudyError: if there is no such trial, it was not trained to its end, or fails now.
        DataError: if these are other clips.
    """
    trial = next((t for t in record.trials if t.number == number), None)
    if trial is None or not trial.evaluation.trained:
        raise StudyError(f"{record.name} has no trial {number} that was trained to its end")
    dataset = with_folds(same_clips(record, source, progress), record.about.get("folds", 0))
    space = record.space
    work = partial(
        evaluate_candidate,
        metrics=space.file.metrics,
        measure_on=record.about.get("measured_on", ""),
        target=record.target,
        clock=space.clock,
    )
    with DaskWorkers(dataset, space.limits, 1, None, folder.worker_log, work) as pool:
        pool.submit(number, trial.candidate)
        result: Result | None = None
        while result is None:
            result = pool.wait(_TICK_IN_S)
    if not result.evaluation.trained:
        raise StudyError(f"trial {number} cannot be trained again: {result.evaluation.reason}")
    then = folder.read_file(number, MODEL) if trial.evaluation.outcome == "feasible" else None
    return compared(trial, result, then, space.goal, record.about)


def compared(
    trial: TrialRecord,
    result: Result,
    then: bytes | None,
    metric: Metric,
    about: Mapping[str, Any],
) -> Replay:
    """Return a trial as it was beside what came of it now.

    Args:
        trial: as it was.
        result: what came of it now.
        then: its ``model.tflite``, if it kept one.
        metric: what is compared where bytes differ.
        about: how the study was made.
    """
    before, exposure = _value(trial.evaluation, metric)
    return Replay(
        trial.number,
        metric.name,
        before,
        _value(result.evaluation, metric)[0],
        metric.interval(before, exposure),
        (_digest(then), _digest(result.files.get(MODEL))),
        tuple(_changed(about)),
    )


def _value(evaluation: Evaluation, metric: Metric) -> tuple[float, float]:
    result = evaluation.result
    assert result is not None
    value = float(result.metrics[metric.name] or 0.0)
    return value, result.exposures.get(metric.name, evaluation.clips)


def _digest(content: bytes | None) -> str | None:
    return None if content is None else hashlib.sha256(content).hexdigest()


def _changed(about: Mapping[str, Any]) -> list[str]:
    known, now = about.get("versions", {}), versions()
    told = [
        f"{name} {version} now, {known[name]} then"
        for name, version in now.items()
        if known.get(name, version) != version
    ]
    here, there = machine.processor(), about.get("measured_on", "")
    if there not in ("", here):
        told.append(f"processor {here} now, {there} then")
    return told
