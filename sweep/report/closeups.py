"""A close look at the trials worth one: variants, training curve, confusion, mistakes."""

from dataclasses import dataclass

import pandas as pd

from sweep.report.tradeoff import feasible_front
from sweep.report.verdict import picks
from sweep.study.table import StudyRecord

_MOST = 60
_MISTAKES = 12


@dataclass(frozen=True)
class Closeup:
    """What the page tells of one trial beyond its row.

    Attributes:
        variants: name, accuracy, size in KB and latency in ms of each variant measured.
        chosen: which of them is the trial's result.
        accuracies: validation accuracy after each epoch.
        confusion: validation clips by true label (rows) and label heard (columns).
        mistakes: the clips heard wrong, the most confident first; a dozen at most.
    """

    variants: list[tuple[str, float | None, float, float]]
    chosen: int | None
    accuracies: list[float]
    confusion: list[list[int]]
    mistakes: list[str]


def closeups(record: StudyRecord, frame: pd.DataFrame) -> dict[int, Closeup]:
    """Return a close look at trials by number: the front, sixty of it at most, and finalists."""
    wanted = set(feasible_front(record, frame)["trial"].head(_MOST))
    wanted |= {one.trial for one in record.finalists}
    wanted |= {found.trial for found in picks(record, frame)}
    return {
        trial.number: Closeup(
            [
                (
                    v.quantization,
                    v["accuracy"],
                    round(v["size_kb"] or 0.0, 3),
                    round(v["latency_ms"], 4),
                )
                for v in trial.evaluation.variants
                if v["latency_ms"] is not None
            ],
            trial.evaluation.chosen,
            [round(accuracy, 4) for accuracy in trial.evaluation.accuracies],
            [list(row) for row in trial.evaluation.confusion],
            list(trial.evaluation.mistakes[:_MISTAKES]),
        )
        for trial in record.trials
        if trial.number in wanted
    }
