"""A study read back: plain records, and the table of them that every listing shows."""

import shlex
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pandas as pd

from sweep.audio.speakers import Speakers
from sweep.candidate import OUTCOMES, Candidate, Evaluation
from sweep.errors import NothingFeasible, SpecError, nearest
from sweep.limits import METRICS, total_violation
from sweep.space import Space
from sweep.study.confirmation import Finalist

PICKS = {
    "smallest": ("size_kb", "accuracy"),
    "fastest": ("latency_ms", "accuracy"),
    "most-accurate": ("accuracy", "size_kb"),
    "balanced": ("accuracy", "latency_ms", "size_kb"),
}
"""Ways to pick one feasible trial: the metric that decides, then the one that breaks ties."""


@dataclass(frozen=True)
class TrialRecord:
    """One finished trial: what was asked, what was answered, when."""

    number: int
    candidate: Candidate
    evaluation: Evaluation
    started: datetime
    finished: datetime


@dataclass(frozen=True)
class StudyRecord:
    """A study as it stands on disk.

    Attributes:
        name: the study's name.
        space: the search space it was made for.
        trials: its finished trials, oldest first.
        about: facts for the careful reader: command, versions, seed, clips per split, who
            speaks in them, data fingerprint, where the clips came from.
        finalists: the trials that were trained again, if any were.
        tested: every trial that has ever been measured on the test clips.
        folder: where it lies, if that is not below ``results`` in the working directory.
        storage: the Optuna storage URL without its password, if it is not SQLite in the folder.
    """

    name: str
    space: Space
    trials: tuple[TrialRecord, ...]
    about: dict[str, Any] = field(default_factory=dict)
    finalists: tuple[Finalist, ...] = ()
    folder: str = ""
    storage: str = ""
    tested: tuple[int, ...] = ()

    @property
    def argument(self) -> str:
        """What commands call the study: its name, or its folder if that lies elsewhere."""
        named = shlex.quote(self.folder or self.name)
        return f"{named} --storage {shlex.quote(self.storage)}" if self.storage else named

    @property
    def speaker_caution(self) -> str:
        """What the accuracies do not tell about other speakers; see ``Speakers.caution``."""
        speakers = self.about.get("speakers")
        return Speakers.from_json(speakers).caution if speakers else ""

    def confirmed(self) -> dict[int, Finalist]:
        """Return the finalists that hold, by trial."""
        return {one.trial: one for one in self.finalists if one.holds(self.space.limits)}

    def funnel(self) -> dict[str, int]:
        """Return how many trials ended in each outcome, in the order of ``OUTCOMES``."""
        counts: Counter[str] = Counter(trial.evaluation.outcome for trial in self.trials)
        return {outcome: counts[outcome] for outcome in OUTCOMES}


def table(record: StudyRecord) -> pd.DataFrame:
    """Return one row a trial: number, outcome, every parameter, every metric of its result.

    The columns are ``trial, outcome, reason``, the parameters, ``variant`` (the quantization
    chosen), the metrics, ``clips``, ``original_accuracy``, ``original_size_kb``, ``sparsity``,
    ``violation`` (sum of the relative violations), ``seconds`` (time its stages took) and
    ``finished``.  What was not measured is missing (NaN or None).
    """
    return pd.DataFrame([_row(trial) for trial in record.trials], columns=_columns())


def _columns() -> list[str]:
    rest = ["clips", "original_accuracy", "original_size_kb", "sparsity", "violation", "seconds"]
    parameters = [name for name in Candidate().parameters() if name != "quantization"]
    return ["trial", "outcome", "reason", *parameters, "variant", *METRICS, *rest, "finished"]


