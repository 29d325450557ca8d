import importlib.util
import itertools
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from sweep.candidate import PARAMETERS
from sweep.errors import SpecError
from sweep.space import Space
from sweep.study.samplers import make_sampler

from ..fake_workers import FINITE, SPACE, make_space

SAMPLERS = ("ehvi", "tpe", "nsga2", "random", "greedy")
EXAMPLES = Path(__file__).parents[3] / "examples"
SEED_TABLE1 = Path(__file__).parents[3] / "search_spaces" / "seed_table1.yaml"


def ask(space: Space, name: str, trials: int, score=lambda parameters: 0.0, seed=0, **directions):
    """Return what a sampler proposes, each proposal answered with its score."""
    study = optuna.create_study(
        direction=directions.get("direction", "maximize"), sampler=make_sampler(space, name, seed)
    )
    proposals = []
    for _ in range(trials):
        trial = study.ask(space.distributions)
        proposals.append(trial.params)
        study.tell(trial, score(trial.params))
    return proposals


def test_the_grid_is_every_allowed_combination_once_in_order():
    space = make_space(FINITE)
    proposals = ask(space, "grid", 9)
    assert proposals == list(space.combinations())
    assert len(proposals) == 9 == len({tuple(p.values()) for p in proposals})


def test_a_grid_that_is_exhausted_begins_again():
    space = make_space(FINITE)
    assert ask(space, "grid", 10)[9] == next(space.combinations())


def test_a_grid_goes_on_where_trials_of_an_earlier_run_stopped():
    space = make_space(FINITE)
    study = optuna.create_study(sampler=make_sampler(space, "grid", 0))
    done = [study.ask(space.distributions).params for _ in range(4)]  # left running, too
    study.enqueue_trial(list(space.combinations())[6])
    done.append(study.ask(space.distributions).params)
    study.sampler = make_sampler(space, "grid", 0)
    done += [study.ask(space.distributions).params for _ in range(4)]
    assert sorted(map(str, done)) == sorted(map(str, space.combinations()))


def test_the_grid_of_one_candidate_is_that_candidate():
    assert ask(make_space("dataset: {labels: [stop, go]}"), "grid", 1) == [{}]


def test_a_grid_refuses_an_endless_space():
    with pytest.raises(SpecError) as refused:
        make_sampler(make_space(SPACE), "grid", 0)
    assert str(refused.value) == (
        "space.yaml: search.sampler: grid needs a finite space; give every range a step,"
        " or choose another sampler"
    )


def changes(one: dict, other: dict) -> int:
    """Return in how many parameters two combinations differ."""
    return sum(one[name] != other[name] for name in one)


def score(parameters: dict) -> float:
    """A made-up truth that greedy search climbs one parameter at a time."""
    return parameters["alpha"] + parameters["num_mel_bins"] / 10 + parameters["num_coefficients"]


@pytest.mark.parametrize(("direction", "better"), [("maximize", max), ("minimize", min)])
def test_greedy_changes_one_parameter_at_a_time_of_the_best_so_far(direction, better):
    space = make_space(FINITE)
    proposals = ask(space, "greedy", 9, score, direction=direction)
    assert proposals[0] == {name: PARAMETERS[name] for name in space.distributions}
    for number in range(1, 9):
        best = better(proposals[:number], key=score)
        untried = [c for c in space.combinations() if c not in proposals[:number]]
        near = [c for c in untried if changes(c, best) == 1]
        assert proposals[number] in (near or untried)
    assert changes(proposals[1], proposals[0]) == 1


def test_greedy_prefers_what_breaks_the_limits_least():
    space = make_space(FINITE)
    study = optuna.create_study(direction="maximize", sampler=make_sampler(space, "greedy", 0))
    first, second = study.ask(space.distributions), study.ask(space.distributions)
    first.set_constraint("size_kb", 0.5)
    second.set_constraint("size_kb", 0.1)
    study.tell(first, 1.0)
    study.tell(second, 0.0)
    assert changes(study.ask(space.distributions).params, second.params) == 1


def test_greedy_learns_nothing_from_what_failed():
    space = make_space(FINITE)
    study = optuna.create_study(direction="maximize", sampler=make_sampler(space, "greedy", 0))
    start = study.ask(space.distributions)
    study.tell(start, state=TrialState.FAIL)
    assert changes(study.ask(space.distributions).params, start.params) == 1


def test_greedy_begins_in_the_middle_where_the_report_has_no_value():
    proposal = ask(
        make_space("dataset: {labels: [a, b]}\nparameters: {alpha: [1, 2, 3]}"), "greedy", 1
    )
    assert proposal == [{"alpha": 2}]


def test_greedy_begins_with_the_value_of_the_report_where_a_range_holds_it():
    text = """
dataset: {labels: [a, b]}
parameters: {alpha: {low: 0.08, high: 1, log: true}, filters: {low: 16, high: 256, step: 8}}
"""
    assert ask(make_space(text), "greedy", 1) == [{"filters": 128, "alpha": 0.5}]


