import math
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from scipy.stats import t

from sweep.evaluation import Evaluation, Variant
from sweep.limits import Limit
from sweep.metrics import METRICS
from sweep.stopping import PRIOR, SHARES, Experience, StopRule, first_stop, out_of_reach, rises

ACCURACY = Limit.parse(METRICS["accuracy"], ">= 0.97")
LIMITS = [Limit.parse(METRICS["size_kb"], "< 25"), ACCURACY]
STEPS = 80

TWELVE_WORDS = (
    "38 93 98 129 127 141 145 138 155 158 155 160 160 163 162 163 164 165 164 164",
    "60 86 123 115 139 144 145 146 153 151 153 163 158 159 159 160 160 155 156 151",
    "73 113 112 151 144 150 166 160 159 167 163 163 176 175 173 174 177 176 177 176",
    "73 74 101 114 140 140 153 154 158 167 160 156 163 159 163 166 168 163 164 164",
)
"""Clips of 204 classified correctly after each epoch: synthetic words, 150 clips of each."""
TWELVE_WORDS_RESULTS = (164, 153, 172, 166)

FOUR_WORDS = (
    "17 27 21 22 18 27 29 31 28 31 27 30 28 33 28 28 33 27 29 29"
    " 31 29 31 27 28 31 27 27 28 28 28 29 29 29 30 31 31 31 31 30",
    "19 24 24 27 27 29 28 31 28 28 28 30 30 29 28 28 30 29 30 31"
    " 31 31 33 32 30 29 28 29 30 29 29 31 31 33 33 33 33 33 33 33",
    "13 21 29 29 24 29 30 25 23 30 27 28 27 29 29 28 31 31 28 27"
    " 31 32 30 26 29 31 31 31 30 33 32 32 32 31 31 31 31 31 31 32",
    "6 18 28 17 22 13 25 25 21 29 30 25 24 25 28 29 30 30 29 30"
    " 18 32 32 31 30 31 24 28 30 30 30 30 30 30 30 30 30 30 30 29",
)
"""Clips of 35 classified correctly after each epoch: real words, 100 clips of each."""
FOUR_WORDS_RESULTS = (30, 33, 32, 29)


def verdict(epochs: int, *accuracies: float, clips: int = 200, rules=(StopRule(ACCURACY),)) -> str:
    so_far = {"accuracy": accuracies}
    return out_of_reach(rules, so_far, epochs=epochs, steps=STEPS, clips=clips)


def finished(accuracies, result: float, clips: int = 200) -> Evaluation:
    variant = Variant("int8", {"accuracy": result})
    return Evaluation("feasible", "", (variant,), 0, accuracies=tuple(accuracies), clips=clips)


def straight(epochs: int, start: float, end: float) -> Evaluation:
    return finished(np.linspace(start, end, epochs), end)


def learnt(*evaluations: Evaluation, limits=LIMITS) -> Experience:
    experience = Experience(limits)
    for evaluation in evaluations:
        experience.add(evaluation)
    return experience


def test_a_hopeless_training_ends_and_says_why():
    assert verdict(10, 0.5, 0.5, 0.55, 0.6) == (
        "accuracy at best 0.600 after 4 of 10 epochs ends at 0.860 at most, as other tasks tell;"
        " accuracy >= 0.97 is out of reach"
    )


def test_a_promising_training_goes_on():
    assert verdict(10, 0.5, 0.6, 0.8, 0.93) == ""


def test_one_lucky_epoch_among_the_last_five_is_enough():
    assert verdict(10, 0.5, 0.95, 0.6, 0.5, 0.6) == ""
    assert verdict(20, 0.95, 0.6, 0.5, 0.6, 0.5, 0.6) != ""


def test_nothing_is_stopped_in_the_first_fifth():
    assert verdict(20, *[0.1] * 3) == ""
    assert verdict(30, *[0.1] * 5) == ""
    assert verdict(30, *[0.1] * 6) != ""


