import math

import numpy as np
import optuna
import pytest

from sweep.evaluation import Evaluation
from sweep.report.figures.hypervolume import hypervolume
from sweep.study.samplers.ehvi import EHVISampler, Known
from sweep.study.samplers.surrogate import LEAST_ERROR
from sweep.study.search import Search
from sweep.study.storage import StudyFolder
from sweep.study.trials import OBJECTIVES, stored_evaluation

from ..fake_workers import SPACE, FakeWorkers, make_space

LIMITS = {"accuracy": 0.95, "latency_ms": 8.0, "size_kb": 25.0}


def searched(tmp_path, sampler, trials: int, text: str = SPACE) -> list[Evaluation]:
    """Return what a search of the made-up truth was told, in order."""
    space = make_space(text, trials=trials)
    directions = list(space.file.objectives.values())
    study = optuna.create_study(directions=directions, sampler=sampler(space))
    study.set_user_attr(OBJECTIVES, list(space.file.objectives))
    Search(space, study, StudyFolder(tmp_path, "study"), FakeWorkers(space)).run()
    told = [stored_evaluation(trial) for trial in study.get_trials(deepcopy=False)]
    return [one for one in told if one is not None and one.outcome != "invalid"]


def volume(evaluations: list[Evaluation]) -> float:
    """Return the volume feasible trials dominate, costs on logarithmic axes."""
    points = [
        [
            LIMITS["accuracy"] - one.result["accuracy"],
            math.log(one.result["latency_ms"] / LIMITS["latency_ms"]),
            math.log(one.result["size_kb"] / LIMITS["size_kb"]),
        ]
        for one in evaluations
        if one.outcome == "feasible"
    ]
    return hypervolume(np.array(points).reshape(-1, 3), np.zeros(3))


@pytest.fixture(autouse=True)
def _no_files(monkeypatch):
    monkeypatch.setattr(StudyFolder, "keep_files", lambda *given: None)


def test_what_a_candidate_is_expected_to_add_is_what_chance_would_give():
    sampler = EHVISampler(make_space(), seed=0)
    measured = [(0.96, 2.0, 4.0), (0.975, 3.0, 9.0), (0.985, 1.0, 20.0)]
    for values in measured:
        sampler.learn(Known(np.zeros(0), {}, dict(zip(LIMITS, values, strict=True)), True))
    logs = np.log(np.array(measured)[:, 1:] / [8, 25])
    front = np.column_stack([0.95 - np.array(measured)[:, 0], logs])
    costs = np.log([[1.5 / 8, 3 / 25], [0.9 / 8, 6 / 25], [4 / 8, 15 / 25], [0.5 / 8, 24 / 25]])
    mean, deviation = np.log([0.03, 0.02, 0.01, 0.05]), np.array([0.4, 0.6, 0.2, 0.5])
    gains = sampler._gains(costs, mean, deviation)

    rng, before = np.random.default_rng(1), hypervolume(front, np.zeros(3))
    expected = []
    for cost, middle, spread in zip(costs, mean, deviation, strict=True):
        accuracies = 1 + LEAST_ERROR - np.exp(rng.normal(middle, spread, 2000))
        added = [
            hypervolume(np.vstack([front, [0.95 - min(a, 1.0), *cost]]), np.zeros(3)) - before
            for a in accuracies
        ]
        expected.append(np.mean(added))
    np.testing.assert_allclose(gains / gains.sum(), expected / np.sum(expected), atol=0.03)
    assert list(np.argsort(gains)) == list(np.argsort(expected))


def test_a_sampler_that_comes_later_reckons_with_the_same():
    space, rng = make_space(), np.random.default_rng(0)
    early, late = EHVISampler(space, 0), EHVISampler(space, 0)
    for _ in range(77):
        params = space.draw(rng)
        values = dict(zip(LIMITS, rng.uniform((0.9, 0.1, 2), (1, 4, 30)).tolist(), strict=True))
        known = Known(early._cube.encode([params])[0], params, values, values["accuracy"] > 0.95)
        early.learn(known)
        late.learn(known)
        early.plan()
    late.plan()
    assert early._settings == late._settings
    assert {count for count, _ in late._settings.values()} == {70}


