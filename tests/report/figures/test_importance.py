import numpy as np
import pytest

from sweep.report.figures.importance import bins, draw_importance, epsilon_squared, importance
from sweep.study.table import table

from ..fake_studies import make_record


def test_a_parameter_that_matters_and_one_that_does_not():
    rng = np.random.default_rng(0)
    cause, bystander = rng.integers(0, 4, 400), rng.integers(0, 4, 400)
    values = cause + 0.5 * rng.standard_normal(400)
    expected = cause.var() / (cause.var() + 0.25)
    assert epsilon_squared(cause, values) == pytest.approx(expected, abs=0.03)
    assert epsilon_squared(bystander, values) < 0.02


def test_noise_explains_nothing_on_average():
    shares = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        shares.append(epsilon_squared(rng.integers(0, 5, 25), rng.standard_normal(25)))
    assert np.mean(shares) < 0.08
    assert np.median(shares) < 0.01


def test_a_smooth_influence_is_seen_through_the_bins():
    rng = np.random.default_rng(3)
    x = rng.uniform(0, 1, 500)
    assert epsilon_squared(bins(list(x)), x) > 0.9
    assert epsilon_squared(bins(list(x)), (x - 0.5) ** 2) > 0.7


def test_bins_hold_equally_many():
    counts = np.unique(bins(list(np.arange(100.0))), return_counts=True)[1]
    assert list(counts) == [20] * 5
    assert list(bins([1.0, 2.0, None])) == [1.0, 2.0, -1.0]


def test_constant_values_and_single_groups_explain_nothing():
    assert epsilon_squared(np.array([0, 1, 0, 1]), np.ones(4)) == 0.0
    assert epsilon_squared(np.zeros(4), np.arange(4.0)) == 0.0


def test_importance_finds_what_made_the_study_up():
    record = make_record(600, seed=4)
    found = importance(record, table(record))
    assert found.metrics == ["accuracy", "latency_ms", "size_kb", "feasible"]
    share = {
        (parameter, metric): found.shares[i][j]
        for i, parameter in enumerate(found.parameters)
        for j, metric in enumerate(found.metrics)
    }
    assert found.parameters[0] == "alpha"
    assert share["alpha", "size_kb"] > 0.4
    assert share["frame_step_in_s", "latency_ms"] > share["frame_step_in_s", "size_kb"]
    assert share["noise_snr_db", "accuracy"] < 0.03
    assert draw_importance(found).data[0].z[0][0] == found.shares[0][0]


def test_too_few_trials_tell_nothing():
    record = make_record(5, seed=4)
    found = importance(record, table(record))
    assert {share for row in found.shares for share in row} == {None}
