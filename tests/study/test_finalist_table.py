from dataclasses import replace
from statistics import fmean, stdev

from sweep.statistics import poisson, wilson
from sweep.study.finalist import CrossValidation
from sweep.study.finalist_table import describe_finalist, finalist_table, streams_table

from ..report.fake_studies import SPACE, SPOTTER, make_record, with_finalists


def test_each_finalist_has_a_row_of_means_over_its_trainings():
    record = with_finalists(make_record(80, seed=11), 2)
    found = finalist_table(record)
    assert found.title == "Trained again from 3 seeds, then the 212 test clips, once"
    for one, row in zip(record.finalists, found.rows, strict=True):
        cells = dict(zip(found.head, row, strict=True))
        shares = [training.test["accuracy"] for training in one.retrainings]
        low, high = wilson(fmean(shares), 212)
        assert cells["trial"] == str(one.trial)
        assert cells["holds"] == ("yes" if one.trial in record.confirmed() else "no")
        assert cells["test accuracy"] == f"{fmean(shares):.3f} ± {stdev(shares):.3f}"
        assert cells["interval"] == f"{low:.3f}–{high:.3f}"
        times = [training.test["latency_ms"] for training in one.retrainings]
        assert cells["latency"] == f"{fmean(times):.3f} ± {stdev(times):.3f}\u00a0ms"
        luck = 100 * (one.searched["accuracy"] - fmean(shares))
        assert cells["luck"] == f"{luck:+.1f} points".replace("-", "−")


def test_of_one_seed_no_spread_is_told():
    record = with_finalists(make_record(80, seed=11), 2, seeds=1)
    found = finalist_table(record)
    assert found.title == "Trained again from 1 seed, then the 212 test clips, once"
    assert not any("±" in cell for row in found.rows for cell in row)
    assert not any("±" in line for line in describe_finalist(record.finalists[0], record))


def test_test_clips_that_more_trials_were_measured_on_are_told():
    record = with_finalists(make_record(80, seed=11), 2)
    assert "once" in finalist_table(record).title and "by now" not in finalist_table(record).title
    record = replace(record, tested=(1, 2, 3, 4, 5))
    assert "5 trials have been measured on them by now" in finalist_table(record).title


def test_cross_validated_accuracy_is_told_where_it_is_known():
    record = with_finalists(make_record(80, seed=11), 2)
    assert "cross-validated" not in finalist_table(record).head
    first, second = record.finalists
    folds = CrossValidation((((14, 1), (2, 13)), ((5, 0), (0, 5))))
    found = finalist_table(replace(record, finalists=(replace(first, validated=folds), second)))
    column = found.head.index("cross-validated")
    assert [row[column] for row in found.rows] == ["0.925 (0.126–0.999)", "–"]


def test_what_else_the_study_limits_is_told_too():
    space = SPACE.replace("limits: {", 'limits: {arena_kb: "<= 40", ')
    record = with_finalists(make_record(80, seed=11, space=space), 2)
    found = finalist_table(record)
    assert found.head[-3:] == ("size", "latency", "arena")
    for one, row in zip(record.finalists, found.rows, strict=True):
        assert row[-1].startswith(f"{one.mean('arena_kb'):.2f} ± ")


def test_what_is_detected_in_a_stream_has_a_table_of_its_own():
    assert streams_table(with_finalists(make_record(80, seed=11), 2)) is None
    record = with_finalists(make_record(80, seed=11, space=SPOTTER), 2)
    assert "miss rate" not in finalist_table(record).head
    found = streams_table(record)
    assert found.title == "In 0.25 h of sound by test speakers"
    assert found.head == (
        *("trial", "false alarms", "interval", "in the search"),
        *("miss rate", "interval", "in the search", "detection delay", "in the search"),
    )
    for one, row in zip(record.finalists, found.rows, strict=True):
        rates = [training.test["false_alarms_per_hour"] for training in one.retrainings]
        low, high = poisson(fmean(rates), 0.25)
        assert row[:2] == (str(one.trial), f"{fmean(rates):.2f} ± {stdev(rates):.2f}\u00a0per hour")
        assert row[2] == f"{low:.2f}–{high:.2f}"
        shares = [training.test["miss_rate"] for training in one.retrainings]
        said = sum(word.label in ("stop", "go") for word in one.listening.spoken)
        assert row[5] == "–".join(f"{end:.3f}" for end in wilson(fmean(shares), said))


def test_where_misses_are_the_aim_folds_tell_of_the_clips():
    record = with_finalists(make_record(80, seed=11, space=SPOTTER), 1)
    folds = CrossValidation((((14, 1), (2, 13)), ((5, 0), (0, 5))))
    (one,) = record.finalists
    found = finalist_table(replace(record, finalists=(replace(one, validated=folds),)))
    cells = dict(zip(found.head, found.rows[0], strict=True))
    assert cells["test miss rate"].startswith(f"{one.mean('miss_rate'):.3f} ± ")
    assert cells["cross-validated"].startswith("0.925 (")
