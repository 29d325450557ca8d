from dataclasses import replace

import pytest

from sweep.errors import StudyError
from sweep.study.finalists import choose_finalists
from sweep.study.table import front, table

from ..report.made_up import make_record


@pytest.mark.parametrize("top", [1, 2, 3, 5])
def test_finalists_are_spread_along_the_front_from_the_most_accurate(top):
    record = make_record(150, seed=11)
    frame = table(record)
    best = front(frame[frame["outcome"] == "feasible"], record.space.file.objectives)
    numbers = [trial.number for trial in choose_finalists(record, top)]
    accuracies = [
        trial.evaluation.result.accuracy
        for number in numbers
        for trial in record.trials
        if trial.number == number
    ]
    assert len(best) > 5 and len(set(numbers)) == top
    assert set(numbers) <= set(best["trial"])
    assert accuracies[0] == best["accuracy"].max()
    assert top == 1 or accuracies[-1] == best["accuracy"].min()
    assert accuracies == sorted(accuracies, reverse=True)


def test_a_short_front_is_taken_whole():
    record = make_record(150, seed=11)
    frame = table(record)
    best = front(frame[frame["outcome"] == "feasible"], record.space.file.objectives)
    chosen = choose_finalists(record, 1000)
    assert sorted(trial.number for trial in chosen) == sorted(best["trial"])


def test_trials_that_measured_the_same_are_one_finalist():
    record = make_record(150, seed=11)
    chosen = choose_finalists(record, 1000)
    twins = [replace(trial, number=trial.number + 1000) for trial in record.trials]
    doubled = choose_finalists(replace(record, trials=(*record.trials, *twins)), 1000)
    assert [trial.candidate for trial in doubled] == [trial.candidate for trial in chosen]


def test_no_finalists_where_nothing_is_feasible():
    record = make_record(20, seed=11, offset=-0.5)
    with pytest.raises(StudyError, match="no trial is feasible"):
        choose_finalists(record, 5)