def _row(trial: TrialRecord) -> dict[str, Any]:
    evaluation, result = trial.evaluation, trial.evaluation.result
    row: dict[str, Any] = trial.candidate.parameters()
    row |= {"trial": trial.number, "outcome": evaluation.outcome, "reason": evaluation.reason}
    if result is not None:
        row |= {metric: getattr(result, metric) for metric in METRICS}
        row |= {"variant": result.quantization, "violation": total_violation(result.violations)}
    return row | {
        "clips": evaluation.clips,
        "original_accuracy": evaluation.original_accuracy,
        "original_size_kb": evaluation.original_size_kb,
        "sparsity": evaluation.sparsity,
        "seconds": sum(evaluation.seconds.values()),
        "finished": trial.finished,
    }


def select(frame: pd.DataFrame, feasible: bool, sort: str | None) -> pd.DataFrame:
    """Return the rows to list, sorted by a column; accuracy best first, all else smallest first.

    Raises:
        SpecError: if there is no such column.
    """
    if feasible:
        frame = frame[frame["outcome"] == "feasible"]
    if sort is None:
        return frame
    if sort not in frame:
        raise SpecError(f"--sort: no column {sort!r}{nearest(sort, frame.columns)}")
    return frame.sort_values(sort, ascending=not sort.endswith("accuracy"), kind="stable")


def balance(frame: pd.DataFrame) -> pd.Series:
    """Return how far each row is from having the best accuracy, latency and size at once.

    Each metric counts by its share of the way from the best to the worst of the rows.
    """
    costs = frame[["accuracy", "latency_ms", "size_kb"]].astype(float)
    costs["accuracy"] *= -1
    spans = (costs.max() - costs.min()).replace(0, 1)
    distances: pd.Series = (((costs - costs.min()) / spans) ** 2).sum(axis=1)
    return distances


def pick(
    frame: pd.DataFrame, word: str, confirmed: Mapping[int, Finalist] | None = None
) -> pd.Series:
    """Return the feasible trial that a word of ``PICKS`` stands for.

    ``balanced`` is the one with the smallest ``balance``.  Where any trials are ``confirmed``,
    having been trained again, only these are picked from, and their ``accuracy`` and ``clips`` are
    those on the test clips: what the search had heard was partly luck.

    Raises:
        NothingFeasible: if no trial is feasible.
        SpecError: if there is no such word.
    """
    if word not in PICKS:
        raise SpecError(f"pick: {word!r} is unknown{nearest(word, PICKS)}")
    feasible = frame[frame["outcome"] == "feasible"]
    if feasible.empty:
        raise NothingFeasible("no trial is feasible, so there is nothing to pick")
    if confirmed:
        again = [confirmed.get(int(trial)) for trial in feasible["trial"]]
        feasible = feasible[[one is not None for one in again]].assign(
            accuracy=[one.mean("test_accuracy") for one in again if one is not None],
            clips=[one.test_clips for one in again if one is not None],
        )
    if word == "balanced":
        return feasible.iloc[int(balance(feasible).to_numpy().argmin())]
    metric, *others = PICKS[word]
    return feasible.sort_values(
        [metric, *others],
        ascending=[metric != "accuracy", *(other != "accuracy" for other in others)],
    ).iloc[0]


def front(frame: pd.DataFrame, objectives: Mapping[str, str]) -> pd.DataFrame:
    """Return the rows that no other row beats in every objective, best first objective first.

    Args:
        frame: rows with a value in every objective.
        objectives: ``{metric: "maximize" or "minimize"}``.
    """
    costs = pd.DataFrame(
        {m: -frame[m] if way == "maximize" else frame[m] for m, way in objectives.items()}
    ).to_numpy(dtype=float)
    kept = [
        i
        for i, cost in enumerate(costs)
        if not ((costs <= cost).all(axis=1) & (costs < cost).any(axis=1)).any()
    ]
    metric, way = next(iter(objectives.items()))
    return frame.iloc[kept].sort_values(metric, ascending=way == "minimize")


def best_candidates(record: StudyRecord) -> list[Candidate]:
    """Return the candidates of the front of the feasible trials."""
    frame = table(record)
    feasible = frame[frame["outcome"] == "feasible"]
    if feasible.empty:
        return []
    numbers = set(front(feasible, record.space.file.objectives)["trial"])
    return [trial.candidate for trial in record.trials if trial.number in numbers]
