from dataclasses import replace
from statistics import fmean, stdev

import pytest

from sweep.report.figures import told_of
from sweep.report.tables import (
    PUBLISHED,
    finalist_table,
    published_tables,
    table_rows,
    trial_rows,
)
from sweep.report.words import amount, finalist_hover, hover
from sweep.statistics import wilson
from sweep.study.confirmation import CrossValidation
from sweep.study.table import table

from .made_up import SPACE, make_record, with_finalists


@pytest.fixture(scope="module")
def record():
    return make_record(200, seed=10)


def test_the_columns_are_the_published_ones():
    assert list(PUBLISHED) == [
        "original_size",
        "tflite_size",
        "compressed_size",
        "preprocessing_latency",
        "model_latency",
        "total_latency",
        "original_accuracy",
        "tflite_accuracy",
    ]


def test_every_trial_has_a_row_with_what_was_measured(record):
    rows = trial_rows(record, table(record))
    for i, trial in enumerate(record.trials):
        result = trial.evaluation.result
        assert rows["trial"][i] == trial.number
        if result is None:
            assert rows["compressed_size"][i] is None and rows["low"][i] is None
            continue
        assert rows["compressed_size"][i] == pytest.approx(result["size_kb"], abs=1e-4)
        assert rows["total_latency"][i] == pytest.approx(
            rows["preprocessing_latency"][i] + rows["model_latency"][i], abs=2e-5
        )
        if trial.evaluation.clips:
            ends = wilson(result["accuracy"], trial.evaluation.clips)
            assert (rows["low"][i], rows["high"][i]) == pytest.approx(ends, abs=1e-4)


def test_a_metric_that_the_study_limits_has_a_column():
    record = make_record(60, seed=10, space=SPACE.replace("limits: {", 'limits: {ram_kb: "<= 4", '))
    shown = table_rows(record, table(record))
    assert [column["name"] for column in shown["columns"] if column.get("extra")] == ["ram_kb"]
    for i, trial in enumerate(record.trials):
        result = trial.evaluation.result
        known = None if result is None else pytest.approx(result["ram_kb"], abs=1e-4)
        assert shown["trials"]["ram_kb"][i] == known
    told = hover(table(record).iloc[0].to_dict(), told_of(record))
    assert "ram_kb" in told and "alpha" in told


def test_parameters_are_not_rounded(record):
    parameters = table_rows(record, table(record))["parameters"]
    assert parameters["alpha"] == [t.candidate.network.alpha for t in record.trials]
    assert set(parameters["noise_snr_db"]) == {"none", 0, 10}
    assert set(parameters["features"]) == {"mfcc", "log_mel"}


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        ("parameters", 12345.0, "12,345"),
        ("multiply_adds", 1234999, "1,234,999"),
        ("ram_kb", 0.5625, "0.56\u00a0KB"),
        ("model_latency_ms", 0.01, "0.010\u00a0ms"),
        ("accuracy", 0.97, "0.970"),
        ("size_kb", None, "–"),
    ],
)
def test_amounts_are_written_in_full(metric, value, text):
    assert amount(metric, value) == text


def test_the_five_tables_describe_the_smallest_feasible_trial(record):
    tables = published_tables(record, table(record))
    assert [table.title.split(".")[0] for table in tables] == [
        f"Table {number}" for number in ("I", "II", "III", "IV", "V")
    ]
    best = min(
        (t for t in record.trials if t.evaluation.outcome == "feasible"),
        key=lambda t: t.evaluation.result["size_kb"],
    )
    assert f"trial {best.number}," in tables[2].title
    space, training, frontend, results, network = (dict(table.rows) for table in tables)
    assert space["alpha"] == "0.08 to 1, log scale"
    assert space["num_mel_bins"] == "8 to 40 in steps of 4"
    assert training["epochs"] == "30" and training["batch_size"] == "20"
    assert frontend["features"] == best.candidate.frontend.features
    assert results["compressed_size"] == f"{best.evaluation.result['size_kb']:.2f} KB"
    assert network["blocks"] == str(best.candidate.network.blocks)


