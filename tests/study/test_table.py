import itertools
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from sweep.candidate import Candidate
from sweep.errors import ManyFailures, NothingFeasible, SpecError
from sweep.evaluation import Evaluation
from sweep.metrics import METRICS
from sweep.study.picks import PICKS, pick
from sweep.study.records import StudyRecord, TrialRecord
from sweep.study.table import failures, front, refuse_many_failures, select, table

from .fake_workers import evaluate, make_space

SPACE = make_space()

BEGAN = datetime(2026, 1, 2, 3, 4, 5)


def make_record(trials: int) -> StudyRecord:
    space, rng = make_space(), np.random.default_rng(0)
    rows = []
    for number in range(trials):
        candidate = space.candidate(space.draw(rng))
        objection = space.objection(candidate)
        evaluation = evaluate(candidate, space.limits)
        if objection is not None:
            evaluation = Evaluation("invalid", objection)
        rows.append(
            TrialRecord(number, candidate, evaluation, BEGAN, BEGAN + timedelta(seconds=number))
        )
    return StudyRecord("study", space, tuple(rows))


def test_the_funnel_counts_every_outcome_even_those_that_did_not_happen():
    record = make_record(60)
    funnel = record.funnel()
    assert list(funnel) == ["invalid", "gated", "stopped", "infeasible", "feasible", "failed"]
    assert sum(funnel.values()) == 60
    assert funnel["failed"] == funnel["stopped"] == 0
    assert min(funnel["invalid"], funnel["gated"], funnel["infeasible"], funnel["feasible"]) > 0


def failing(outcomes: str) -> StudyRecord:
    """Return a study whose trials failed (f), were infeasible (i) or invalid (x)."""
    named = {"f": Evaluation("failed", "E", traceback="T"), "i": Evaluation("infeasible")}
    named["x"] = Evaluation("invalid")
    trials = [TrialRecord(n, Candidate(), named[o], BEGAN, BEGAN) for n, o in enumerate(outcomes)]
    return StudyRecord("study", make_space(), tuple(trials))


@pytest.mark.parametrize("outcomes", ["f", "fx", "fffiiiiiiiii", "ffff" + 12 * "i"])
def test_many_failures_are_refused(outcomes):
    with pytest.raises(ManyFailures, match="; sweep trials study --failed shows why$"):
        refuse_many_failures(failing(outcomes), BEGAN)


@pytest.mark.parametrize("outcomes", ["", "i", "fi", "ffi", "fff" + 10 * "i"])
def test_few_are_not(outcomes):
    refuse_many_failures(failing(outcomes), BEGAN)


def test_nor_are_those_of_an_earlier_run():
    refuse_many_failures(failing("ffff"), BEGAN + timedelta(seconds=1))


def test_failures_are_listed_with_traceback_and_parameters():
    (row,) = failures(failing("if"))
    assert (row["trial"], row["reason"], row["traceback"]) == (1, "E", "T")
    assert row.keys() >= Candidate().parameters().keys()


def test_the_table_has_a_row_a_trial_and_every_parameter_and_metric():
    record = make_record(60)
    frame = table(record)
    assert list(frame["trial"]) == list(range(60))
    assert set(frame.columns) >= (set(Candidate().parameters()) - {"quantization"}) | set(
        SPACE.metrics
    )
    for row, trial in zip(frame.to_dict("records"), record.trials, strict=True):
        assert row["alpha"] == trial.candidate.network.alpha
        assert row["outcome"] == trial.evaluation.outcome
        assert row["seconds"] == sum(trial.evaluation.seconds.values())
        if trial.evaluation.result is not None:
            assert row["size_kb"] == trial.evaluation.result["size_kb"]
            assert row["variant"] == "float32"
            broken = trial.evaluation.result.violations.values()
            assert row["violation"] == pytest.approx(sum(v for v in broken if v > 0))


