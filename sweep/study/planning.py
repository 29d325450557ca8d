"""Samplers that decide on all parameters at once."""

from abc import abstractmethod
from collections.abc import Iterable
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

    def propose(self, trials: Iterable[FrozenTrial], direction: StudyDirection) -> dict[str, Any]:
        """Return the values of the next trial, from all trials so far."""
        self.running = []
        for trial in trials:
            if trial.number not in self._noted:
                self._take(trial.params)
                if (
                    trial.state == TrialState.RUNNING
                    and trial.params.keys() == self.space.varying.keys()
                ):
                    self.running.append(trial.params)
                if trial.state.is_finished():
                    self._noted.add(trial.number)
                    self.note(trial, direction)
        return self.plan()

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return the planned values."""
        others = (o for o in study.get_trials(deepcopy=False) if o.number != trial.number)
        return self.propose(others, study.directions[0])

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
