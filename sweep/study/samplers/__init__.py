"""Samplers: how a study proposes candidates."""

from optuna.samplers import BaseSampler

from sweep import registry
from sweep.errors import PluginError, SpecError
from sweep.space import Space
from sweep.study.samplers.successive_halving import EPOCHS, SuccessiveHalving


def make_sampler(space: Space, name: str, seed: int) -> BaseSampler:
    """Return a sampler by its name in a search-space file.

    A sampler plugin is a class or function that returns an Optuna sampler for a space and a seed.

    Raises:
        SpecError: if there is no sampler of that name, it cannot search this space, or it needs a
            package that is not installed.
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
        return SuccessiveHalving(sampler, space.distributions, sorted(space.values(EPOCHS)))
    return sampler
