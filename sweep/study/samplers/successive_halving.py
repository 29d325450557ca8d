"""Successive halving: short trainings first; the best are trained again with more epochs."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from sweep.limits import total_violation
from sweep.pareto import dominating

EPOCHS = "epochs"


class SuccessiveHalving(BaseSampler):
    """Successive halving over ``epochs``, one trial at a time, around another sampler.

    New combinations start with the fewest epochs.  For every three trials that completed with as
    many epochs, the best one not yet promoted is trained with the next number of epochs (after Li
    et al., "A system for massively parallel hyperparameter tuning", MLSys 2020).  Every training
    runs its whole schedule; none is judged halfway.  The best trial violates the limits least;
    among feasible trials, the fewest others dominate it.

    Args:
        inner: proposes all parameters but ``epochs``.
        space: the whole search space.
        rungs: numbers of epochs, fewest first.
        reduction: one of this many trials is promoted.
    """

    def __init__(
        self,
        inner: BaseSampler,
        space: Mapping[str, BaseDistribution],
        rungs: Sequence[int],
        reduction: int = 3,
    ) -> None:
        self.inner, self.space = inner, dict(space)
        self.rungs, self.reduction = tuple(rungs), reduction

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return all parameters: a promoted trial fixes every one."""
        return self.space

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return a promoted combination or, if there is none, a new one."""
        others = [t for t in study.get_trials(deepcopy=False) if t.number != trial.number]
        promoted = self._promoted(others, study.directions)
        if promoted is not None:
            return promoted
        together = self.inner.infer_relative_search_space(study, trial)
        found = self.inner.sample_relative(study, trial, together)
        return found | {EPOCHS: self.rungs[0]} if EPOCHS in found else found

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Return the fewest epochs, or what the inner sampler proposes."""
        if param_name == EPOCHS:
            return self.rungs[0]
        return self.inner.sample_independent(study, trial, param_name, param_distribution)

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Call the inner sampler."""
        self.inner.before_trial(study, trial)

    def after_trial(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        """Call the inner sampler."""
        self.inner.after_trial(study, trial, state, values)

    def _promoted(
        self, trials: list[FrozenTrial], directions: list[StudyDirection]
    ) -> dict[str, Any] | None:
        for rung, longer in reversed(list(zip(self.rungs, self.rungs[1:], strict=False))):
            finished = [
                t for t in trials if t.state == TrialState.COMPLETE and t.params.get(EPOCHS) == rung
            ]
            promoted = {_key(t.params) for t in trials if t.params.get(EPOCHS) == longer}
            if len(promoted) < len(finished) // self.reduction:
                for trial in ranked(finished, directions):
                    if _key(trial.params) not in promoted:
                        return trial.params | {EPOCHS: longer}
        return None


def ranked(trials: list[FrozenTrial], directions: list[StudyDirection]) -> list[FrozenTrial]:
    """Return completed trials, best first: by violation, then by how many others dominate them."""
    if not trials:
        return []
    signs = [-1 if direction == StudyDirection.MAXIMIZE else 1 for direction in directions]
    points = np.array([trial.values for trial in trials]) * signs
    broken = np.array([total_violation(trial.constraints) for trial in trials])
    dominated_by = [int((dominating(points, point) & (broken == 0)).sum()) for point in points]
    order = sorted(range(len(trials)), key=lambda i: (broken[i], dominated_by[i], i))
    return [trials[i] for i in order]


def _key(params: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(sorted((name, value) for name, value in params.items() if name != EPOCHS))