def test_with_finalists_the_tables_tell_what_was_heard_then_apart_from_the_search():
    record = with_finalists(make_record(80, seed=11), 3)
    sizes = {trial: one.mean("size_kb") for trial, one in record.confirmed().items()}
    held = min(sizes, key=sizes.__getitem__)
    tables = published_tables(record, table(record))
    assert f"trial {held}, the smallest finalist that holds" in tables[2].title
    results = dict(tables[3].rows)
    found = record.trials[held].evaluation.result
    assert results["tflite_accuracy"] == f"{found['accuracy']:.3f}"
    again = record.confirmed()[held]
    assert results["test_accuracy"] == f"{again.mean('accuracy'):.3f}"
    assert results["95 % interval, test clips"].endswith(f", {again.test_clips} clips")


def test_test_clips_that_more_trials_have_heard_are_told():
    record = with_finalists(make_record(80, seed=11), 2)
    assert "once" in finalist_table(record).title and "by now" not in finalist_table(record).title
    record = replace(record, tested=(1, 2, 3, 4, 5))
    assert "5 trials have been measured on them by now" in finalist_table(record).title


def test_without_a_feasible_trial_only_the_question_is_told():
    record = make_record(0)
    assert len(published_tables(record, table(record))) == 2


def test_what_finalists_hear_by_folds_is_told_where_it_is_known():
    record = with_finalists(make_record(80, seed=11), 2)
    assert "cross-validated" not in finalist_table(record).head
    first, second = record.finalists
    folds = CrossValidation((((14, 1), (2, 13)), ((5, 0), (0, 5))))
    table = finalist_table(replace(record, finalists=(replace(first, validated=folds), second)))
    column = table.head.index("cross-validated")
    assert [row[column] for row in table.rows] == ["0.925 (0.290–1.000)", "-"]


def test_what_else_the_study_limits_is_told_of_finalists_as_the_search_measured_it():
    space = SPACE.replace("limits: {", 'limits: {ram_kb: "<= 40", ')
    record = with_finalists(make_record(80, seed=11, space=space), 2)
    table = finalist_table(record)
    assert table.head[-3:] == ("size", "latency", "ram")
    for one, row in zip(record.finalists, table.rows, strict=True):
        assert row[-1] == f"{record.trials[one.trial].evaluation.result['ram_kb']:.2f}\u00a0KB"


def test_of_one_seed_no_spread_is_told():
    record = with_finalists(make_record(80, seed=11), 2, seeds=1)
    table = finalist_table(record)
    assert table.title == "Trained again from 1 seed, then the 212 test clips, once"
    assert not any("±" in cell for row in table.rows for cell in row)
    assert "±" not in finalist_hover(record.finalists[0], True)


def test_each_finalist_has_a_row_of_means_over_its_trainings():
    record = with_finalists(make_record(80, seed=11), 2)
    table = finalist_table(record)
    assert table.title == "Trained again from 3 seeds, then the 212 test clips, once"
    for one, row in zip(record.finalists, table.rows, strict=True):
        cells = dict(zip(table.head, row, strict=True))
        shares = [training.test["accuracy"] for training in one.retrainings]
        low, high = wilson(fmean(shares), 212)
        assert cells["trial"] == str(one.trial)
        assert cells["holds"] == ("yes" if one.trial in record.confirmed() else "no")
        assert cells["test accuracy"] == f"{fmean(shares):.3f} ± {stdev(shares):.3f}"
        assert cells["interval"] == f"{low:.3f}–{high:.3f}"
        times = [training.test["latency_ms"] for training in one.retrainings]
        assert cells["latency"] == f"{fmean(times):.3f} ± {stdev(times):.3f} ms"
        luck = 100 * (one.searched["accuracy"] - fmean(shares))
        assert cells["luck"] == f"{luck:+.1f} points".replace("-", "−")
