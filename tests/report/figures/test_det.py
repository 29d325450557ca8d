"""Misses against false alarms, computed and drawn."""

from dataclasses import replace
from statistics import NormalDist, fmean

import pytest

from sweep.report.figures.det import det, draw_det
from sweep.statistics import poisson, wilson

from ..fake_studies import SPOTTER, make_record, with_finalists


@pytest.fixture(scope="module")
def record():
    return with_finalists(make_record(60, seed=3, space=SPOTTER), 2)


def test_there_is_none_without_a_stream():
    assert det(with_finalists(make_record(60, seed=3), 2)) is None


def test_a_finalist_is_where_its_trainings_work_on_average(record):
    found = det(record)
    assert found.hours == 0.25 and found.fewest[0] == 2.0
    for one, finalist in zip(found.finalists, record.finalists, strict=True):
        rates = [again.test["false_alarms_per_hour"] for again in finalist.retrainings]
        shares = [again.test["miss_rate"] for again in finalist.retrainings]
        assert (one.alarms, one.misses) == (fmean(rates), fmean(shares))
        assert one.alarms_interval == poisson(fmean(rates), 0.25)
        assert one.misses_interval == wilson(fmean(shares), finalist.exposures["miss_rate"])
        assert one.holds == (one.trial in record.confirmed())


def test_a_curve_has_the_fewest_misses_within_so_many_false_alarms(record):
    found = det(record).finalists
    assert max(len(curve) for one in found for curve in one.curves) > 5
    for one, finalist in zip(found, record.finalists, strict=True):
        for curve, again in zip(one.curves, finalist.retrainings, strict=True):
            assert set(curve) <= set(again.curve)
            for misses, alarms in again.curve:
                assert min(m for m, a in curve if a <= alarms) <= misses
            assert [a for _, a in curve] == sorted({a for _, a in curve})


def test_all_that_finalists_reach_is_in_view_with_the_limits(record):
    found = det(record)
    for low, high, points in (
        (*found.alarms_range, [20.0, *(one.alarms for one in found.finalists)]),
        (*found.misses_range, [0.3, *(one.misses for one in found.finalists)]),
    ):
        assert low < min(points) and max(points) < high


def test_it_is_drawn_with_normal_deviates_against_a_log_axis(record):
    found = det(record)
    figure = draw_det(found)
    point, *_ = (trace for trace in figure.data if trace.name)
    one = found.finalists[0]
    assert point.customdata == (one.trial,)
    assert 10 ** point.x[0] == pytest.approx(one.alarms, rel=1e-3)
    assert NormalDist().cdf(point.y[0]) == pytest.approx(one.misses, rel=1e-3)
    x, y = figure.layout.xaxis, figure.layout.yaxis
    assert x.ticktext[0] == "0" and 10 ** x.tickvals[0] == pytest.approx(2.0)
    place = y.ticktext.index("20 %")
    assert NormalDist().cdf(y.tickvals[place]) == pytest.approx(0.2)
    assert [note.text for note in figure.layout.annotations] == ["≤ 20", "≤ 30 %"]


def test_no_false_alarm_and_no_miss_have_a_place(record):
    one, *_ = record.finalists
    none = {"false_alarms_per_hour": 0.0, "miss_rate": 0.0}
    trainings = tuple(replace(a, test={**a.test, **none}) for a in one.retrainings)
    found = det(replace(record, finalists=(replace(one, retrainings=trainings),)))
    (point,) = (trace for trace in draw_det(found).data if trace.name)
    assert 10 ** point.x[0] == pytest.approx(2.0, rel=1e-3)
    assert 0 < NormalDist().cdf(point.y[0]) < 0.01