def test_the_front_is_found_sooner_than_by_chance(tmp_path):
    def random(space):
        return optuna.samplers.RandomSampler(seed=seed)

    wins = []
    for seed in range(5):
        guided = searched(tmp_path, lambda space: EHVISampler(space, seed), 30)
        wins.append(volume(guided) > volume(searched(tmp_path, random, 60)))
    assert sum(wins) >= 4


@pytest.mark.parametrize("objectives", ["accuracy, size_kb", "accuracy, latency_ms", "accuracy"])
@pytest.mark.parametrize("accuracy", ["0.95", "0.9999"])
def test_what_cannot_fit_is_soon_left_alone(tmp_path, objectives, accuracy):
    ways = {"accuracy": "maximize"}
    named = ", ".join(f"{name}: {ways.get(name, 'minimize')}" for name in objectives.split(", "))
    text = SPACE.replace('size_kb: "< 25"', 'size_kb: "< 4"').replace(">= 0.95", f">= {accuracy}")
    text = text.replace("search:", f"objectives: {{{named}}}\nsearch:")
    told = searched(tmp_path, lambda space: EHVISampler(space, 1), 40, text)
    outcomes = [one.outcome for one in told]
    assert outcomes[:10].count("gated") > 4
    assert outcomes[15:].count("gated") / 25 < outcomes[:10].count("gated") / 10 / 2


@pytest.mark.parametrize(
    "text",
    [
        SPACE.replace("search:", "objectives: {accuracy: maximize}\nsearch:"),
        SPACE.replace("search:", "objectives: {size_kb: minimize}\nsearch:"),
        SPACE.replace(SPACE[SPACE.index("limits:") : SPACE.index("search:")], "limits: {}\n"),
        SPACE.replace("search:", "objectives: {accuracy: maximize, parameters: minimize}\nsearch:"),
        SPACE.replace('"< 25"}', '"< 25", parameters: "< 20"}'),
        SPACE.replace('">= 0.95"', '">= 0.9999"'),
    ],
    ids=["accuracy", "size", "no limits", "parameters", "a limit on no objective", "hopeless"],
)
def test_any_objectives_and_limits_will_do(tmp_path, text):
    told = searched(tmp_path, lambda space: EHVISampler(space, 1), 25, text)
    assert len(told) == 25


def test_a_network_of_equal_width_is_not_proposed_again(tmp_path):
    text = SPACE[SPACE.index("limits:") :]
    text = f"parameters: {{alpha: {{low: 0.08, high: 1.0, log: true}}, blocks: [2, 3]}}\n{text}"
    space = make_space(f"dataset: {{labels: [stop, go]}}\n{text}", trials=40)
    study = optuna.create_study(
        directions=list(space.file.objectives.values()), sampler=EHVISampler(space, 1)
    )
    study.set_user_attr(OBJECTIVES, list(space.file.objectives))
    Search(space, study, StudyFolder(tmp_path, "study"), FakeWorkers(space)).run()
    proposed = [space.candidate(trial.params).key() for trial in study.get_trials()]
    assert len(set(proposed)) == len(proposed) == 40


def test_with_size_alone_to_minimise_the_smallest_that_hears_well_is_found(tmp_path):
    text = SPACE.replace("search:", "objectives: {size_kb: minimize}\nsearch:")
    sizes = [
        one.result["size_kb"]
        for one in searched(tmp_path, lambda space: EHVISampler(space, 1), 40, text)
        if one.outcome == "feasible"
    ]
    chance = [
        one.result["size_kb"]
        for one in searched(tmp_path, lambda space: optuna.samplers.RandomSampler(seed=1), 40, text)
        if one.outcome == "feasible"
    ]
    assert min(sizes) < min(chance)


def test_trials_still_running_are_not_proposed_again(tmp_path):
    space = make_space()
    study = optuna.create_study(
        directions=list(space.file.objectives.values()), sampler=EHVISampler(space, 2)
    )
    study.set_user_attr(OBJECTIVES, list(space.file.objectives))
    workers = FakeWorkers(space)
    Search(make_space(trials=20), study, StudyFolder(tmp_path, "study"), workers).run()
    running = [study.ask(space.distributions).params for _ in range(4)]
    widths = [space.candidate(params).network.width for params in running]
    assert len({tuple(params.values()) for params in running}) == 4
    assert len(set(widths)) > 1
