import numpy as np
import pytest

from sweep.statistics import chance_above, chance_of_rate_above, poisson, wilson


@pytest.mark.parametrize(
    ("share", "count", "low", "high"),
    [
        (0.5, 10, 0.2366, 0.7634),
        (0.0, 10, 0.0, 0.2775),
        (1.0, 10, 0.7225, 1.0),
        (81 / 263, 263, 0.2553, 0.3662),
    ],
)
def test_wilson_agrees_with_published_values(share, count, low, high):
    """The last is Newcombe's example (Statistics in Medicine, 1998), the others follow by hand."""
    assert wilson(share, count) == pytest.approx((low, high), abs=5e-5)


def test_wilson_without_clips_says_nothing():
    assert wilson(0.9, 0) == (0.0, 1.0)


def test_the_chance_agrees_with_drawing_from_the_posterior():
    rng = np.random.default_rng(0)
    for bound, share, count in ((0.97, 0.985, 212), (0.9, 0.8, 50), (0.5, 1.0, 10)):
        heard = share * count
        drawn = rng.beta(heard + 0.5, count - heard + 0.5, 400_000)
        assert chance_above(bound, share, count) == pytest.approx((drawn >= bound).mean(), abs=3e-3)


def test_nothing_heard_leaves_every_share_as_likely():
    assert chance_above(0.97, 0.0, 0) == pytest.approx(0.03)


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [(1, 0.025318, 5.571643), (5, 1.623486, 11.668332), (10, 4.795389, 18.390356)],
)
@pytest.mark.parametrize("hours", [1.0, 2.5])
def test_poisson_agrees_with_published_values(count, low, high, hours):
    """The exact limits tabulated by Garwood (Biometrika, 1936) and since."""
    expected = (low / hours, high / hours)
    assert poisson(count / hours, hours) == pytest.approx(expected, rel=1e-5)


def test_no_event_in_two_hours_is_below_one_and_a_half_an_hour():
    low, high = poisson(0.0, 2.0)
    assert low == 0 and high == pytest.approx(1.498, abs=1e-3)
    assert poisson(0.0, 0.0) == (0.0, float("inf"))


def test_the_chance_of_a_rate_agrees_with_drawing_from_the_posterior():
    rng = np.random.default_rng(0)
    for bound, rate, hours in ((1.0, 0.0, 2.0), (1.0, 3.0, 2.0), (20.0, 17.0, 1.0)):
        drawn = rng.gamma(rate * hours + 0.5, 1 / hours, 400_000)
        expected = (drawn >= bound).mean()
        assert chance_of_rate_above(bound, rate, hours) == pytest.approx(expected, abs=3e-3)
