"""Values of ranges, against Optuna's own sampling."""

from collections import Counter

import numpy as np
import optuna
import pytest
from optuna.distributions import IntDistribution

from sweep import distributions


@pytest.mark.parametrize("high", [4, 12])
def test_whole_numbers_of_a_log_range_are_drawn_as_often_as_optuna_draws_them(high):
    kind, draws = IntDistribution(1, high, log=True), 4000
    ours = Counter(distributions.draws(kind, np.random.default_rng(0), draws))
    sampler = optuna.samplers.RandomSampler(seed=0)
    study = optuna.create_study(sampler=sampler)
    trial = study.ask()
    theirs = Counter(
        sampler.sample_independent(study, trial._cached_frozen_trial, "x", kind)
        for _ in range(draws)
    )
    assert set(ours) == set(theirs) == set(range(1, high + 1))
    for number in theirs:
        assert ours[number] / draws == pytest.approx(theirs[number] / draws, abs=0.03)


def test_some_values_of_a_log_range_are_equal_ratios_apart():
    assert distributions.values(IntDistribution(8, 512, log=True), 5) == [8, 23, 64, 181, 512]
    assert distributions.values(IntDistribution(1, 4, log=True), 5) == [1, 2, 3, 4]
    assert distributions.values(IntDistribution(1, 20, log=True), 9)[:3] == [1, 2, 3]
