import pytest

from sweep.limits import Limit
from sweep.stages.stopping import out_of_reach
from sweep.stages.training import Progress

LIMITS = [Limit.parse("size_kb", "< 25"), Limit.parse("accuracy", ">= 0.97")]


def after(epochs: int, *accuracies: float) -> Progress:
    return Progress(epochs, (0.5,) * len(accuracies), accuracies)


def test_a_hopeless_training_ends_and_says_why():
    reason = out_of_reach(after(10, 0.5, 0.5, 0.6, 0.7), LIMITS)
    assert reason == "accuracy 0.700 after 4 of 10 epochs; accuracy >= 0.97 is out of reach"


def test_a_promising_training_goes_on():
    assert out_of_reach(after(10, 0.5, 0.6, 0.8, 0.9), LIMITS) == ""


def test_one_lucky_epoch_among_the_last_five_is_enough():
    assert out_of_reach(after(10, 0.5, 0.95, 0.6, 0.5, 0.6), LIMITS) == ""
    assert out_of_reach(after(20, 0.95, 0.6, 0.5, 0.6, 0.5, 0.6), LIMITS) != ""


@pytest.mark.parametrize("done", [1, 2, 9])
def test_nothing_is_stopped_early_or_when_almost_through(done):
    assert out_of_reach(after(10, *[0.5] * done), LIMITS) == ""


def test_what_is_asked_rises_as_training_goes_on():
    assert out_of_reach(after(10, *[0.9] * 3), LIMITS) == ""
    assert out_of_reach(after(10, *[0.9] * 8), LIMITS) != ""


def test_without_a_limit_on_accuracy_nothing_is_stopped():
    assert out_of_reach(after(10, *[0.1] * 5), LIMITS[:1]) == ""
    assert out_of_reach(after(10, *[0.1] * 5), []) == ""