def test_what_was_not_measured_is_missing():
    frame = table(make_record(60))
    assert frame.loc[frame["outcome"] == "invalid", ["accuracy", "size_kb"]].isna().to_numpy().all()
    assert frame.loc[frame["outcome"] == "gated", "accuracy"].isna().all()
    assert frame.loc[frame["outcome"] == "gated", "size_kb"].notna().all()


def test_an_empty_study_has_a_table_without_rows():
    frame = table(make_record(0))
    assert frame.empty
    assert list(frame.columns) == list(table(make_record(3)).columns)
    assert select(frame, feasible=True, sort="size_kb", metrics=METRICS).empty


def test_the_listing_shows_the_feasible_only_when_asked():
    frame = table(make_record(60))
    assert select(frame, feasible=False, sort=None, metrics=METRICS) is frame
    assert set(select(frame, feasible=True, sort=None, metrics=METRICS)["outcome"]) == {"feasible"}


def test_accuracies_are_sorted_best_first_and_all_else_smallest_first():
    frame = table(make_record(60))
    feasible = select(frame, feasible=True, sort="accuracy", metrics=METRICS)
    assert feasible["accuracy"].is_monotonic_decreasing
    assert select(frame, feasible=True, sort="size_kb", metrics=METRICS)[
        "size_kb"
    ].is_monotonic_increasing
    assert set(select(frame, feasible=False, sort="size_kb", metrics=METRICS)["trial"]) == set(
        range(60)
    )


def test_a_column_that_is_not_there_is_told_with_the_nearest():
    with pytest.raises(SpecError) as refused:
        select(table(make_record(3)), feasible=False, sort="sizekb", metrics=METRICS)
    assert str(refused.value) == "--sort: no column 'sizekb'; did you mean size_kb?"


def feasible(rows: list[tuple[float, float, float]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["accuracy", "latency_ms", "size_kb"])
    return frame.assign(outcome="feasible", trial=range(len(rows)))


ROWS = feasible([(0.99, 5.0, 20.0), (0.97, 1.0, 9.0), (0.98, 2.0, 8.0), (0.97, 4.0, 3.0)])


@pytest.mark.parametrize(
    ("word", "trial"), [("smallest", 3), ("fastest", 1), ("most-accurate", 0), ("balanced", 2)]
)
def test_a_word_picks_its_trial(word, trial):
    assert pick(ROWS, word, SPACE)["trial"] == trial


@pytest.mark.parametrize("word", PICKS)
def test_what_is_not_feasible_is_never_picked(word):
    better = feasible([(1.0, 0.0, 0.0)]).assign(outcome="infeasible", trial=99)
    assert pick(pd.concat([better, ROWS]), word, SPACE)["trial"] != 99
    with pytest.raises(NothingFeasible, match="no trial is feasible, so there is nothing to pick"):
        pick(better, word, SPACE)


def test_ties_go_to_the_more_accurate_then_to_the_smaller():
    rows = feasible([(0.97, 1.0, 5.0), (0.98, 1.0, 5.0), (0.98, 1.0, 6.0)])
    assert pick(rows, "smallest", SPACE)["trial"] == 1
    assert pick(rows, "fastest", SPACE)["trial"] in (1, 2)
    assert pick(rows, "most-accurate", SPACE)["trial"] == 1


@pytest.mark.parametrize("word", ["fastest", "balanced"])
def test_a_trial_whose_latency_does_not_compare_is_not_picked_for_it(word):
    elsewhere = feasible([(1.0, np.nan, 0.1)]).assign(trial=99)
    assert pick(pd.concat([elsewhere, ROWS]), word, SPACE)["trial"] != 99
    assert pick(pd.concat([elsewhere, ROWS]), "smallest", SPACE)["trial"] == 99
    assert pick(elsewhere, word, SPACE)["trial"] == 99


def test_a_row_names_the_machine_of_its_trial():
    record = make_record(1)
    (trial,) = record.trials
    where = replace(trial.evaluation, machine="host", processor="x86_64 Fast")
    rows = table(replace(record, trials=(trial, replace(trial, evaluation=where))))
    assert rows[["machine", "processor"]].isna().all(axis=1).tolist() == [True, False]
    assert (rows["machine"][1], rows["processor"][1]) == ("host", "x86_64 Fast")


def test_one_feasible_trial_is_every_pick():
    assert {int(pick(ROWS.iloc[[2]], word, SPACE)["trial"]) for word in PICKS} == {2}


def test_balanced_is_the_nearest_to_the_best_of_each():
    rng = np.random.default_rng(1)
    frame = feasible(list(map(tuple, rng.random((40, 3)))))
    costs = np.array([(-row.accuracy, row.latency_ms, row.size_kb) for row in frame.itertuples()])
    shares = (costs - costs.min(axis=0)) / np.ptp(costs, axis=0)
    distances = [float(np.linalg.norm(share)) for share in shares]
    assert pick(frame, "balanced", SPACE)["trial"] == distances.index(min(distances))


def brute_force_front(frame: pd.DataFrame, objectives: dict[str, str]) -> set[int]:
    """Return the trials that no other beats, by comparing every pair."""
    rows = {
        row["trial"]: [row[m] * (-1 if way == "maximize" else 1) for m, way in objectives.items()]
        for row in frame.to_dict("records")
    }
    beaten = {
        a
        for (a, mine), (b, theirs) in itertools.product(rows.items(), repeat=2)
        if all(x <= y for x, y in zip(theirs, mine, strict=True)) and theirs != mine
    }
    return set(rows) - beaten


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "objectives",
    [
        {"accuracy": "maximize", "latency_ms": "minimize", "size_kb": "minimize"},
        {"size_kb": "minimize", "accuracy": "maximize"},
        {"latency_ms": "minimize"},
    ],
)
def test_the_front_is_what_brute_force_finds(seed, objectives):
    values = np.random.default_rng(seed).integers(0, 8, (80, 3)).astype(float)
    frame = feasible(list(map(tuple, values)))
    found = front(frame, objectives)
    assert set(found["trial"]) == brute_force_front(frame, objectives)
    first, way = next(iter(objectives.items()))
    ordered = found[first] if way == "minimize" else -found[first]
    assert ordered.is_monotonic_increasing


