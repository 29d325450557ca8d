"""Which trials are worth training again: contenders first, then, of those, finalists."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sweep.errors import StudyError
from sweep.limits import Limit
from sweep.study.surrogate import Cube, GaussianProcess, likeliest
from sweep.study.table import StudyRecord, TrialRecord, front, table

_LEAST_ERROR = 0.003
_FEWEST = 10


def choose_contenders(record: StudyRecord, count: int) -> list[TrialRecord]:
    """Return up to ``count`` feasible trials that may be the best, by what their likes hear too.

    What one trial heard is partly luck.  So its accuracy is taken from a regression over all
    trials, and where the front has too few trials, the front without them comes next.

    Raises:
        StudyError: if no trial is feasible.
    """
    frame = _feasible(record)
    frame["accuracy"] = frame["trial"].map(expected_accuracies(record)).fillna(frame["accuracy"])
    chosen: list[int] = []
    while len(chosen) < count and not frame.empty:
        layer = _spread(record, frame, count - len(chosen))
        chosen += layer
        frame = frame[~frame["trial"].isin(layer)]
    return _trials(record, chosen)


def choose_finalists(
    record: StudyRecord, top: int, judged: Mapping[int, float] | None = None
) -> list[TrialRecord]:
    """Return up to ``top`` trials, evenly spread along the front, the most accurate first.

    The more accurate, the likelier to hold; the smaller, the more there is to gain if it does.  Of
    trials that measured the same there is one.  Trials below the limit of accuracy come last.

    Args:
        record: the study.
        top: how many trials.
        judged: accuracies to go by instead of those of the search, by trial; others are left out.

    Raises:
        StudyError: if no trial is feasible.
    """
    frame = _feasible(record)
    if judged is not None:
        frame = frame[frame["trial"].isin(list(judged))].assign(
            accuracy=lambda rows: rows["trial"].map(dict(judged))
        )
    return _trials(record, _spread(record, frame, top))


def expected_accuracies(record: StudyRecord) -> dict[int, float]:
    """Return what each trained trial is expected to hear if trained again, by number.

    A Gaussian process over the parameters, of the logarithm of the share of clips heard wrong;
    nothing where there are too few trials for one.
    """
    heard = {
        trial.number: (trial.candidate.parameters(), trial.evaluation.result.accuracy)
        for trial in record.trials
        if trial.evaluation.result is not None and trial.evaluation.result.accuracy is not None
    }
    if len(heard) < _FEWEST or not record.space.varying:
        return {}
    cube = Cube(record.space.varying)
    x = cube.encode([parameters for parameters, _ in heard.values()])
    errors = np.log([1 - accuracy + _LEAST_ERROR for _, accuracy in heard.values()])
    process = GaussianProcess(x, errors, likeliest(x, errors, cube.parameters))
    expected = 1 + _LEAST_ERROR - np.exp(process.predict(x)[0])
    return dict(zip(heard, expected.tolist(), strict=True))


def _feasible(record: StudyRecord) -> pd.DataFrame:
    frame = table(record)
    feasible = frame[frame["outcome"] == "feasible"].copy()
    if feasible.empty:
        raise StudyError(f"{record.name}: no trial is feasible, so there are no finalists")
    return feasible


def _spread(record: StudyRecord, frame: pd.DataFrame, count: int) -> list[int]:
    """Return up to ``count`` trials along the front of a frame; see ``choose_finalists``."""
    objectives = record.space.file.objectives
    best = front(frame, objectives).drop_duplicates(list(objectives))
    order = best.sort_values(["accuracy", "size_kb"], ascending=[False, True])
    kept = order[[_keeps(record.space.limits, value) for value in order["accuracy"]]]
    if len(kept) < count:
        return [int(number) for number in order["trial"].iloc[:count]]
    places = np.unique(np.linspace(0, len(kept) - 1, count).round().astype(int))
    return [int(number) for number in kept["trial"].iloc[places]]


def _keeps(limits: list[Limit], accuracy: float) -> bool:
    return all(limit.violation(accuracy) <= 0 for limit in limits if limit.metric == "accuracy")


def _trials(record: StudyRecord, numbers: list[int]) -> list[TrialRecord]:
    by_number = {trial.number: trial for trial in record.trials}
    return [by_number[number] for number in numbers]
