"""Greedy search: the best trial so far with one parameter changed."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from sweep.distributions import contains
from sweep.limits import total_violation
from sweep.space import Space
from sweep.study.samplers.base import PlannedSampler

_VALUES_OF_A_RANGE = 5
_DRAWS = 1000


class GreedySampler(PlannedSampler):
    """Changes one parameter of the best trial so far, as the published report did by hand.

    The search starts at the published values; when every single change has been tried, it draws at
    random.  It tries five values of a range.  The best trial violates the limits least, then has
    the best first objective.
    """

    def __init__(self, space: Space, seed: int) -> None:
        super().__init__(space, seed)
        self._rng = np.random.default_rng(seed)
        self._values = {
            name: space.values(name, _VALUES_OF_A_RANGE) for name in space.distributions
        }
        self._best = {
            name: (
                space.defaults[name]
                if contains(distribution, space.defaults[name])
                else self._middle(name)
            )
            for name, distribution in space.distributions.items()
        }
        self._lowest_cost = (float("inf"), 0.0)

    def _middle(self, name: str) -> Any:
        return self._values[name][len(self._values[name]) // 2]

    def note(self, trial: FrozenTrial, direction: StudyDirection) -> None:
        """Continue from this trial if it is the best so far."""
        if trial.state != TrialState.COMPLETE and not trial.constraints:
            return
        value = trial.values[0] if trial.values else 0.0
        broken = total_violation(trial.constraints) + (trial.state != TrialState.COMPLETE)
        cost = (broken, -value if direction == StudyDirection.MAXIMIZE else value)
        if cost < self._lowest_cost:
            self._lowest_cost, self._best = cost, trial.params

    def plan(self) -> dict[str, Any]:
        """Return the first untried change of one parameter of the best trial."""
        for parameters in self._proposals():
            if self.space.allows(parameters) and not self.is_taken(parameters):
                return parameters
        return self._best

    def _proposals(self) -> Iterator[dict[str, Any]]:
        yield self._best
        for name, values in self._values.items():
            yield from (self._best | {name: value} for value in values)
        yield from (self.space.draw(self._rng) for _ in range(_DRAWS))
