"""How candidates are proposed: Optuna's samplers, and two of the report's own kind."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial

from sweep.candidate import PARAMETERS
from sweep.errors import SpecError
from sweep.space import Space

_POPULATION = 20
_VALUES_OF_A_RANGE = 5


def make_sampler(space: Space, name: str, seed: int) -> BaseSampler:
    """Return a sampler by its name in a search-space file.

    Raises:
        SpecError: if it cannot search this space, or needs a package that is not installed.
    """
    makers: dict[str, Callable[[], BaseSampler]] = {
        "tpe": lambda: TPESampler(multivariate=True, group=True, seed=seed),
        "nsga2": lambda: NSGAIISampler(population_size=_POPULATION, seed=seed),
        "random": lambda: RandomSampler(seed=seed),
        "grid": lambda: GridSampler(space),
        "greedy": lambda: GreedySampler(space, seed),
        "gp": lambda: _gp(space, seed),
    }
    return makers[name]()


class _PlannedSampler(BaseSampler):
    """A sampler that decides on a whole combination at once, from the trials so far."""

    def __init__(self, space: Space) -> None:
        self.space = space

    def plan(self, trials: list[FrozenTrial]) -> dict[str, Any]:
        """Return the next values of the varying parameters."""
        raise NotImplementedError

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return the whole space: nothing is sampled parameter by parameter."""
        return dict(self.space.varying)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return the planned values."""
        before = [t for t in study.get_trials(deepcopy=False) if t.number < trial.number]
        return self.plan(before)

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Refuse: every parameter is planned."""
        raise KeyError(param_name)


class GridSampler(_PlannedSampler):
    """Every allowed combination of a finite space once, the last parameter varying fastest.

    Raises:
        SpecError: if the space is not finite.
    """

    def __init__(self, space: Space) -> None:
        super().__init__(space)
        if space.size() is None:
            raise SpecError(
                f"{space.origin}: search.sampler: grid needs a finite space;"
                " give every range a step, or choose another sampler"
            )

    def plan(self, trials: list[FrozenTrial]) -> dict[str, Any]:
        """Return the first combination that no trial has taken."""
        taken = {_key(trial.params) for trial in trials}
        left = (c for c in self.space.combinations() if _key(c) not in taken)
        return next(left, next(self.space.combinations()))


class GreedySampler(_PlannedSampler):
    """One parameter at a time from the best so far, as the report searched by hand.

    It begins with the report's own values; when no single change is left to try, it draws at
    random.  Of a range it tries five values.
    """

    def __init__(self, space: Space, seed: int) -> None:
        super().__init__(space)
        self.rng = np.random.default_rng(seed)
        self.values = {name: space.values(name, _VALUES_OF_A_RANGE) for name in space.varying}

    def plan(self, trials: list[FrozenTrial]) -> dict[str, Any]:
        """Return the first untried change of one parameter of the best trial."""
        taken = {_key(trial.params) for trial in trials}
        return next(c for c in self._proposals(trials) if _key(c) not in taken)

    def _proposals(self, trials: list[FrozenTrial]) -> Iterator[dict[str, Any]]:
        start = {
            name: PARAMETERS[name] if PARAMETERS[name] in values else values[len(values) // 2]
            for name, values in self.values.items()
        }
        done = [trial for trial in trials if trial.state.is_finished() and trial.constraints]
        best = min(done, key=_cost).params if done else start
        changes = (best | {name: value} for name, values in self.values.items() for value in values)
        yield from (c for c in itertools.chain([start], changes) if self.space.allows(c))
        while True:
            yield self.space.draw(self.rng)


def _cost(trial: FrozenTrial) -> tuple[float, float]:
    broken = sum(max(0.0, violation) for violation in (trial.constraints or {}).values())
    return broken + (trial.values is None), -trial.values[0] if trial.values else 0.0


def _key(parameters: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(sorted(parameters.items()))


def _gp(space: Space, seed: int) -> BaseSampler:
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise SpecError(
            f"{space.origin}: search.sampler: gp needs PyTorch; pip install torch, or choose tpe"
        ) from error
    return optuna.samplers.GPSampler(seed=seed, deterministic_objective=False)
