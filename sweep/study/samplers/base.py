"""The base class of samplers that propose all parameters at once."""

from abc import abstractmethod
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from sweep.space import Space


class PlannedSampler(BaseSampler):
    """A sampler that proposes whole combinations.

    A subclass implements ``plan``, and may implement ``note`` to learn from finished trials.

    Args:
        space: the search space.
        seed: of its random numbers.

    Attributes:
        space: the search space.
        has_seen_all: whether ``observe`` was called with every trial of its study.
    """

    def __init__(self, space: Space, seed: int = 0) -> None:
        self.space = space
        self.seed = seed
        self.has_seen_all = False
        self._taken: set[tuple[Any, ...]] = set()
        self._trained: set[str] = set()
        self._finished: set[int] = set()
        self._running: dict[int, dict[str, Any]] = {}

    @property
    def running(self) -> list[dict[str, Any]]:
        """The values of trials that have not finished."""
        return list(self._running.values())

    @abstractmethod
    def plan(self) -> dict[str, Any]:
        """Return the next values of the varying parameters."""

    def note(self, trial: FrozenTrial, direction: StudyDirection) -> None:
        """Learn from a finished trial; ``direction`` is the first objective's."""

    def is_taken(self, parameters: dict[str, Any]) -> bool:
        """Return whether a trial has had these values."""
        return _key(parameters) in self._taken

    def is_trained(self, parameters: dict[str, Any]) -> bool:
        """Return whether a trial has had the same candidate, perhaps with other values."""
        return self.space.candidate(parameters).key() in self._trained

    def _take(self, parameters: dict[str, Any]) -> None:
        self._taken.add(_key(parameters))
        if parameters.keys() == self.space.distributions.keys():
            self._trained.add(self.space.candidate(parameters).key())

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return all parameters: none is sampled independently."""
        return dict(self.space.distributions)

    def observe(self, trial: FrozenTrial, direction: StudyDirection) -> None:
        """Record a trial that has started or finished; calls for a known trial change nothing."""
        if trial.number in self._finished:
            return
        self._take(trial.params)
        if trial.state.is_finished():
            self._finished.add(trial.number)
            self._running.pop(trial.number, None)
            self.note(trial, direction)
        elif (
            trial.state == TrialState.RUNNING
            and trial.params.keys() == self.space.distributions.keys()
        ):
            self._running[trial.number] = trial.params

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return the planned values."""
        for other in study.get_trials(deepcopy=False):
            if other.number != trial.number:
                self.observe(other, study.directions[0])
        return self.plan()

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Raise ``KeyError``: every parameter is planned."""
        raise KeyError(param_name)


def _key(parameters: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(sorted(parameters.items()))
