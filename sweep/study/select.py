"""Selection of the trials to retrain: contenders to cross-validate, then finalists."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sweep.errors import NothingFeasible
from sweep.study.records import StudyRecord, TrialRecord
from sweep.study.samplers.surrogate import LEAST_ERROR, Cube, GaussianProcess, likeliest
from sweep.study.table import front, table

_FEWEST = 10


def select_contenders(record: StudyRecord, count: int) -> list[TrialRecord]:
    """Return up to ``count`` feasible trials that may be the best, by a regression of the goal.

    The value of one trial is partly luck, so its goal comes from a regression over all trials.  If
    the front has too few trials, the front of the remaining ones follows.

    Raises:
        NothingFeasible: if no trial is feasible.
    """
    frame = _feasible(record)
    goal = record.space.goal.name
    frame[goal] = frame["trial"].map(expected_goals(record)).fillna(frame[goal])
    return _layers(record, frame, count)


def select_finalists(
    record: StudyRecord, top: int, judged: Mapping[int, float] | None = None
) -> list[TrialRecord]:
    """Return up to ``top`` trials, evenly spread along the front, the most accurate first.

    If the front has too few trials, the front of the remaining ones follows.  Of equal trials only
    one is returned.  Trials that violate the limit of the goal come last.

    Args:
        record: the study.
        top: how many trials.
        judged: values of the goal that replace the search's, by trial; other trials are left out.

    Raises:
        NothingFeasible: if no trial is feasible.
    """
    frame = _feasible(record)
    if judged is not None:
        frame = frame[frame["trial"].isin(list(judged))].copy()
        frame[record.space.goal.name] = frame["trial"].map(dict(judged))
    return _layers(record, frame, top)


def expected_goals(record: StudyRecord) -> dict[int, float]:
    """Return what each trained trial is expected to reach if trained again, by number.

    A Gaussian process over the parameters, of the logarithm of what the goal of the trials trained
    to their ends falls short of its best; nothing where there are too few for one.
    """
    goal = record.space.goal
    found = {
        trial.number: (record.space.defaults | trial.candidate.parameters(), value)
        for trial in record.trials
        if trial.evaluation.trained
        and trial.evaluation.result is not None
        and (value := trial.evaluation.result[goal.name]) is not None
    }
    if len(found) < _FEWEST or not record.space.distributions:
        return {}
    cube = Cube(record.space.distributions)
    x = cube.encode([parameters for parameters, _ in found.values()])
    short = [1 - value if goal.better == "higher" else value for _, value in found.values()]
    errors = np.log(np.add(short, LEAST_ERROR))
    process = GaussianProcess(x, errors, likeliest(x, errors, cube.parameters))
    expected = np.exp(process.expect(x)) - LEAST_ERROR
    values = 1 - expected if goal.better == "higher" else expected
    return dict(zip(found, values.tolist(), strict=True))


def _feasible(record: StudyRecord) -> pd.DataFrame:
    frame = table(record)
    feasible = frame[frame["outcome"] == "feasible"].copy()
    if feasible.empty:
        raise NothingFeasible(f"{record.name}: no trial is feasible, so there are no finalists")
    return feasible


def _layers(record: StudyRecord, frame: pd.DataFrame, count: int) -> list[TrialRecord]:
    """Return up to ``count`` trials: of the front, then of the front of the rest, and so on."""
    by_number = {trial.number: trial for trial in record.trials}
    left = frame.drop_duplicates(list(_objectives(record)))
    chosen: list[int] = []
    while len(chosen) < count and not left.empty:
        layer = _layer(record, left, count - len(chosen))
        chosen += layer
        left = left[~left["trial"].isin(layer)]
    return [by_number[number] for number in chosen]


def _layer(record: StudyRecord, frame: pd.DataFrame, count: int) -> list[int]:
    """Return up to ``count`` trials along the front of those that meet the limit of the goal.

    If none does, the best on the front of all.
    """
    kept = frame[_keep(record, frame)]
    best = front(frame if kept.empty else kept, _objectives(record))
    goal = record.space.goal
    rising = [goal.better == "lower", True]
    order = best.sort_values([goal.name, "size_kb"], ascending=rising)["trial"]
    last = min(len(order), count) - 1 if kept.empty else len(order) - 1
    places = np.linspace(0, last, min(len(order), count)).round().astype(int)
    return [int(number) for number in order.iloc[places]]


def _keep(record: StudyRecord, frame: pd.DataFrame) -> pd.Series:
    """Return, for each row, whether it meets the limit of the goal."""
    goal = record.space.goal.name
    limits = [limit for limit in record.space.limits if limit.metric == goal]
    return frame[goal].map(lambda share: all(one.violation(share) <= 0 for one in limits))


def _objectives(record: StudyRecord) -> dict[str, str]:
    goal = record.space.goal
    return {goal.name: goal.direction} | record.space.file.objectives
