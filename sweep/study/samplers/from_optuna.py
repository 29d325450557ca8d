"""Samplers that are Optuna's own."""

import importlib.util

import optuna
from optuna.samplers import BaseSampler, NSGAIISampler

from sweep.errors import SpecError
from sweep.space import Space

_POPULATION = 20


def nsga2(space: Space, seed: int) -> BaseSampler:
    """Return Optuna's NSGA-II with a population that suits a budget of some hundred trials."""
    return NSGAIISampler(population_size=_POPULATION, seed=seed)


def gp(space: Space, seed: int) -> BaseSampler:
    """Return Optuna's Gaussian-process sampler.

    Raises:
        SpecError: if PyTorch is not installed.
    """
    if importlib.util.find_spec("torch") is None:
        raise SpecError(
            f"{space.origin}: search.sampler: gp needs PyTorch; pip install torch, or choose tpe"
        )
    return optuna.samplers.GPSampler(seed=seed, deterministic_objective=False)
