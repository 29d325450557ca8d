"""Trials in Optuna's storage: constraints, values and the whole evaluation."""

import gc
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState, create_trial

from sweep.evaluation import Evaluation
from sweep.limits import total_violation
from sweep.space import Space
from sweep.study.records import TrialRecord
from sweep.study.samplers.base import PlannedSampler

OBJECTIVES = "objectives"
"""The study's attribute that names its objectives, in the order of a trial's values."""

_EVALUATION, _REPEATS = "evaluation", "repeats"


@contextmanager
def no_collection() -> Iterator[None]:
    """Pause the garbage collector, which would scan all trials repeatedly."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@no_collection()
def ask(study: optuna.Study, space: Space) -> optuna.Trial:
    """Return a trial with all its parameters: an enqueued one, else what the sampler proposes.

    A planned sampler reads the study once, then learns of its trials from here: it is taken for
    granted that nobody else begins or ends any.
    """
    sampler = study.sampler
    if not isinstance(sampler, PlannedSampler):
        return study.ask(space.distributions)
    if not sampler.has_seen_all:
        trials = study.get_trials(deepcopy=False)
        if any(trial.state == TrialState.WAITING for trial in trials):
            return study.ask(space.distributions)
        for trial in trials:
            sampler.observe(trial, study.directions[0])
        sampler.has_seen_all = True
    return begin(study, space, sampler.plan())


def begin(
    study: optuna.Study, space: Space, parameters: dict[str, Any], repeats: int | None = None
) -> optuna.Trial:
    """Return a trial with these values; it may repeat a stopped trial to the end.

    It is stored in one piece: Optuna by itself stores parameter by parameter.
    """
    begun = create_trial(
        state=TrialState.RUNNING,
        params=parameters,
        distributions=space.distributions,
        user_attrs=None if repeats is None else {_REPEATS: repeats},
    )
    trial = optuna.Trial(study, study._storage.create_new_trial(study._study_id, begun))
    _tell_sampler(study, trial, begun)
    return trial


@no_collection()
def finish(study: optuna.Study, trial: optuna.Trial, evaluation: Evaluation) -> None:
    """Store the evaluation of a trial.

    The evaluation comes first: from then on nothing is trained again.  Killed in between, the same
    call may be made again.  The constraints come before the values: without them a trial would
    count as feasible.
    """
    # A text: Optuna keeps every trial in memory, where the records of it take four times as much.
    record = json.dumps(evaluation.to_json())
    trial.set_user_attr(_EVALUATION, record)
    result = evaluation.result
    violations = dict(result.violations) if result is not None else {}
    if evaluation.outcome == "invalid":
        violations["allowed"] = 1.0
    constraints = {f"constraints:{name}": violation for name, violation in violations.items()}
    for name, violation in constraints.items():
        # trial.set_constraint would read the whole trial again for each.
        study._storage.set_trial_system_attr(trial._trial_id, name, violation)
    state, values = TrialState.PRUNED, None
    if evaluation.trained and result is not None:
        state = TrialState.COMPLETE
        values = [result.metrics[metric] or 0.0 for metric in study.user_attrs[OBJECTIVES]]
    elif evaluation.outcome == "failed":
        state = TrialState.FAIL
    _end(study, trial, state, values, {_EVALUATION: record}, constraints)


def drop(study: optuna.Study, trial: optuna.Trial) -> None:
    """Mark a trial as not evaluated."""
    _end(study, trial, TrialState.FAIL)


def _end(
    study: optuna.Study,
    trial: optuna.Trial,
    state: TrialState,
    values: list[float] | None = None,
    user_attrs: dict[str, Any] | None = None,
    system_attrs: dict[str, Any] | None = None,
) -> None:
    if not isinstance(study.sampler, PlannedSampler):
        study.tell(trial, values, state)
        return
    # study.tell would read the whole trial twice.
    study._storage.set_trial_state_values(trial._trial_id, state, values)
    ended = create_trial(
        state=state,
        values=values,
        params=trial.params,
        distributions=trial.distributions,
        user_attrs=user_attrs,
        system_attrs=system_attrs,
    )
    _tell_sampler(study, trial, ended)


def _tell_sampler(study: optuna.Study, trial: optuna.Trial, known: FrozenTrial) -> None:
    """Pass a trial to a planned sampler."""
    if isinstance(study.sampler, PlannedSampler):
        known.number = trial.number
        study.sampler.observe(known, study.directions[0])


def is_evaluated(trial: FrozenTrial) -> bool:
    """Return whether a trial has an evaluation."""
    return _EVALUATION in trial.user_attrs


def stored_evaluation(trial: optuna.Trial | FrozenTrial) -> Evaluation | None:
    """Return the evaluation of a trial; None if it has none.

    Raises:
        ValueError: if it is damaged.
    """
    record = trial.user_attrs.get(_EVALUATION)
    if record is None:
        return None
    if not isinstance(record, str):
        raise ValueError(f"trial {trial.number!r} has no evaluation that can be read")
    return Evaluation.from_json(json.loads(record))


def nearest_stopped(study: optuna.Study, count: int) -> list[FrozenTrial]:
    """Return the trials stopped by their curves, by violation of the limits, least first."""
    found = []
    for trial in study.get_trials(deepcopy=False):
        evaluation = stored_evaluation(trial)
        if evaluation is None or evaluation.outcome != "stopped" or not evaluation.accuracies:
            continue
        assert evaluation.result is not None
        found.append((total_violation(evaluation.result.violations), trial.number, trial))
    return [trial for *_, trial in sorted(found, key=lambda one: one[:2])[:count]]


def repeated(trial: FrozenTrial) -> int | None:
    """Return the number of the stopped trial that a trial repeats; None if it repeats none."""
    return trial.user_attrs.get(_REPEATS)


def trial_records(space: Space, trials: Iterable[FrozenTrial]) -> tuple[TrialRecord, ...]:
    """Return the finished, evaluated trials as plain records."""
    finished = (trial for trial in trials if trial.state.is_finished())
    return tuple(_record(space, trial) for trial in finished if is_evaluated(trial))


def _record(space: Space, trial: FrozenTrial) -> TrialRecord:
    evaluation = stored_evaluation(trial)
    started, finished = trial.datetime_start, trial.datetime_complete
    trial._validate()
    if not isinstance(trial.number, int) or trial.distributions != space.distributions:
        raise ValueError(f"trial {trial.number!r} is of another space")
    assert evaluation is not None and started is not None and finished is not None
    return TrialRecord(trial.number, space.candidate(trial.params), evaluation, started, finished)
