"""The summary of a study for shell and page: headline, limits, picks, warnings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sweep.format import counted, short_title
from sweep.limits import Limit
from sweep.metrics import ACCURACY, FALSE_ALARMS_PER_HOUR, OF_STREAMS, Metric
from sweep.space import Space
from sweep.study.picks import pick, pick_metrics
from sweep.study.range_warnings import range_warnings
from sweep.study.records import StudyRecord
from sweep.study.table import front

_MISSES = 8


@dataclass(frozen=True)
class LimitCount:
    """The effect of one limit.

    Attributes:
        limit: the limit.
        measured: number of trials with a value of its metric.
        failed: number of those that violate it.
        alone: number of trials that violate it and no other.
        binds: whether it is the limit that excludes most trials.
    """

    limit: Limit
    measured: int
    failed: int
    alone: int
    binds: bool

    def __str__(self) -> str:
        alone = f", {self.alone} by this alone" if self.alone else ""
        share = f" ({self.failed / self.measured:.0%})" if self.failed else ""
        binds = " – binds" if self.binds else ""
        return f"{self.failed} of {self.measured} measured fail{share}{alone}{binds}"


@dataclass(frozen=True)
class Pick:
    """A recommended feasible trial; ``word`` is its criterion in ``sweep export --pick``."""

    word: str
    trial: int
    lead: str
    rest: str


@dataclass(frozen=True)
class Effort:
    """Training time in s: spent, and estimated savings by gating and stopping, by outcome."""

    spent: float
    saved: dict[str, float]


@dataclass(frozen=True)
class StudyWarning:
    """A caution about the results; ``advice`` is a line to add to the search space, if any."""

    text: str
    advice: str = ""


def metric_names(space: Space) -> list[str]:
    """Return the metrics of objectives and limits, and the goal; to one a second is added."""
    names = space.named_metrics
    if space.goal.name not in names:
        return [*names, space.goal.name]
    if len(names) > 1:
        return names
    better = space.metrics[names[0]].better
    # Metrics that gated trials have, too, come first.
    others = sorted(space.metrics.values(), key=lambda one: one.known != "estimated")
    return [*names, next(one.name for one in others if one.better != better)]


def goals(space: Space) -> tuple[Metric, list[Metric]]:
    """Return what a study aims at, and its costs, the size first; see ``Space.aim``."""
    goal, names = space.aim, metric_names(space)
    costs = [space.metrics[name] for name in names if name != goal.name]
    size, *_ = pick_metrics(space)["smallest"]
    return goal, sorted(costs, key=lambda one: one is not size)


def feasible_front(record: StudyRecord, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows on the Pareto front of the feasible trials."""
    feasible = frame[frame["outcome"] == "feasible"]
    return front(feasible, dict(record.space.file.objectives)) if len(feasible) else feasible


