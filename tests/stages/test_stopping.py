import numpy as np
import pytest

from sweep.metrics import METRICS, Limit
from sweep.stages.stopping import SHARES, SLACKS, out_of_reach
from sweep.stages.training import Progress

LIMITS = [Limit.parse(METRICS["size_kb"], "< 25"), Limit.parse(METRICS["accuracy"], ">= 0.97")]


def after(epochs: int, *accuracies: float) -> Progress:
    return Progress(epochs, (0.5,) * len(accuracies), accuracies)


def test_a_hopeless_training_ends_and_says_why():
    reason = out_of_reach(after(10, 0.5, 0.5, 0.6, 0.7), LIMITS)
    assert reason == "accuracy at best 0.700 after 4 of 10 epochs; accuracy >= 0.97 is out of reach"


def test_a_promising_training_goes_on():
    assert out_of_reach(after(10, 0.5, 0.6, 0.8, 0.93), LIMITS) == ""


def test_one_lucky_epoch_among_the_last_five_is_enough():
    assert out_of_reach(after(10, 0.5, 0.95, 0.6, 0.5, 0.6), LIMITS) == ""
    assert out_of_reach(after(20, 0.95, 0.6, 0.5, 0.6, 0.5, 0.6), LIMITS) != ""


def test_nothing_is_stopped_in_the_first_fifth():
    assert out_of_reach(after(20, *[0.1] * 3), LIMITS) == ""
    assert out_of_reach(after(20, *[0.1] * 4), LIMITS) != ""


def test_nothing_is_stopped_before_its_fourth_epoch():
    assert out_of_reach(after(6, 0.1, 0.1, 0.1), LIMITS) == ""
    assert out_of_reach(after(6, 0.1, 0.1, 0.1, 0.1), LIMITS) != ""


@pytest.mark.parametrize(("share", "slack"), [*zip(SHARES, SLACKS, strict=True)])
def test_the_gap_that_may_still_be_closed_is_the_calibrated_one(share, slack):
    done = round(100 * share)
    assert out_of_reach(after(100, *[0.97 - slack + 1e-6] * done), LIMITS) == ""
    assert out_of_reach(after(100, *[0.97 - slack - 1e-6] * done), LIMITS) != ""


def test_less_is_forgiven_as_training_goes_on():
    assert list(SLACKS) == sorted(SLACKS, reverse=True)
    assert np.all(np.diff(SHARES) > 0)


def test_without_a_limit_on_accuracy_nothing_is_stopped():
    assert out_of_reach(after(10, *[0.1] * 5), LIMITS[:1]) == ""
    assert out_of_reach(after(10, *[0.1] * 5), []) == ""
