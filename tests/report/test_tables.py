from dataclasses import replace
from statistics import fmean, stdev

import pytest

from sweep.intervals import wilson
from sweep.report.frame import trial_frame
from sweep.report.tables import PUBLISHED, finalist_table, published_tables, trial_rows
from sweep.report.words import finalist_hover
from sweep.study.confirmation import CrossValidation

from .made_up import make_record, with_finalists


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
    rows = trial_rows(trial_frame(record))
    for i, trial in enumerate(record.trials):
        result = trial.evaluation.result
        assert rows["trial"][i] == trial.number
        if result is None:
            assert rows["compressed_size"][i] is None and rows["low"][i] is None
            continue
        assert rows["compressed_size"][i] == pytest.approx(result.size_kb, abs=1e-4)
        assert rows["total_latency"][i] == pytest.approx(
            rows["preprocessing_latency"][i] + rows["model_latency"][i], abs=2e-5
        )
        if trial.evaluation.clips:
            ends = wilson(result.accuracy, trial.evaluation.clips)
            assert (rows["low"][i], rows["high"][i]) == pytest.approx(ends, abs=1e-4)


def test_the_five_tables_describe_the_smallest_feasible_trial(record):
    tables = published_tables(record, trial_frame(record))
    assert [table.title.split(".")[0] for table in tables] == [
        f"Table {number}" for number in ("I", "II", "III", "IV", "V")
    ]
    best = min(
        (t for t in record.trials if t.evaluation.outcome == "feasible"),
        key=lambda t: t.evaluation.result.size_kb,
    )
    assert f"trial {best.number}," in tables[2].title
    space, training, frontend, results, network = (dict(table.rows) for table in tables)
    assert space["alpha"] == "0.08 to 1, log scale"
    assert space["num_mel_bins"] == "8 to 40 in steps of 4"
    assert training["epochs"] == "30" and training["batch_size"] == "20"
    assert frontend["features"] == best.candidate.frontend.features
    assert results["compressed_size"] == f"{best.evaluation.result.size_kb:.2f} KB"
    assert network["blocks"] == str(best.candidate.network.blocks)


def test_without_a_feasible_trial_only_the_question_is_told():
    record = make_record(0)
    assert len(published_tables(record, trial_frame(record))) == 2


def test_what_finalists_hear_by_folds_is_told_where_it_is_known():
    record = with_finalists(make_record(80, seed=11), 2)
    assert "cross-validated" not in finalist_table(record).head
    first, second = record.finalists
    folds = CrossValidation((0.9, 1.0), (30, 10))
    table = finalist_table(replace(record, finalists=(replace(first, validated=folds), second)))
    column = table.head.index("cross-validated")
    assert [row[column] for row in table.rows] == ["0.925", "-"]


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
        shares = [training.test_accuracy for training in one.retrainings]
        low, high = wilson(fmean(shares), 212)
        assert cells["trial"] == str(one.trial)
        assert cells["holds"] == ("yes" if one.trial in record.confirmed() else "no")
        assert cells["test accuracy"] == f"{fmean(shares):.3f} ± {stdev(shares):.3f}"
        assert cells["interval"] == f"{low:.3f}–{high:.3f}"
        times = [training.latency_ms for training in one.retrainings]
        assert cells["latency"] == f"{fmean(times):.3f} ± {stdev(times):.3f} ms"
        luck = 100 * (one.searched["accuracy"] - fmean(shares))
        assert cells["luck"] == f"{luck:+.1f} points".replace("-", "−")
