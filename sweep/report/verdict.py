"""Did it work, and what should I take: the answers in words and counts."""

from dataclasses import dataclass

import pandas as pd

from sweep.metrics import Limit
from sweep.report.tradeoff import goals
from sweep.report.words import accuracy, amount
from sweep.study.table import PICKS, StudyRecord, pick

_MISSES = 8


@dataclass(frozen=True)
class LimitCount:
    """How one limit fared.

    Attributes:
        limit: the limit.
        measured: how many trials have a value for its metric.
        failed: how many of them break it.
        alone: how many break it and no other.
        binds: whether it is the limit that stands in the way most.
    """

    limit: Limit
    measured: int
    failed: int
    alone: int
    binds: bool


@dataclass(frozen=True)
class Pick:
    """A feasible trial worth taking: ``word`` is the one ``sweep export --pick`` knows."""

    word: str
    trial: int
    accuracy: str
    latency: str
    size: str


@dataclass(frozen=True)
class Effort:
    """Seconds of training: spent, and an estimate of what giving up saved, by outcome."""

    spent: float
    saved: dict[str, float]


def limit_counts(record: StudyRecord) -> list[LimitCount]:
    """Count, for each limit, the trials that break it, and those that break nothing else.

    The latter were measured in everything: of a gated trial nobody knows what it would have heard.
    The limit that binds is the one whose removal alone would admit the most trials; where that
    is none, the one that fails most.
    """
    results = [trial.evaluation.result for trial in record.trials]
    broken = [
        ({m for m, v in result.violations.items() if v > 0}, set(result.violations))
        for result in results
        if result is not None
    ]
    counts, limited = [], {limit.metric for limit in record.space.limits}
    for limit in record.space.limits:
        failed = sum(limit.metric in fails for fails, _ in broken)
        alone = sum(fails == {limit.metric} and limited <= known for fails, known in broken)
        counts.append((limit, sum(limit.metric in known for _, known in broken), failed, alone))
    most = max(counts, key=lambda count: (count[3], count[2]), default=None)
    return [LimitCount(*count, binds=count is most and count[2] > 0) for count in counts]


def headline(record: StudyRecord, frame: pd.DataFrame) -> str:
    """Return in one sentence or two whether the sweep worked."""
    if frame.empty:
        return "No trial has finished yet."
    counted = int((frame["outcome"] != "invalid").sum()) or len(frame)
    trials = f"{counted} trial{'s' if counted > 1 else ''}"
    feasible = frame[frame["outcome"] == "feasible"]
    if feasible.empty:
        return f"None of {trials} meets the limits. {shortfall(record, frame)}".strip()
    confirmed = record.confirmed()
    smallest = pick(frame, "smallest", record.space, confirmed)
    which = "the smallest finalist that holds" if confirmed else "the smallest"
    clips = " on the test clips" if confirmed else ""
    verb = "meets" if len(feasible) == 1 else "meet"
    return (
        f"{len(feasible)} of {trials} {verb} the limits; {which}, trial {smallest['trial']}, takes "
        f"{amount('size_kb', smallest['size_kb'])} at {smallest['accuracy']:.3f}{clips}."
    )


def shortfall(record: StudyRecord, frame: pd.DataFrame) -> str:
    """Return which limit binds and by how much the best trial misses it, or why trials failed."""
    begun = frame[frame["outcome"] != "invalid"]
    if len(begun) and (begun["outcome"] == "failed").all():
        reasons = begun["reason"].value_counts()
        return (
            f"Every trial failed; the commonest reason, {reasons.iloc[0]} times: {reasons.index[0]}"
        )
    binding = next((count.limit for count in limit_counts(record) if count.binds), None)
    if binding is None or frame[binding.metric].notna().sum() == 0:
        return "Nothing was measured."
    values = frame[binding.metric].dropna()
    best = float(values.max() if binding.operator.startswith(">") else values.min())
    gap = abs(best - binding.bound)
    if binding.violation(best) <= 0:
        return f"The limit {binding} stands in the way most, together with another."
    return (
        f"The limit {binding} binds: the best trial has {amount(binding.metric, best)}, "
        f"{amount(binding.metric, gap)} away."
    )


def picks(record: StudyRecord, frame: pd.DataFrame) -> list[Pick]:
    """Return the trial that each word of ``sweep export --pick`` stands for; none if none fits."""
    if not (frame["outcome"] == "feasible").any():
        return []
    confirmed = record.confirmed()
    where = " on the test clips" if confirmed else ""
    return [_pick(word, pick(frame, word, record.space, confirmed), where) for word in PICKS]


def _pick(word: str, row: pd.Series, where: str) -> Pick:
    return Pick(
        word,
        int(row["trial"]),
        accuracy(float(row["accuracy"]), int(row["clips"])) + where,
        amount("latency_ms", float(row["latency_ms"])),
        amount("size_kb", float(row["size_kb"])),
    )


def nearest_misses(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the trials that come nearest to the limits, trained ones where there are any."""
    missed = frame[frame["violation"].notna() & (frame["outcome"] != "feasible")]
    trained = missed[missed["accuracy"].notna()]
    return (trained if len(trained) else missed).nsmallest(_MISSES, "violation")


def effort(record: StudyRecord) -> Effort:
    """Add up the training time, and estimate what would have been spent without giving up early.

    A gated or stopped trial is taken to cost as much as the mean of those trained to the end.
    """
    trained: dict[str, list[float]] = {"finished": [], "gated": [], "stopped": []}
    for trial in record.trials:
        outcome = trial.evaluation.outcome
        kind = "finished" if outcome in ("feasible", "infeasible") else outcome
        if kind in trained:
            trained[kind].append(trial.evaluation.seconds.get("training", 0.0))
    finished = trained.pop("finished")
    mean = sum(finished) / len(finished) if finished else 0.0
    saved = {kind: sum(max(0.0, mean - one) for one in parts) for kind, parts in trained.items()}
    return Effort(sum(finished) + sum(map(sum, trained.values())), saved)


def caution(record: StudyRecord, frame: pd.DataFrame) -> str:
    """Return how far the accuracies can be trusted, in a few sentences."""
    if goals(record)[0] != "accuracy" or not (frame["clips"] > 0).any():
        return ""
    clips = int(frame["clips"].max())
    return (
        f"Accuracies count {clips} {record.judged_on}: one clip is {100 / clips:.2f} points; the "
        "best of many trials is partly lucky. Intervals are 95 % Wilson intervals."
        + "".join(f" {caution}." for caution in record.cautions)
    )
