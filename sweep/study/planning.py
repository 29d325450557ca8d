"""Samplers that decide on all parameters at once."""

from abc import abstractmethod
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from sweep.space import Space


class PlannedSampler(BaseSampler):
    """A sampler that decides on a whole combination at once, from the trials so far.

    Attributes:
        space: the search space.
        running: the values of trials that have not finished.
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        self._taken: set[tuple[Any, ...]] = set()
        self._trained: set[str] = set()
        self._noted: set[int] = set()
        self.running: list[dict[str, Any]] = []

    @abstractmethod
    def plan(self) -> dict[str, Any]:
        """Return the next values of the varying parameters."""

    def note(self, trial: FrozenTrial, direction: StudyDirection) -> None:
        """Learn from a trial that has finished; ``direction`` is the first objective's."""

    def is_taken(self, parameters: dict[str, Any]) -> bool:
        """Tell whether a trial has had these values."""
        return _key(parameters) in self._taken

    def is_trained(self, parameters: dict[str, Any]) -> bool:
        """Tell whether a trial has had the same network, maybe by other values."""
        return self.space.candidate(parameters).key() in self._trained

    def _take(self, parameters: dict[str, Any]) -> None:
        self._taken.add(_key(parameters))
        if parameters.keys() == self.space.varying.keys():
            self._trained.add(self.space.candidate(parameters).key())

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return the whole space: nothing is sampled parameter by parameter."""
        return dict(self.space.varying)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return the planned values."""
        self.running = []
        for other in study.get_trials(deepcopy=False):
            if other.number not in self._noted and other.number != trial.number:
                self._take(other.params)
                if other.state == TrialState.RUNNING and set(other.params) == set(search_space):
                    self.running.append(other.params)
                if other.state.is_finished():
                    self._noted.add(other.number)
                    self.note(other, study.directions[0])
        return self.plan()

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Refuse: every parameter is planned."""
        raise KeyError(param_name)


def _key(parameters: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(sorted(parameters.items()))
