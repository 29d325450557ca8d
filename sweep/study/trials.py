"""What Optuna keeps of a trial: constraints, values and the whole evaluation."""

from collections.abc import Container, Iterable

import optuna
from optuna.trial import FrozenTrial, TrialState

from sweep.candidate import Evaluation
from sweep.space import Space
from sweep.study.table import TrialRecord

OBJECTIVES = "objectives"
"""The study's attribute that names its objectives, in the order of a trial's values."""

_EVALUATION = "evaluation"


def finish(
    study: optuna.Study,
    trial: optuna.Trial,
    evaluation: Evaluation,
    constraints: Container[str] = (),
) -> None:
    """Tell Optuna how a trial ended.

    The evaluation comes first: from then on nothing is trained again.  Killed in between, the same
    call may be made again, with the ``constraints`` that the trial has already.  They come before
    the values: without them a trial would count as feasible.
    """
    trial.set_user_attr(_EVALUATION, evaluation.to_json())
    result = evaluation.result
    violations = dict(result.violations) if result is not None else {}
    if evaluation.outcome == "invalid":
        violations["allowed"] = 1.0
    for name, violation in violations.items():
        if name not in constraints:
            trial.set_constraint(name, violation)
    if evaluation.outcome in ("feasible", "infeasible") and result is not None:
        values = [getattr(result, metric) for metric in study.user_attrs[OBJECTIVES]]
        study.tell(trial, values)
    elif evaluation.outcome == "failed":
        study.tell(trial, state=TrialState.FAIL)
    else:
        study.tell(trial, state=TrialState.PRUNED)


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