def test_equal_trials_are_both_on_the_front():
    assert len(front(feasible([(0.9, 1.0, 1.0), (0.9, 1.0, 1.0)]), {"size_kb": "minimize"})) == 2


def test_no_rows_have_no_front():
    assert front(ROWS.iloc[:0], {"size_kb": "minimize"}).empty


class TestUnequalWords:
    """Nine clips in ten are of one word."""

    @staticmethod
    def record(*matrices, outcome="feasible") -> StudyRecord:
        made = make_record(len(matrices))
        trials = tuple(
            replace(trial, evaluation=replace(trial.evaluation, outcome=outcome, confusion=one))
            for trial, one in zip(made.trials, matrices, strict=True)
        )
        return replace(made, trials=trials, about={"labels": ["go", "other"]})

    def test_are_told_with_the_trials_that_may_be_no_better_than_always_predicting_one(self):
        good, deaf = ((20, 0), (1, 179)), ((2, 18), (1, 179))
        told = self.record(good, deaf, deaf).balance_caution
        assert told == (
            "other is 90% of the validation clips; 2 of 3 feasible trials are not shown to be"
            " better than always predicting it"
        )
        assert self.record(good).balance_caution == "other is 90% of the validation clips"

    def test_of_equal_words_nothing_is_told(self):
        assert self.record(((90, 10), (10, 90))).cautions == []
        assert make_record(0).cautions == []


def test_of_words_that_nobody_said_it_is_told():
    spoken = replace(make_record(0), about={"source": "synthetic"})
    told = "all clips are synthetic speech; recorded speech may be misclassified"
    assert spoken.cautions == [told]
    assert replace(spoken, about={"source": "mini_speech_commands"}).cautions == []
