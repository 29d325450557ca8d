"""Finalists: what retraining says of a trial."""

import json
from dataclasses import replace

import numpy as np
import pytest

from sweep.limits import Limit
from sweep.metrics import METRICS
from sweep.statistics import wilson
from sweep.study.finalist import CrossValidation, Finalist, Retraining, of_everybody

LIMITS = [Limit.parse(METRICS["accuracy"], ">= 0.97"), Limit.parse(METRICS["size_kb"], "< 5")]


def finalist(*accuracies: float, size_kb: float = 4.0, clips: int = 200) -> Finalist:
    again = tuple(
        Retraining(i, {}, {"accuracy": a, "worst_recall": a, "size_kb": size_kb})
        for i, a in enumerate(accuracies)
    )
    searched = {"accuracy": 0.985, "latency_ms": 0.2, "size_kb": 4.0}
    return Finalist(7, searched, again, clips, {"accuracy": clips, "worst_recall": clips / 2})


def test_holds_when_the_mean_of_every_metric_keeps_its_limit() -> None:
    assert finalist(0.96, 0.98, 0.98).holds(LIMITS)


def test_does_not_hold_when_only_the_best_seed_keeps_the_limit() -> None:
    assert not finalist(0.95, 0.95, 0.99).holds(LIMITS)


def test_does_not_hold_when_it_has_grown_too_large() -> None:
    assert not finalist(0.99, 0.99, size_kb=5.0).holds(LIMITS)


def test_does_not_hold_when_one_training_never_recognises_a_word() -> None:
    one, other = finalist(0.98, 0.98).retrainings
    deaf = replace(other, test={**other.test, "worst_recall": 0.0})
    assert not replace(finalist(), retrainings=(one, deaf)).holds(LIMITS)
    assert replace(finalist(), retrainings=(one, other)).holds(LIMITS)


def test_the_chance_to_meet_the_limit_is_even_when_the_mean_touches_it() -> None:
    assert finalist(0.97, 0.97, clips=100_000).chance(LIMITS) == pytest.approx(0.5, abs=0.01)


def test_the_chance_grows_with_the_mean() -> None:
    chances = [finalist(accuracy).chance(LIMITS) or 0 for accuracy in (0.95, 0.97, 1.0)]
    assert chances == sorted(set(chances))


def test_without_a_limit_on_accuracy_there_is_no_chance() -> None:
    assert finalist(1.0).chance(LIMITS[1:]) is None


def test_mean_spread_and_the_winners_curse() -> None:
    one = finalist(0.96, 0.98)
    assert one.mean("accuracy") == pytest.approx(0.97)
    assert one.spread("accuracy") == pytest.approx(0.0141, abs=1e-4)
    assert one.curse("accuracy") == pytest.approx(0.015)
    assert finalist(0.96).spread("accuracy") == 0


def back(one: Finalist) -> Finalist:
    return Finalist.from_json(json.loads(json.dumps(one.to_json())), METRICS)


def test_goes_to_json_and_back() -> None:
    one = finalist(0.96, 0.98)
    seen = replace(
        one.retrainings[0],
        losses=(0.7, 0.2),
        accuracies=(0.8, 0.9),
        confusion=((90, 10), (0, 100)),
        mistakes=("go/1.wav",),
    )
    one = replace(one, retrainings=(seen, *one.retrainings[1:]))
    assert back(one) == one


def test_what_is_heard_by_folds_is_a_share_of_all_clips() -> None:
    folds = CrossValidation((((3, 2), (3, 2)), ((10, 0), (0, 20)), ((20, 0), (10, 10))))
    assert folds.value(METRICS["accuracy"]) == pytest.approx((5 + 30 + 30) / 80)
    assert folds.clips == 80


def test_the_interval_of_the_folds_tells_how_much_they_differ() -> None:
    accuracy = METRICS["accuracy"]
    unlike = CrossValidation(tuple(((right, 0), (10 - right, 10)) for right in (0, 10, 5, 9, 6)))
    shares = [0.5, 1.0, 0.75, 0.95, 0.8]
    error = np.std(shares, ddof=1) / np.sqrt(5)
    # 2.776 is the 97.5 % quantile of Student's t with four degrees of freedom, 1.96 the normal one.
    worth = 0.8 * 0.2 / error**2 * (1.96 / 2.776) ** 2
    assert worth < 15
    assert unlike.exposure(accuracy) == pytest.approx(worth, rel=1e-3)
    assert unlike.interval(accuracy) == wilson(0.8, unlike.exposure(accuracy))


def test_the_interval_of_folds_that_agree_is_that_of_their_clips() -> None:
    alike = CrossValidation((((9, 1), (0, 10)),) * 5)
    assert alike.interval(METRICS["accuracy"]) == pytest.approx(wilson(0.95, 100))


def test_with_few_test_speakers_a_finalist_is_judged_by_all_of_them() -> None:
    folds = (((9, 1), (0, 10)), ((6, 4), (2, 8)))
    tested = Retraining(1, {}, {"size_kb": 4.0}, confusion=((5, 5), (0, 10)))
    exposures = {"accuracy": 20, "worst_recall": 10}
    one = Finalist(7, {"accuracy": 0.9}, (tested,), 20, exposures, CrossValidation(folds))
    every = of_everybody(one)
    assert every.everybody and every.test_clips == 60 and every.mean("size_kb") == 4.0
    assert every.mean("accuracy") == pytest.approx((19 + 14 + 15) / 60)
    assert every.mean("worst_recall") == pytest.approx(20 / 30)
    low, high = every.interval("accuracy")
    assert low < 0.5 and high > 0.9, "three groups from 0.7 to 0.95 tell little"
    assert back(every) == every
    assert of_everybody(replace(one, validated=None)).mean("size_kb") == 4.0


def test_a_finalist_comes_back_from_json_with_what_it_hears_by_folds() -> None:
    one = replace(
        finalist(0.97, 0.98), validated=CrossValidation((((9, 1), (0, 2)), ((5, 0), (0, 5))))
    )
    assert back(one) == one
    assert back(finalist(0.97)) == finalist(0.97)


def test_a_finalist_with_confusion_matrices_of_different_sizes_is_refused() -> None:
    one, other = finalist(0.97, 0.98).retrainings
    counts: tuple[tuple[tuple[int, ...], ...], ...] = (((9, 1), (0, 2)), ((9, 1),), ((9,), (1,)))
    for second in counts[1:]:
        each = (replace(one, confusion=counts[0]), replace(other, confusion=second))
        with pytest.raises(ValueError, match="^confusion matrices of different sizes$"):
            back(replace(finalist(0.97, 0.98), retrainings=each))