def test_nothing_is_stopped_before_its_fourth_epoch():
    assert verdict(6, 0.1, 0.1, 0.1) == ""
    assert verdict(6, 0.1, 0.1, 0.1, 0.1) != ""


def test_nothing_is_stopped_before_200_steps():
    assert [first_stop(20, steps) for steps in (1000, 50, 49, 20, 1)] == [4, 4, 5, 10, 200]


def test_less_is_forgiven_as_training_goes_on():
    assert list(PRIOR) == sorted(PRIOR, reverse=True)
    reached = [StopRule(ACCURACY).reach([0.8] * done, 100, 200) for done in range(20, 100)]
    assert reached == sorted(reached, reverse=True)


@pytest.mark.parametrize(("share", "rise"), [*zip(SHARES, PRIOR, strict=True)])
def test_a_curve_may_rise_by_so_many_logits(share, rise):
    reach = StopRule(ACCURACY).reach([0.8] * round(100 * share), 100, 10**8)
    assert math.log(reach / (1 - reach)) == pytest.approx(math.log(4) + rise, abs=1e-3)


def test_what_few_clips_say_is_believed_less():
    assert verdict(10, *[0.8] * 4, clips=10) == ""
    assert verdict(10, *[0.8] * 4, clips=1000) != ""


def test_a_curve_ends_at_a_whole_number_of_clips():
    reached = [StopRule(ACCURACY).reach([0.5] * done, 40, 35) * 35 for done in range(8, 40)]
    assert reached == pytest.approx(np.round(reached)) and len(set(reached)) > 3


@pytest.mark.parametrize("clips", [1, 30, 900])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_what_meets_the_limit_already_is_never_stopped(share, clips):
    rule = StopRule(Limit("accuracy", ">=", share), rises=(-9.0,) * len(SHARES))
    assert verdict(10, *[share] * 5, clips=clips, rules=[rule]) == ""


def test_only_limits_on_metrics_that_have_a_curve_stop_anything():
    assert [rule.limit for rule in Experience(LIMITS).rules(10)] == [ACCURACY]
    assert Experience(LIMITS[:1]).rules(10) == ()
    assert verdict(10, *[0.1] * 5, rules=()) == ""


