"""A study read back: plain records, and the table of them that every listing shows."""

import shlex
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pandas as pd

from sweep import metrics, pareto
from sweep.audio.balance import Balance
from sweep.audio.speakers import Speakers
from sweep.candidate import Candidate
from sweep.errors import ManyFailures, NothingFeasible, SpecError, nearest
from sweep.evaluation import OUTCOMES, Evaluation
from sweep.limits import total_violation
from sweep.metrics import Measured, Metric, in_unit
from sweep.space import Space
from sweep.study.confirmation import Finalist

_MEASURED = ("original_accuracy", "original_size_kb", "sparsity", "violation")

PICKS = ("smallest", "fastest", "most-accurate", "balanced")
"""Ways to pick one feasible trial; see ``pick``."""

_MANY = 3


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
        about: facts for the careful reader: command, versions, seed, clips per split, who speaks
            in them, over how many folds accuracies are counted, data fingerprint, where the clips
            came from.
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

    @property
    def balance_caution(self) -> str:
        """What unequal numbers of clips do to the accuracies; empty where they are about equal.

        It says how many feasible trials are not shown to be better than a network that always
        predicts the commonest word: where the 95 % interval of their accuracy reaches down to it.
        """
        trained = [trial.evaluation for trial in self.trials if trial.evaluation.confusion]
        labels = self.about.get("labels")
        if not trained or not labels:
            return ""
        balance = Balance.of_confusion(labels, trained[0].confusion)
        if not balance.unequal:
            return ""
        told = f"{balance.commonest} is {balance.share:.0%} of the {self.judged_on}"
        feasible = [one for one in trained if one.outcome == "feasible"]
        doubtful = sum(not _beats(one, balance.share) for one in feasible)
        if not doubtful:
            return told
        count = f"{doubtful} of {len(feasible)} feasible trials"
        return f"{told}; {count} are not shown to be better than always predicting it"

    @property
    def cautions(self) -> list[str]:
        """What to know before the accuracies are believed, a sentence each."""
        return [text for text in (self.speaker_caution, self.balance_caution) if text]

    @property
    def tested_on(self) -> str:
        """Which clips the metrics of finalists count, in words; see ``Finalist.tested_on``."""
        return next((one.tested_on for one in self.finalists), "test clips")

    @property
    def judged_on(self) -> str:
        """Which clips the accuracies of the trials count, in words."""
        folds = self.about.get("folds")
        if not folds:
            return "validation clips"
        return f"clips of {folds} folds, each answered by a network trained without its fold"

    def confirmed(self) -> dict[int, Finalist]:
        """Return the finalists that hold, by trial."""
        return {one.trial: one for one in self.finalists if one.holds(self.space.limits)}

    def funnel(self) -> dict[str, int]:
        """Return how many trials ended in each outcome, in the order of ``OUTCOMES``."""
        counts: Counter[str] = Counter(trial.evaluation.outcome for trial in self.trials)
        return {outcome: counts[outcome] for outcome in OUTCOMES}


def _beats(evaluation: Evaluation, share: float) -> bool:
    """Tell whether an accuracy is surely above what always predicting one word scores."""
    found = Measured({}, evaluation.confusion)
    name = metrics.ACCURACY.name
    return metrics.ACCURACY.interval(found[name], found.exposures()[name])[0] > share


def table(record: StudyRecord) -> pd.DataFrame:
    """Return one row a trial: number, outcome, every parameter, every metric of its result.

    The columns are ``trial, outcome, reason``, the parameters, ``variant`` (the quantization
    chosen), the metrics, the ends of their 95 % intervals (``accuracy_low``), ``clips``,
    ``original_accuracy``, ``original_size_kb``, ``sparsity``, ``violation`` (sum of the relative
    violations), ``seconds`` (time its stages took) and ``finished``.  What was not measured, or
    is a parameter of another network, is NaN, or None where the column is text.
    """
    metrics = record.space.metrics
    rows = [_row(trial, metrics) for trial in record.trials]
    measured = [*metrics, *ends(metrics), *_MEASURED]
    return pd.DataFrame(rows, columns=_columns(record.space)).astype(
        {name: float for name in measured}
    )


def _columns(space: Space) -> list[str]:
    rest = ["clips", "original_accuracy", "original_size_kb", "sparsity", "violation", "seconds"]
    parameters = [name for name in space.defaults if name != "quantization"]
    measured = [*space.metrics, *ends(space.metrics)]
    return ["trial", "outcome", "reason", *parameters, "variant", *measured, *rest, "finished"]


def ends(metrics: Mapping[str, Metric]) -> list[str]:
    """Return the columns that hold the ends of intervals."""
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
        "finished": trial.finished,
    }


def select(
    frame: pd.DataFrame, feasible: bool, sort: str | None, metrics: Mapping[str, Metric]
) -> pd.DataFrame:
    """Return the rows to list, sorted by a column: metrics best first, all else smallest first.

    Raises:
        SpecError: if there is no such column.
    """
    if feasible:
        frame = frame[frame["outcome"] == "feasible"]
    if sort is None:
        return frame
    if sort not in frame:
        raise SpecError(f"--sort: no column {sort!r}{nearest(sort, frame.columns)}")
    # The accuracy before conversion is compared as the one after it.
    metric = metrics.get(sort.removeprefix("original_"))
    highest_first = metric is not None and metric.better == "higher"
    return frame.sort_values(sort, ascending=not highest_first, kind="stable")


