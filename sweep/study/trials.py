"""What Optuna keeps of a trial: constraints, values and the whole evaluation."""

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import optuna
from optuna.trial import FrozenTrial, TrialState, create_trial

from sweep.candidate import Evaluation
from sweep.space import Space
from sweep.study.planning import PlannedSampler
from sweep.study.table import TrialRecord

OBJECTIVES = "objectives"
"""The study's attribute that names its objectives, in the order of a trial's values."""

_EVALUATION = "evaluation"


@contextmanager
def no_collection() -> Iterator[None]:
    """Pause the garbage collector, which goes through all trials again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@no_collection()
def ask(study: optuna.Study, space: Space) -> optuna.Trial:
    """Return a trial with all its parameters: one that waits, else what the sampler proposes.

    A plan is stored in one piece: Optuna by itself stores parameter by parameter.
    """
    sampler = study.sampler
    if isinstance(sampler, PlannedSampler):
        trials = study.get_trials(deepcopy=False)
        if all(trial.state != TrialState.WAITING for trial in trials):
            planned = create_trial(
                state=TrialState.RUNNING,
                params=sampler.propose(trials, study.directions[0]),
                distributions=space.varying,
            )
            trial_id = study._storage.create_new_trial(study._study_id, planned)
            return optuna.Trial(study, trial_id)
    return study.ask(space.varying)


@no_collection()
def finish(study: optuna.Study, trial: optuna.Trial, evaluation: Evaluation) -> None:
    """Tell Optuna how a trial ended.

    The evaluation comes first: from then on nothing is trained again.  Killed in between, the same
    call may be made again.  The constraints come before the values: without them a trial would
    count as feasible.
    """
    trial.set_user_attr(_EVALUATION, evaluation.to_json())
    result = evaluation.result
    violations = dict(result.violations) if result is not None else {}
    if evaluation.outcome == "invalid":
        violations["allowed"] = 1.0
    for name, violation in violations.items():
        # Not by trial.set_constraint, which reads all of the trial back before each.
        study._storage.set_trial_system_attr(trial._trial_id, f"constraints:{name}", violation)
    if evaluation.outcome in ("feasible", "infeasible") and result is not None:
        values = [getattr(result, metric) for metric in study.user_attrs[OBJECTIVES]]
        _tell(study, trial, TrialState.COMPLETE, values)
    elif evaluation.outcome == "failed":
        _tell(study, trial, TrialState.FAIL)
    else:
        _tell(study, trial, TrialState.PRUNED)


def _tell(
    study: optuna.Study,
    trial: optuna.Trial,
    state: TrialState,
    values: list[float] | None = None,
) -> None:
    if isinstance(study.sampler, PlannedSampler):
        # It learns of a trial when it is next asked; study.tell would read all of it twice.
        study._storage.set_trial_state_values(trial._trial_id, state, values)
    else:
        study.tell(trial, values, state)


def stored_evaluation(trial: optuna.Trial | FrozenTrial) -> Evaluation | None:
    """Return the evaluation a trial carries, if it got that far."""
    record = trial.user_attrs.get(_EVALUATION)
    return None if record is None else Evaluation.from_json(record)


def trial_records(space: Space, trials: Iterable[FrozenTrial]) -> tuple[TrialRecord, ...]:
    """Return the finished trials that were evaluated as plain records."""
    finished = (trial for trial in trials if trial.state.is_finished())
    return tuple(_record(space, trial) for trial in finished if _EVALUATION in trial.user_attrs)


def _record(space: Space, trial: FrozenTrial) -> TrialRecord:
    evaluation = stored_evaluation(trial)
    started, finished = trial.datetime_start, trial.datetime_complete
    assert evaluation is not None and started is not None and finished is not None
    return TrialRecord(trial.number, space.candidate(trial.params), evaluation, started, finished)