class TestExperience:
    """What finished curves tell."""

    def test_the_prior_is_tightened_from_five_curves_on(self):
        four, five = ([straight(20, 0.89, 0.9)] * n for n in (4, 5))
        assert learnt(*four).rules(20) == (StopRule(ACCURACY, PRIOR, 4),)
        (rule,) = learnt(*five).rules(20)
        assert rule.curves == 5 and all(np.array(rule.rises) < PRIOR)

    def test_it_is_loosened_by_the_first_curve_that_rises_more(self):
        steep = straight(20, 0.1, 0.99)
        (rule,) = learnt(steep).rules(20)
        known = rises(steep.accuracies, 0.99, 200)
        assert rule.rises == pytest.approx(np.maximum(known, PRIOR))
        assert max(np.array(known) - PRIOR) > 0.5

    def test_the_next_rise_exceeds_what_is_expected_once_in_200_times(self):
        curves = [straight(20, 0.8 + i / 60, 0.85 + i / 70) for i in range(8)]
        (rule,) = learnt(*curves).rules(20)
        known = np.array([rises(c.accuracies, c.result["accuracy"], 200) for c in curves])
        ends = t(7).interval(0.99)[1] * known.std(axis=0, ddof=1) * (1 + 1 / 8) ** 0.5
        assert all(known.mean(axis=0) + ends < PRIOR)
        assert list(rule.rises) == pytest.approx(list(known.mean(axis=0) + ends), abs=1e-3)

    def test_it_is_right_about_curves_that_rise_at_random(self):
        rng = np.random.default_rng(0)

        def drawn() -> Evaluation:
            values = 1 / (1 + np.exp(-np.cumsum(rng.normal(0.05, 0.1, 40))))
            return finished(values, values[-1], clips=10**6)

        (rule,) = learnt(*(drawn() for _ in range(50))).rules(40)
        beyond = 0
        for _ in range(400):
            curve = drawn()
            reach = rule.reach(curve.accuracies[:20], 40, 10**6)
            beyond += curve.accuracies[-1] > reach
        assert beyond <= 5
        loose = replace(rule, rises=tuple(rise + 1 for rise in rule.rises))
        assert rule.reach([0.6] * 20, 40, 200) < loose.reach([0.6] * 20, 40, 200)

    def test_only_curves_of_similar_length_tell(self):
        experience = learnt(*(straight(20, 0.5 + i / 100, 0.9) for i in range(5)))
        known = {epochs: experience.rules(epochs)[0].curves for epochs in (9, 10, 20, 40, 41)}
        assert known == {9: 0, 10: 5, 20: 5, 40: 5, 41: 0}

    def test_what_was_not_trained_to_its_end_tells_nothing(self):
        ended = straight(20, 0.5, 0.9)
        others = [replace(ended, outcome=name) for name in ("stopped", "gated", "failed")]
        assert learnt(*others * 5).rules(20)[0].curves == 0
        assert learnt(*[replace(ended, outcome="infeasible")] * 5).rules(20)[0].curves == 5

    def test_slow_curves_of_a_study_loosen_its_rule(self):
        late = [*[0.3] * 15, *np.linspace(0.4, 0.95, 5)]
        assert verdict(20, *late[:12], rules=learnt().rules(20)) != ""
        slow = [finished(late, 0.94 + i / 100) for i in range(5)]
        assert verdict(20, *late[:12], rules=learnt(*slow).rules(20)) == ""

    def test_the_reason_names_how_many_curves_told(self):
        rules = learnt(*(straight(20, 0.8, 0.9) for _ in range(6))).rules(20)
        told = verdict(20, *[0.3] * 9, rules=rules)
        assert "at most, as 6 finished trials and other tasks tell; accuracy" in told

    def test_the_best_variant_counts(self):
        curve = straight(20, 0.5, 0.9)
        worse = Variant("int8_per_tensor", {"accuracy": 0.6})
        two = replace(curve, variants=(worse, *curve.variants), chosen=0)
        assert learnt(*[two] * 5).rules(20) == learnt(*[curve] * 5).rules(20)


@pytest.mark.parametrize(
    ("curves", "results", "clips"),
    [(TWELVE_WORDS, TWELVE_WORDS_RESULTS, 204), (FOUR_WORDS, FOUR_WORDS_RESULTS, 35)],
)
def test_what_ends_feasible_is_not_stopped_on_tasks_of_other_shape(curves, results, clips):
    evaluations = [
        finished([int(right) / clips for right in curve.split()], result / clips, clips)
        for curve, result in zip(curves, results, strict=True)
    ]
    for bound in (0.7, 0.75, 0.78, 0.8, 0.84, 0.9):
        limit = Limit("accuracy", ">=", bound)
        for order in permutations(evaluations):
            experience = Experience([limit])
            for one in order:
                stops = stopped(one, experience)
                assert not (stops and one.result["accuracy"] >= bound)
                if not stops:
                    experience.add(one)


def test_what_is_hopeless_on_them_is_stopped():
    values = [int(right) / 204 for right in TWELVE_WORDS[1].split()]
    assert stopped(finished(values, 153 / 204, 204), Experience([Limit("accuracy", ">=", 0.97)]))


def stopped(curve: Evaluation, experience: Experience) -> bool:
    """Tell whether a training is stopped before its end."""
    epochs = len(curve.accuracies)
    return any(
        out_of_reach(
            experience.rules(epochs),
            {"accuracy": curve.accuracies[:done]},
            epochs=epochs,
            steps=STEPS,
            clips=curve.clips,
        )
        for done in range(1, epochs)
    )