def failures(record: StudyRecord) -> list[dict[str, Any]]:
    """Return one row for each trial that an error ended: number, reason, traceback, parameters."""
    return [
        {"trial": t.number, "reason": t.evaluation.reason, "traceback": t.evaluation.traceback}
        | t.candidate.parameters()
        for t in record.trials
        if t.evaluation.outcome == "failed"
    ]


def refuse_many_failures(record: StudyRecord, since: datetime) -> None:
    """Raise if many of the trials begun since then failed by an error.

    Raises:
        ManyFailures: if a quarter did, and three at least, or all of them.
    """
    outcomes = [t.evaluation.outcome for t in record.trials if t.started >= since]
    counted = len(outcomes) - outcomes.count("invalid")
    failed = outcomes.count("failed")
    if failed and (failed == counted or failed >= max(_MANY, counted / 4)):
        raise ManyFailures(
            f"{failed} of {counted} trials failed;"
            f" sweep trials {record.argument} --failed shows why"
        )


def balance(frame: pd.DataFrame, metrics: Iterable[Metric]) -> pd.Series:
    """Return how far each row is from having the best of every metric at once.

    Each metric counts by its share of the way from the best to the worst of the rows.
    """
    points = pd.DataFrame({m.name: m.sign * frame[m.name].astype(float) for m in metrics})
    spans = (points.max() - points.min()).replace(0, 1)
    distances: pd.Series = (((points - points.min()) / spans) ** 2).sum(axis=1)
    return distances


def pick_metrics(space: Space) -> dict[str, tuple[Metric, ...]]:
    """Return the metrics that each word of ``PICKS`` goes by.

    Size and latency are the first metrics in KB and in ms that the space names, else ``size_kb``
    and ``latency_ms``.
    """
    size, latency = (
        space.metrics[in_unit(unit, space.named_metrics, space.metrics, default)]
        for unit, default in (("KB", "size_kb"), ("ms", "latency_ms"))
    )
    return {
        "smallest": (size, space.goal),
        "fastest": (latency, space.goal),
        "most-accurate": (space.goal, size),
        "balanced": (space.goal, latency, size),
    }


def pick(
    frame: pd.DataFrame,
    word: str,
    space: Space,
    confirmed: Mapping[int, Finalist] | None = None,
) -> pd.Series:
    """Return the feasible trial that a word of ``PICKS`` stands for.

    ``balanced`` goes by ``balance``, the others by the first of their ``pick_metrics``, then by the
    next.  Where any trials are ``confirmed``, having been trained again, only these are picked
    from, and their metrics are those on the test clips: what the search had found was partly luck.

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
        feasible = _found_again(feasible, confirmed)
    order = pick_metrics(space)[word]
    if word == "balanced":
        return feasible.iloc[int(balance(feasible, order).to_numpy().argmin())]
    rising = [metric.better == "lower" for metric in order]
    return feasible.sort_values([metric.name for metric in order], ascending=rising).iloc[0]


def _found_again(frame: pd.DataFrame, confirmed: Mapping[int, Finalist]) -> pd.DataFrame:
    """Return the rows of finalists, with the metrics that training them again gave."""
    rows = frame[frame["trial"].isin(list(confirmed))].copy()
    again = [confirmed[int(trial)] for trial in rows["trial"]]
    for metric in again[0].retrainings[0].test if again else ():
        rows[metric] = [one.mean(metric) for one in again]
        if metric in again[0].exposures:
            intervals = [one.interval(metric) for one in again]
            rows[[f"{metric}_low", f"{metric}_high"]] = intervals
    return rows.assign(clips=[one.test_clips for one in again])


def front(frame: pd.DataFrame, objectives: Mapping[str, str]) -> pd.DataFrame:
    """Return the rows that no other row beats in every objective, best first objective first.

    Args:
        frame: rows with a value in every objective.
        objectives: ``{metric: "maximize" or "minimize"}``.
    """
    kept = pareto.front(pareto.costs(_rows(frame, objectives), objectives))
    metric, way = next(iter(objectives.items()))
    return frame[kept].sort_values(metric, ascending=way == "minimize")


def _rows(frame: pd.DataFrame, columns: Collection[str]) -> list[dict[str, float | None]]:
    values = frame[list(columns)].astype(float)
    return [dict(zip(columns, row, strict=True)) for row in values.itertuples(index=False)]


def best_candidates(record: StudyRecord) -> list[Candidate]:
    """Return the candidates of the front of the feasible trials."""
    frame = table(record)
    feasible = frame[frame["outcome"] == "feasible"]
    if feasible.empty:
        return []
    numbers = set(front(feasible, record.space.file.objectives)["trial"])
    return [trial.candidate for trial in record.trials if trial.number in numbers]
