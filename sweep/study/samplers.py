"""How candidates are proposed: Optuna's samplers, and two of the report's own kind."""

import importlib.util
from collections.abc import Iterator
from typing import Any

import numpy as np
import optuna
from optuna.samplers import BaseSampler, NSGAIISampler, RandomSampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from sweep import registry
from sweep.distributions import contains
from sweep.errors import PluginError, SpecError
from sweep.limits import total_violation
from sweep.space import Space
from sweep.study.planning import PlannedSampler
from sweep.study.promotion import EPOCHS, PromotingSampler
from sweep.study.tpe import ForgetfulTPESampler

_POPULATION = 20
_VALUES_OF_A_RANGE = 5
_DRAWS = 1000


def make_sampler(space: Space, name: str, seed: int) -> BaseSampler:
    """Return a sampler by its name in a search-space file.

    A sampler from outside is whatever makes an Optuna sampler of a space and a seed: a class that
    is one, as ``PlannedSampler``, or a function.

    Raises:
        SpecError: if there is none of that name, it cannot search this space, or needs a package
            that is not installed.
    """
    try:
        make = registry.find("sampler", name)
        with registry.blaming(make, but=SpecError):
            sampler = make(space, seed)
            if not isinstance(sampler, BaseSampler):
                raise TypeError(f"makes {type(sampler).__name__}, which is no Optuna sampler")
    except PluginError as error:
        raise SpecError(f"{space.origin}: search.sampler: {error}") from error
    if space.file.search.promotion:
        return PromotingSampler(sampler, space.varying, sorted(space.values(EPOCHS)))
    return sampler


class GridSampler(PlannedSampler):
    """Every allowed combination of a finite space once, the last parameter varying fastest.

    Raises:
        SpecError: if the space is not finite.
    """

    def __init__(self, space: Space, seed: int = 0) -> None:
        super().__init__(space, seed)
        if space.size() is None:
            raise SpecError(
                f"{space.origin}: search.sampler: grid needs a finite space;"
                " give every range a step, or choose another sampler"
            )
        self._left = space.combinations()

    def plan(self) -> dict[str, Any]:
        """Return the first combination that no trial has taken; in the end, the first again."""
        left = (parameters for parameters in self._left if not self.is_taken(parameters))
        return next(left, None) or next(self.space.combinations())


class GreedySampler(PlannedSampler):
    """One parameter at a time from the best so far, as the report searched by hand.

    It begins with the report's own values; when no single change is left to try, it draws at
    random.  Of a range it tries five values.  Best is what breaks the limits least, then what
    does best in the first objective.
    """

    def __init__(self, space: Space, seed: int) -> None:
        super().__init__(space, seed)
        self._rng = np.random.default_rng(seed)
        self._values = {name: space.values(name, _VALUES_OF_A_RANGE) for name in space.varying}
        self._best = {
            name: (
                space.defaults[name] if contains(kind, space.defaults[name]) else self._middle(name)
            )
            for name, kind in space.varying.items()
        }
        self._lowest_cost = (float("inf"), 0.0)

    def _middle(self, name: str) -> Any:
        return self._values[name][len(self._values[name]) // 2]

    def note(self, trial: FrozenTrial, direction: StudyDirection) -> None:
        """Begin from this trial from now on, if it is the best so far."""
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


def tpe(space: Space, seed: int) -> BaseSampler:
    """Make Optuna's TPE; every trial has every parameter, so its groups would be one group."""
    return ForgetfulTPESampler(multivariate=True, seed=seed)


def nsga2(space: Space, seed: int) -> BaseSampler:
    """Make Optuna's NSGA-II with a population that fits budgets of some hundred trials."""
    return NSGAIISampler(population_size=_POPULATION, seed=seed)


def random(space: Space, seed: int) -> BaseSampler:
    """Make Optuna's random sampler."""
    return RandomSampler(seed=seed)


def gp(space: Space, seed: int) -> BaseSampler:
    """Make Optuna's Gaussian-process sampler.

    Raises:
        SpecError: if PyTorch is not installed.
    """
    if importlib.util.find_spec("torch") is None:
        raise SpecError(
            f"{space.origin}: search.sampler: gp needs PyTorch; pip install torch, or choose tpe"
        )
    return optuna.samplers.GPSampler(seed=seed, deterministic_objective=False)
