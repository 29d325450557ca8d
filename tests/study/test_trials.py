import optuna
import pytest
from optuna.trial import TrialState

from sweep.study.samplers import make_sampler
from sweep.study.storage import StudyFolder
from sweep.study.trials import ask, begin, drop, finish, stored_evaluation

from .fake_workers import ENDINGS, FEASIBLE, FINITE, make_space

SPACE = make_space()


def create(folder: StudyFolder, space=SPACE, sampler="random") -> optuna.Study:
    return folder.create(space, make_sampler(space, sampler, 0), {"fingerprint": "abc"})


@pytest.mark.parametrize("sampler", ["ehvi", "greedy", "grid", "random"])
def test_what_is_planned_is_what_optuna_would_have_asked(folder, sampler):
    space = make_space(FINITE)
    alone = optuna.create_study(
        directions=list(space.file.objectives.values()), sampler=make_sampler(space, sampler, 0)
    )
    alone.set_user_attr("objectives", list(space.file.objectives))
    with folder.owned():
        study = create(folder, space, sampler)
        for _ in range(14):
            expected, trial = alone.ask(space.distributions), ask(study, space)
            assert trial.params == expected.params
            finish(alone, expected, FEASIBLE)
            finish(study, trial, FEASIBLE)
    stored = folder.load().get_trials()
    assert [trial.params for trial in stored] == [trial.params for trial in alone.get_trials()]
    assert all(trial.distributions == space.distributions for trial in stored)


@pytest.mark.parametrize("sampler", ["ehvi", "random"])
def test_what_waits_is_asked_first(either_folder, sampler):
    with either_folder.owned():
        study = create(either_folder, sampler=sampler)
        wanted = SPACE.draw(make_sampler(SPACE, "ehvi", 7)._rng)
        study.enqueue_trial(wanted)
        assert ask(study, SPACE).params == wanted
        asked = [ask(study, SPACE) for _ in range(3)]
        assert [trial.number for trial in asked] == [1, 2, 3]
        assert all(trial.params.keys() == SPACE.distributions.keys() for trial in asked)
        states = {trial.state for trial in study.get_trials()}
        assert states == {TrialState.RUNNING}


def test_optuna_is_told_states_values_and_constraints(folder):
    with folder.owned():
        study = create(folder)
        for evaluation in ENDINGS.values():
            finish(study, ask(study, SPACE), evaluation)
    told = dict(zip(ENDINGS, folder.load().get_trials(), strict=True))
    assert {name: trial.state for name, trial in told.items()} == {
        "feasible": TrialState.COMPLETE,
        "infeasible": TrialState.COMPLETE,
        "gated": TrialState.PRUNED,
        "stopped": TrialState.PRUNED,
        "invalid": TrialState.PRUNED,
        "failed": TrialState.FAIL,
    }
    result = FEASIBLE.result
    assert told["feasible"].values == [result["accuracy"], result["latency_ms"], result["size_kb"]]
    assert told["feasible"].constraints == result.violations
    assert told["gated"].constraints == ENDINGS["gated"].result.violations
    assert max(told["gated"].constraints.values()) > 0
    assert told["invalid"].constraints == {"allowed": 1.0}


def test_finishing_may_be_repeated_after_being_cut_short(either_folder):
    with either_folder.owned():
        study = create(either_folder)
        trial = ask(study, SPACE)
        trial.set_constraint("accuracy", FEASIBLE.result.violations["accuracy"])
        finish(study, optuna.Trial(study, trial._trial_id), FEASIBLE)
    (frozen,) = either_folder.load().get_trials()
    assert frozen.state == TrialState.COMPLETE
    assert frozen.constraints == FEASIBLE.result.violations
    assert stored_evaluation(frozen) == FEASIBLE


def test_a_planned_sampler_reads_the_study_once_and_hears_of_its_trials(folder, monkeypatch):
    with folder.owned():
        study = create(folder, sampler="ehvi")
        for evaluation in ENDINGS.values():
            finish(study, ask(study, SPACE), evaluation)
        drop(study, ask(study, SPACE))
        left = [begin(study, SPACE, SPACE.draw(study.sampler._rng)) for _ in range(3)]
        again = create(folder, sampler="ehvi")
        ask(again, SPACE)
        heard, read = vars(study.sampler), vars(again.sampler)
        assert [trial.params for trial in left] == study.sampler.running
        for kept in ("_taken", "_trained", "_finished"):
            assert heard[kept] <= read[kept] and heard[kept]
        assert heard["_finished"] == read["_finished"]
        assert [k.metrics for k in heard["_known"]] == [k.metrics for k in read["_known"]]
        monkeypatch.setattr(study, "get_trials", None)
        assert ask(study, SPACE).params != ask(study, SPACE).params
