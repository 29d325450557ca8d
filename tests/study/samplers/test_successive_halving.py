from collections import Counter

import optuna
import pytest
from optuna.trial import TrialState

from sweep.errors import SpecError
from sweep.space import Space
from sweep.study.samplers import make_sampler
from sweep.study.samplers.successive_halving import SuccessiveHalving, ranked

SPACE = """
dataset: {labels: [stop, go]}
parameters: {alpha: {low: 0.1, high: 1.0}, epochs: [5, 15, 45]}
search: {sampler: random, promotion: true}
"""


def run(trials: int, accuracy=lambda params: params["alpha"], space: str = SPACE) -> optuna.Study:
    """Return a study whose trials are told an accuracy, the limit being 0.5."""
    wanted = Space.parse(space, "space.yaml")
    sampler = make_sampler(wanted, wanted.file.search.sampler, seed=1)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for _ in range(trials):
        trial = study.ask(wanted.distributions)
        trial.set_constraint("accuracy", 0.5 - accuracy(trial.params))
        study.tell(trial, accuracy(trial.params))
    return study


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_third_goes_on_and_a_third_of_that_again(sampler):
    study = run(90, space=SPACE.replace("random", sampler))
    counts = Counter(trial.params["epochs"] for trial in study.trials)
    assert counts[5] // 3 - 1 <= counts[15] <= counts[5] // 3
    assert counts[15] // 3 - 1 <= counts[45] <= counts[15] // 3


def test_those_that_go_on_are_the_best_and_keep_all_else():
    trials = run(60).trials
    first = {trial.params["alpha"] for trial in trials if trial.params["epochs"] == 5}
    longer = {trial.params["alpha"] for trial in trials if trial.params["epochs"] == 15}
    assert longer <= first
    # Some were promoted before better ones had been seen.
    best = set(sorted(first)[-2 * len(longer) :])
    assert len(longer & best) >= 0.9 * len(longer)


def test_nobody_goes_on_twice():
    trials = run(90).trials
    seen = Counter((trial.params["alpha"], trial.params["epochs"]) for trial in trials)
    assert set(seen.values()) == {1}


def test_what_did_not_end_its_training_does_not_go_on():
    space = Space.parse(SPACE, "space.yaml")
    study = optuna.create_study(direction="maximize", sampler=make_sampler(space, "random", 1))
    for _ in range(12):
        trial = study.ask(space.distributions)
        trial.set_constraint("accuracy", -1.0)
        study.tell(trial, state=TrialState.PRUNED)
    assert {trial.params["epochs"] for trial in study.trials} == {5}


def test_trials_are_ranked_by_violation_then_by_how_many_beat_them():
    study = optuna.create_study(directions=["maximize", "minimize"])
    told = {
        "near": (0.4, 9, 0.1),
        "far": (0.1, 1, 0.4),
        "front": (0.9, 2, 0),
        "beaten": (0.8, 3, 0),
    }
    for name, (accuracy, size, violation) in told.items():
        trial = study.ask()
        trial.set_user_attr("name", name)
        trial.set_constraint("accuracy", violation)
        study.tell(trial, [accuracy, size])
    names = [trial.user_attrs["name"] for trial in ranked(study.trials, study.directions)]
    assert names == ["front", "beaten", "near", "far"]
    assert ranked([], study.directions) == []


def test_without_promotion_epochs_are_as_any_parameter():
    space = Space.parse(SPACE.replace(", promotion: true", ""), "space.yaml")
    assert not isinstance(make_sampler(space, "tpe", 0), SuccessiveHalving)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("[5, 15, 45]", "20"), "needs parameters.epochs to be a list"),
        (("[5, 15, 45]", "{low: 5, high: 45}"), "needs parameters.epochs to be a list"),
        (("sampler: random", "sampler: greedy"), "greedy has no promotion"),
    ],
)
def test_promotion_where_it_cannot_be_is_told(change, message):
    with pytest.raises(SpecError, match=f"space.yaml: search.promotion: {message}"):
        Space.parse(SPACE.replace(*change), "space.yaml")
