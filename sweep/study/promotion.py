"""Short trainings first: what does well in them is trained again, longer."""

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


class PromotingSampler(BaseSampler):
    """Successive halving over ``epochs``, one trial at a time, around another sampler.

    New combinations begin with the fewest epochs.  For every three that were trained to their end
    with as many epochs, the best that has not yet done so goes on to the next number of epochs
    (after Li et al., "A system for massively parallel hyperparameter tuning", MLSys 2020).  Every
    training is a whole one, with a schedule of its own: nothing is guessed from half a schedule.
    Best is what breaks the limits least; of those that keep them, what fewest others beat in every
    objective.

    Args:
        inner: proposes all parameters but ``epochs``.
        space: the whole search space.
        rungs: numbers of epochs, fewest first.
        reduction: one trial of so many goes on.
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
        """Return the whole space: what goes on is known in every parameter."""
        return self.space

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return a combination to train longer or, if there is none, a new one."""
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
        """Let the inner sampler prepare."""
        self.inner.before_trial(study, trial)

    def after_trial(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        """Let the inner sampler take note."""
        self.inner.after_trial(study, trial, state, values)

    def _promoted(
        self, trials: list[FrozenTrial], directions: list[StudyDirection]
    ) -> dict[str, Any] | None:
        for rung, longer in reversed(list(zip(self.rungs, self.rungs[1:], strict=False))):
            finished = [
                t for t in trials if t.state == TrialState.COMPLETE and t.params.get(EPOCHS) == rung
            ]
            going_on = {_key(t.params) for t in trials if t.params.get(EPOCHS) == longer}
            if len(going_on) < len(finished) // self.reduction:
                for trial in ranked(finished, directions):
                    if _key(trial.params) not in going_on:
                        return trial.params | {EPOCHS: longer}
        return None


def ranked(trials: list[FrozenTrial], directions: list[StudyDirection]) -> list[FrozenTrial]:
    """Return finished trials, best first: feasible before infeasible, beaten by few before many."""
    if not trials:
        return []
    signs = [-1 if direction == StudyDirection.MAXIMIZE else 1 for direction in directions]
    points = np.array([trial.values for trial in trials]) * signs
    broken = np.array([total_violation(trial.constraints) for trial in trials])
    beaten = [int((dominating(points, point) & (broken == 0)).sum()) for point in points]
    order = sorted(range(len(trials)), key=lambda i: (broken[i], beaten[i], i))
    return [trials[i] for i in order]


def _key(params: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(sorted((name, value) for name, value in params.items() if name != EPOCHS))