def test_greedy_tries_a_finite_space_to_its_end_and_then_repeats_itself():
    space = make_space(FINITE)
    proposals = ask(space, "greedy", 11, score)
    assert {tuple(p.values()) for p in proposals} == {
        tuple(c.values()) for c in space.combinations()
    }


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_same_seed_proposes_the_same(name):
    space = make_space(SPACE)
    runs = [ask(space, name, 25, lambda p: -abs(p["alpha"] - 0.4), seed=seed) for seed in (1, 1, 2)]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


@pytest.mark.parametrize("name", SAMPLERS)
def test_proposals_lie_in_the_space(name):
    space = make_space(SPACE)
    for proposal in ask(space, name, 25):
        assert set(proposal) == set(space.distributions)
        assert 0.08 <= proposal["alpha"] <= 1.0
        assert proposal["num_mel_bins"] in range(10, 31, 5)
        assert proposal["noise_snr_db"] in (None, 5)


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="PyTorch is installed")
def test_gp_says_what_it_needs():
    with pytest.raises(SpecError, match="gp needs PyTorch; pip install torch, or choose tpe"):
        make_sampler(make_space(SPACE), "gp", 0)


def test_the_published_grid_is_walked_from_its_first_to_its_last():
    space = Space.load(SEED_TABLE1)
    sampler = make_sampler(space, "grid", 0)
    proposals = [sampler.plan() for _ in range(2592)]
    expected = list(itertools.islice(space.combinations(), 2592))
    assert proposals == expected


def searched(space: Space, trials: int, interrupted: bool = False) -> list[dict]:
    """Return what TPE proposes in a study of many trials, perhaps with a fresh sampler."""
    study = optuna.create_study(sampler=make_sampler(space, "tpe", 3), direction="maximize")
    rng = np.random.default_rng(0)
    study.add_trials(
        optuna.trial.create_trial(params=draw, distributions=space.distributions, value=score(draw))
        for draw in (space.draw(rng) for _ in range(trials))
    )
    proposals = []
    for _ in range(3):
        if interrupted:
            rng_state = study.sampler._rng
            study.sampler = make_sampler(space, "tpe", 3)
            study.sampler._rng = rng_state
        trial = study.ask(space.distributions)
        proposals.append(trial.params)
        study.tell(trial, score(trial.params))
    return proposals


def test_tpe_learns_from_a_bounded_number_of_trials_the_best_among_them(monkeypatch):
    learnt = []

    def note(study, trials, below):
        learnt.append([trial.number for trial in trials])
        return split(study, trials, below)

    split = optuna.samplers._tpe.sampler._split_trials
    monkeypatch.setattr("optuna.samplers._tpe.sampler._split_trials", note)
    space, study = make_space(SPACE), optuna.create_study(direction="maximize")
    study.sampler = make_sampler(space, "tpe", 3)
    draws = [space.draw(np.random.default_rng(seed)) for seed in range(2000)]
    study.add_trials(
        optuna.trial.create_trial(params=draw, distributions=space.distributions, value=score(draw))
        for draw in draws
    )
    study.ask(space.distributions)
    assert 400 <= len(learnt[-1]) <= 800
    best = sorted(range(2000), key=lambda number: score(draws[number]))[-80:]
    assert set(best) <= set(learnt[-1])
    late = sum(number >= 1000 for number in learnt[-1])
    assert late > 0.7 * len(learnt[-1])


def test_tpe_forgets_the_same_after_an_interruption():
    space = make_space(SPACE)
    assert searched(space, 1000) == searched(space, 1000, interrupted=True)


class TestFromOutside:
    def test_a_local_search_proposes_what_is_allowed_and_comes_nearer(self, monkeypatch):
        monkeypatch.syspath_prepend(EXAMPLES)
        space = make_space(SPACE)

        def near(parameters):
            return -abs(parameters["alpha"] - 0.5)

        proposals = ask(space, "local_search:LocalSearch", 40, near)
        assert all(map(space.allows, proposals))
        found = [near(parameters) for parameters in proposals]
        assert np.mean(found[20:]) > np.mean(found[:20])

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("bad_sampler:NONE", "builtins:NoneType: TypeError: 'NoneType' object is not callable"),
            ("bad_sampler:number", "makes int, which is no Optuna sampler"),
            ("bad_sampler:fails", r"bad_sampler\.py:9: ValueError: no"),
            ("bad_sampler:Lost", "has no Lost"),
        ],
    )
    def test_what_is_no_sampler_is_told_in_a_line(self, tmp_path, monkeypatch, name, message):
        (tmp_path / "bad_sampler.py").write_text(
            "NONE = None\n\n\ndef number(space, seed):\n    return 3\n\n\n"
            "def fails(space, seed):\n    raise ValueError('no')\n"
        )
        monkeypatch.syspath_prepend(tmp_path)
        with pytest.raises(SpecError, match=message) as refused:
            make_sampler(make_space(), name, 0)
        assert str(refused.value).startswith("space.yaml: search.sampler: ")
