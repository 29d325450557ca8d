from dataclasses import replace

import pytest

from sweep.report.page.trials import noted_trials, trial_details, trial_rows
from sweep.statistics import wilson
from sweep.study.finalist import Finalist
from sweep.study.records import TrialRecord
from sweep.study.summary import feasible_front
from sweep.study.table import table

from ..fake_studies import SPACE, again, make_record


@pytest.fixture(scope="module")
def record():
    return make_record(300, seed=13)


def test_every_trial_has_a_row_with_what_was_measured(record):
    shown = trial_rows(record, table(record))
    rows, ends = shown["trials"], shown["intervals"]
    for i, trial in enumerate(record.trials):
        result = trial.evaluation.result
        assert rows["trial"][i] == trial.number
        if result is None:
            assert rows["size_kb"][i] is None and ends["accuracy"][i] is None
            continue
        assert rows["size_kb"][i] == pytest.approx(result["size_kb"], abs=1e-4)
        assert rows["latency_ms"][i] == pytest.approx(
            rows["preprocessing_latency_ms"][i] + rows["model_latency_ms"][i], abs=2e-5
        )
        if trial.evaluation.clips:
            expected = wilson(result["accuracy"], trial.evaluation.clips)
            assert ends["accuracy"][i] == pytest.approx(list(expected), abs=1e-4)


def test_the_metrics_that_the_study_names_come_first():
    record = make_record(
        60, seed=10, space=SPACE.replace("limits: {", 'limits: {arena_kb: "<= 4", ')
    )
    columns = trial_rows(record, table(record))["columns"]
    named = [column["name"] for column in columns if column["studied"]]
    assert named == ["accuracy", "latency_ms", "size_kb", "arena_kb"]
    assert [column["name"] for column in columns][:4] == named
    assert {column["name"] for column in columns} == set(record.space.metrics)


def test_parameters_are_not_rounded(record):
    parameters = trial_rows(record, table(record))["parameters"]
    assert parameters["alpha"] == [t.candidate.network.alpha for t in record.trials]
    assert set(parameters["noise_snr_db"]) == {"none", 0, 10}
    assert set(parameters["frontend"]) == {"mfcc", "log_mel"}


def test_trials_gated_before_anything_was_converted_have_no_latency():
    record = make_record(60)
    names = ("latency_ms", "preprocessing_latency_ms", "model_latency_ms", "arena_kb")

    def estimated(trial: TrialRecord) -> TrialRecord:
        found = trial.evaluation
        if found.outcome != "gated":
            return trial
        variants = tuple(
            replace(one, metrics={**one.metrics, **dict.fromkeys(names)}) for one in found.variants
        )
        return replace(trial, evaluation=replace(found, variants=variants))

    record = replace(record, trials=tuple(map(estimated, record.trials)))
    rows = trial_rows(record, table(record))["trials"]
    known = zip(rows["outcome"], rows["latency_ms"], rows["size_kb"], strict=True)
    seen = {(outcome == "gated", ms is None) for outcome, ms, kb in known if kb is not None}
    assert seen == {(True, True), (False, False)}


def test_each_trial_on_the_front_is_worth_details(record):
    frame = table(record)
    front = set(feasible_front(record, frame)["trial"])
    noted = noted_trials(record, frame)
    assert front <= {trial.number for trial in noted}
    for trial in noted:
        found, details = trial.evaluation, trial_details(record, trial)
        assert details["variants"][details["chosen"]][0] == found.result.quantization
        assert len(details["accuracies"]) == len(details["losses"]) == 30
        assert sum(map(sum, details["confusion"])) == found.clips
        assert [clip["name"] for clip in details["mistakes"]] == list(found.mistakes[:24])
        assert details["machine"] == found.machine == ""
        assert details["more_mistakes"] == max(0, len(found.mistakes) - 24)
        assert details["varied"]["frontend"] == trial.candidate.chosen("frontend")
        assert details["varied"].keys() | details["fixed"].keys() == (
            trial.candidate.parameters().keys()
        )


def test_details_name_the_machine(record):
    trial = record.trials[0]
    where = replace(trial.evaluation, machine="host", processor="x86_64 Fast")
    assert trial_details(record, replace(trial, evaluation=where))["machine"] == "host, x86_64 Fast"


def test_a_finalist_off_the_front_is_worth_details_too(record):
    frame = table(record)
    feasible = {t.number for t in record.trials if t.evaluation.outcome == "feasible"}
    beaten = min(feasible - set(feasible_front(record, frame)["trial"]))
    one = Finalist(beaten, {"accuracy": 0.98}, (again(1, 0.98),), 200, {"accuracy": 200})
    assert beaten in {t.number for t in noted_trials(replace(record, finalists=(one,)), frame)}


def test_where_nothing_is_feasible_no_trial_is_worth_details():
    record = make_record(40, offset=-0.2)
    assert noted_trials(record, table(record)) == []


def test_of_an_untrained_network_what_was_expected_is_told(record):
    gated = next(one for one in record.trials if one.evaluation.outcome == "gated")
    details = trial_details(record, gated)
    assert details["title"] == "Variants expected, of an untrained network"
    assert "accuracy" not in details["head"] and details["confusion"] == []


def test_a_loss_that_diverged_is_left_out(record):
    trial = next(one for one in record.trials if one.evaluation.trained)
    found = replace(trial.evaluation, losses=(1.0, float("nan"), float("inf")))
    assert trial_details(record, replace(trial, evaluation=found))["losses"] == [1.0, None, None]
