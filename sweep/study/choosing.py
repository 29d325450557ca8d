"""Which trials are worth training again: contenders first, then, of those, finalists."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sweep.errors import NothingFeasible
from sweep.study.surrogate import LEAST_ERROR, Cube, GaussianProcess, likeliest
from sweep.study.table import StudyRecord, TrialRecord, front, table

_FEWEST = 10


def choose_contenders(record: StudyRecord, count: int) -> list[TrialRecord]:
    """Return up to ``count`` feasible trials that may be the best, by what their likes hear too.

    What one trial heard is partly luck.  So its accuracy is taken from a regression over all
    trials, and where the front has too few trials, the front without them comes next.

    Raises:
        NothingFeasible: if no trial is feasible.
    """
    frame = _feasible(record)
    frame["accuracy"] = frame["trial"].map(expected_accuracies(record)).fillna(frame["accuracy"])
    return _layers(record, frame, count)


def choose_finalists(
    record: StudyRecord, top: int, judged: Mapping[int, float] | None = None
) -> list[TrialRecord]:
    """Return up to ``top`` trials, evenly spread along the front, the most accurate first.

    The more accurate, the likelier to hold; the smaller, the more there is to gain if it does.
    Where the front has too few, the front without them comes next.  Of trials that measured the
    same there is one.  Trials below the limit of accuracy come last.

    Args:
        record: the study.
        top: how many trials.
        judged: accuracies to go by instead of those of the search, by trial; others are left out.

    Raises:
        NothingFeasible: if no trial is feasible.
    """
    frame = _feasible(record)
    if judged is not None:
        frame = frame[frame["trial"].isin(list(judged))].assign(
            accuracy=lambda rows: rows["trial"].map(dict(judged))
        )
    return _layers(record, frame, top)


def expected_accuracies(record: StudyRecord) -> dict[int, float]:
    """Return what each trained trial is expected to hear if trained again, by number.

    A Gaussian process over the parameters, of the logarithm of the share of clips heard wrong by
    the trials trained to their ends; nothing where there are too few for one.
    """
    heard = {
        trial.number: (trial.candidate.parameters(), trial.evaluation.result.accuracy)
        for trial in record.trials
        if trial.evaluation.outcome in ("feasible", "infeasible")
        and trial.evaluation.result is not None
        and trial.evaluation.result.accuracy is not None
    }
    if len(heard) < _FEWEST or not record.space.varying:
        return {}
    cube = Cube(record.space.varying)
    x = cube.encode([parameters for parameters, _ in heard.values()])
    errors = np.log([1 - accuracy + LEAST_ERROR for _, accuracy in heard.values()])
    process = GaussianProcess(x, errors, likeliest(x, errors, cube.parameters))
    expected = 1 + LEAST_ERROR - np.exp(process.expect(x))
    return dict(zip(heard, expected.tolist(), strict=True))


def _feasible(record: StudyRecord) -> pd.DataFrame:
    frame = table(record)
    feasible = frame[frame["outcome"] == "feasible"].copy()
    if feasible.empty:
        raise NothingFeasible(f"{record.name}: no trial is feasible, so there are no finalists")
    return feasible


def _layers(record: StudyRecord, frame: pd.DataFrame, count: int) -> list[TrialRecord]:
    """Return up to ``count`` trials: of the front, then of the front without those, and so on."""
    by_number = {trial.number: trial for trial in record.trials}
    left = frame.drop_duplicates(list(_objectives(record)))
    chosen: list[int] = []
    while len(chosen) < count and not left.empty:
        layer = _layer(record, left, count - len(chosen))
        chosen += layer
        left = left[~left["trial"].isin(layer)]
    return [by_number[number] for number in chosen]


def _layer(record: StudyRecord, frame: pd.DataFrame, count: int) -> list[int]:
    """Return up to ``count`` trials along the front of those that keep the limit of accuracy.

    Where none does, the most accurate of the front of all.
    """
    kept = frame[_keep(record, frame)]
    best = front(frame if kept.empty else kept, _objectives(record))
    order = best.sort_values(["accuracy", "size_kb"], ascending=[False, True])["trial"]
    last = min(len(order), count) - 1 if kept.empty else len(order) - 1
    places = np.linspace(0, last, min(len(order), count)).round().astype(int)
    return [int(number) for number in order.iloc[places]]


def _keep(record: StudyRecord, frame: pd.DataFrame) -> pd.Series:
    """Tell of each row whether it keeps the limits of accuracy."""
    limits = [limit for limit in record.space.limits if limit.metric == "accuracy"]
    return frame["accuracy"].map(lambda share: all(one.violation(share) <= 0 for one in limits))


def _objectives(record: StudyRecord) -> dict[str, str]:
    return {"accuracy": "maximize"} | record.space.file.objectives