def limit_counts(record: StudyRecord) -> list[LimitCount]:
    """Count, for each limit, the trials that violate it, and those that violate no other.

    The latter include only trials with all metrics: the accuracy of a gated trial is unknown.
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
    """Return the result of the sweep in one or two sentences."""
    if frame.empty:
        return "No trial has finished yet."
    tried = int((frame["outcome"] != "invalid").sum()) or len(frame)
    trials = counted(tried, "trial")
    feasible = frame[frame["outcome"] == "feasible"]
    if feasible.empty:
        return f"None of {trials} meets the limits. {_shortfall(record, frame)}".strip()
    confirmed = record.confirmed()
    smallest = pick(frame, "smallest", record.space, confirmed)
    which = "the smallest finalist that holds" if confirmed else "the smallest"
    clips = f" on {_where(record)}" if confirmed else ""
    verb = "meets" if len(feasible) == 1 else "meet"
    size, goal = pick_metrics(record.space)["smallest"]
    named = "" if goal.better == "higher" else f"{short_title(goal)} "
    return (
        f"{len(feasible)} of {trials} {verb} the limits; {which}, trial {smallest['trial']}, takes "
        f"{size.text(smallest[size.name])} at {named}{goal.text(smallest[goal.name])}{clips}."
    )


def _where(record: StudyRecord) -> str:
    if record.space.aim.name in OF_STREAMS:
        return "the stream of test speakers"
    return f"the {record.tested_on}"


def _shortfall(record: StudyRecord, frame: pd.DataFrame) -> str:
    """Return the limit that binds and the gap of the best trial, or why trials failed."""
    begun = frame[frame["outcome"] != "invalid"]
    if len(begun) and (begun["outcome"] == "failed").all():
        reasons = begun["reason"].value_counts()
        times, reason = reasons.iloc[0], reasons.index[0]
        return f"Every trial failed; the most common reason, {times} times: {reason}"
    binding = next((count.limit for count in limit_counts(record) if count.binds), None)
    if binding is None or frame[binding.metric].notna().sum() == 0:
        return "Nothing was measured."
    metric, values = record.space.metrics[binding.metric], frame[binding.metric].dropna()
    best = float(values.max() if metric.better == "higher" else values.min())
    if binding.violation(best) <= 0:
        return f"The limit {binding} excludes most, together with another."
    binds, gap = f"The limit {binding} binds", metric.text(abs(best - binding.bound))
    if best == binding.bound:
        return f"{binds}: the best trial has exactly {metric.text(best)}."
    return f"{binds}: the best trial has {metric.text(best)}, {gap} away."


def picks(record: StudyRecord, frame: pd.DataFrame) -> list[Pick]:
    """Return the trial for each criterion of ``sweep export --pick``; [] if none is feasible."""
    if not (frame["outcome"] == "feasible").any():
        return []
    confirmed = record.confirmed()
    where = f" – on {_where(record)}" if confirmed else ""
    found = []
    by_word = pick_metrics(record.space)
    for word, order in by_word.items():
        row = pick(frame, word, record.space, confirmed)
        lead = (order[0], order[-1]) if word == "balanced" else order[:1]
        texts = [
            f"{short_title(one)} {one.text(row[one.name], interval(row, one))}"
            for one in by_word["balanced"]
        ]
        amounts = " · ".join(one.text(row[one.name]) for one in lead)
        found.append(Pick(word, int(row["trial"]), amounts, "; ".join(texts) + where))
    return found


def interval(row: Mapping[Any, Any] | pd.Series, metric: Metric) -> tuple[float, float] | None:
    """Return the 95 % interval of a metric from a row of the table; None if it has none."""
    low, high = row.get(f"{metric.name}_low"), row.get(f"{metric.name}_high")
    return None if low is None or high is None or pd.isna(low) else (float(low), float(high))


def nearest_misses(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the trials nearest to feasible; trained ones, if there are any."""
    missed = frame[frame["violation"].notna() & (frame["outcome"] != "feasible")]
    trained = missed[missed[ACCURACY.name].notna()]
    return (trained if len(trained) else missed).nsmallest(_MISSES, "violation")


def effort(record: StudyRecord) -> Effort:
    """Add up the training time, and estimate what gating and stopping saved.

    A gated or stopped trial counts as the mean duration of those trained to the end.
    """
    trained: dict[str, list[float]] = {"finished": [], "gated": [], "stopped": []}
    for trial in record.trials:
        outcome = "finished" if trial.evaluation.trained else trial.evaluation.outcome
        if outcome in trained:
            trained[outcome].append(trial.evaluation.seconds.get("training", 0.0))
    finished = trained.pop("finished")
    mean = sum(finished) / len(finished) if finished else 0.0
    saved = {name: sum(max(0.0, mean - one) for one in parts) for name, parts in trained.items()}
    return Effort(sum(finished) + sum(map(sum, trained.values())), saved)


def caution(record: StudyRecord, frame: pd.DataFrame) -> str:
    """Return a caution about the precision of the goal, in one sentence."""
    goal, _ = goals(record.space)
    if not goal.share or goal.name in OF_STREAMS or not (frame["clips"] > 0).any():
        return ""
    clips = int(frame["clips"].max())
    return (
        f"{short_title(goal).capitalize()} rests on {clips} {record.judged_on}: one clip is "
        f"{100 / clips:.2f} points; the best of many trials is partly lucky. Intervals are 95 % "
        "Wilson intervals."
    )


def warnings(record: StudyRecord, frame: pd.DataFrame) -> list[StudyWarning]:
    """Return all warnings, the most serious first."""
    cautions = [StudyWarning(caution) for caution in record.cautions]
    return cautions + [
        StudyWarning(
            f"{one.parameter}: {one.near} of the {one.best} trials on the front lie at its "
            f"{one.end} end ({one.bound:.12g}). Better ones may lie beyond; in the search-space "
            "file, under parameters, try",
            one.line,
        )
        for one in range_warnings(record.space, feasible_front(record, frame))
    ]


def finalists_verdict(record: StudyRecord) -> str:
    """Return how many finalists meet every limit, and what the hours of sound can show."""
    held = len(record.confirmed())
    if not held:
        return "None of the finalists holds: search longer, or ease a limit."
    verb = "holds" if held == 1 else "hold"
    finalists = counted(len(record.finalists), "finalist")
    told = f"{held} of {finalists} {verb}: the means keep every limit."
    hours = max(one.exposures.get(FALSE_ALARMS_PER_HOUR.name, 0.0) for one in record.finalists)
    if not hours:
        return told
    _, shown = FALSE_ALARMS_PER_HOUR.interval(0.0, hours)
    return f"{told} No false alarm in {hours:.3g} h is below {shown:.2g} an hour (95\u00a0%)."
