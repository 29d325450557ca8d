"""The parameters of a search space: their distributions, or fixed values."""

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from sweep import distributions, registry
from sweep.candidate import CHOSEN, DOMAINS, QUANTIZATIONS, domains_of, parameters_of
from sweep.errors import PluginError, SpecError, nearest
from sweep.parameters import Domain
from sweep.spec import Range

ENUMERABLE = 100_000
"""The largest number of combinations that are listed rather than drawn."""


class ParameterSpace:
    """The parameters that a search-space file names.

    Args:
        parameters: the section ``parameters`` of the file.
        origin: the file's name, for messages.

    Attributes:
        distributions: an Optuna distribution for each parameter that varies, in stage order.
        fixed: the value of each named parameter that does not vary.
        domains, defaults: domain and default of every parameter, including those of the front ends
            and networks that the file names.

    Raises:
        SpecError: if a parameter is unknown or has a wrong value; the message names file and key.
    """

    def __init__(self, parameters: Mapping[str, Any], origin: str) -> None:
        self.origin = origin
        self.distributions: dict[str, BaseDistribution] = {}
        self.fixed: dict[str, Any] = {}
        self.domains, self.defaults = self._declared(parameters)
        for name in parameters:
            if name not in self.domains:
                self._fail(f"parameters.{name}", self._unknown(name))
        for name in (name for name in self.domains if name in parameters):
            self._add(name, parameters[name])
        self._stepped = {
            name: distribution
            for name, distribution in self.distributions.items()
            if isinstance(distribution, FloatDistribution) and distribution.step is not None
        }

    def own_values(self, varied: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of a candidate's own parameters, without those of other networks.

        Args:
            varied: values of the parameters that vary.
        """
        values = self.fixed | dict(varied)
        for name, distribution in self._stepped.items():
            if name in varied:
                values[name] = distributions.snapped(distribution, values[name])
        chosen = tuple(values.get(plugin, default) for plugin, default in CHOSEN.items())
        return {name: value for name, value in values.items() if name in self._own[chosen]}

    def values(self, name: str, at_most: int = ENUMERABLE) -> list[Any]:
        """Return at most so many values of a parameter that varies, spread over its range."""
        return distributions.values(self.distributions[name], at_most)

    def choices(self, name: str) -> list[Any]:
        """Return the values of a choice that may be fixed, or not be named."""
        if name in self.distributions:
            return self.values(name)
        return [self.fixed.get(name, self.defaults[name])]

    def describe(self, name: str) -> str:
        """Return the values of a parameter that varies, in words."""
        distribution = self.distributions[name]
        if isinstance(distribution, CategoricalDistribution):
            return ", ".join(
                "none" if value is None else str(value) for value in distribution.choices
            )
        assert isinstance(distribution, (IntDistribution, FloatDistribution))
        step = f", step {distribution.step:g}" if distribution.step not in (None, 1) else ""
        log = ", log" if distribution.log else ""
        return f"{distribution.low:g} to {distribution.high:g}{step}{log}"

    def size(self) -> int | None:
        """Return the number of combinations; None if it is infinite."""
        counts = [distributions.count(one) for one in self.distributions.values()]
        known = [count for count in counts if count is not None]
        return math.prod(known) if len(known) == len(counts) else None

    def product(self) -> Iterator[dict[str, Any]]:
        """Return every combination of a finite space, the last parameter fastest."""
        size = {
            name: distributions.count(distribution) or 0
            for name, distribution in self.distributions.items()
        }
        choices = [
            [distributions.value(distribution, i) for i in range(size[name])]
            for name, distribution in self.distributions.items()
        ]
        return (
            dict(zip(self.distributions, one, strict=True)) for one in itertools.product(*choices)
        )

    def draw(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return a random combination."""
        return self.draws(rng, 1)[0]

    def draws(self, rng: np.random.Generator, number: int) -> list[dict[str, Any]]:
        """Return random combinations."""
        columns = [
            distributions.draws(distribution, rng, number)
            for distribution in self.distributions.values()
        ]
        rows = zip(*columns, strict=True) if columns else [()] * number
        return [dict(zip(self.distributions, row, strict=True)) for row in rows]

    def comparable_parameters(self) -> dict[str, Any]:
        """Return all parameters in a form that does not depend on how the file spells them."""
        every = self.defaults | self.fixed | self.distributions
        return {name: _canonical(values) for name, values in every.items()}

    def _declared(self, parameters: Mapping[str, Any]) -> tuple[dict[str, Domain], dict[str, Any]]:
        """Return domains and defaults, including those of the chosen front ends and networks."""
        chosen: dict[str, list[str]] = {}
        for plugin, default in CHOSEN.items():
            given = parameters.get(plugin, default)
            names = given if isinstance(given, list) else [given]
            chosen[plugin] = [str(name) for name in names if DOMAINS[plugin].problem(name) is None]
        try:
            self._own = {
                pair: frozenset(parameters_of(dict(zip(chosen, ([name] for name in pair)))))
                for pair in itertools.product(*chosen.values())
            }
            return domains_of(chosen), parameters_of(chosen)
        except PluginError as error:
            self._fail("parameters", str(error))

    def _unknown(self, name: str) -> str:
        """Return the message for an unknown parameter."""
        for plugin in CHOSEN:
            known = registry.BUILT_IN[plugin]
            having = [one for one in known if name in parameters_of({plugin: [one]})]
            if having:
                return f"is a parameter of {' and '.join(having)}; add it to parameters.{plugin}"
        return f"unknown parameter{nearest(name, self.domains)}"

    def _add(self, name: str, value: Any) -> None:
        place = f"parameters.{name}"
        if name == "quantization":
            self.fixed[name] = self._quantizations(place, value)
        elif isinstance(value, Range):
            for end in ("low", "high"):
                self._check_value(f"{place}.{end}", name, getattr(value, end))
            domain = self.domains[name]
            if domain.kind is int and value.step not in (None, int(value.step or 1)):
                self._fail(f"{place}.step", f"{value.step!r} is not a whole number")
            self.distributions[name] = distributions.of_range(
                domain.kind, value.low, value.high, value.step, value.log
            )
        elif isinstance(value, list):
            self._check_choice(place, name, value)
            if len(value) > 1:
                self.distributions[name] = CategoricalDistribution(value)
            else:
                self.fixed[name] = value[0]
        else:
            self._check_value(place, name, value)
            self.fixed[name] = value

    def _check_choice(self, place: str, name: str, values: list[Any]) -> None:
        if not values:
            self._fail(place, "an empty choice; name at least one value")
        for i, value in enumerate(values):
            self._check_value(f"{place}.{i}", name, value)
        if any(values.count(value) > 1 for value in values):
            self._fail(place, "duplicate value")

    def _check_value(self, place: str, name: str, value: Any) -> None:
        problem = self.domains[name].problem(value)
        if problem:
            self._fail(place, problem)

    def _quantizations(self, place: str, value: Any) -> tuple[str, ...]:
        names = value if isinstance(value, list) else [value]
        if not names:
            self._fail(place, "an empty choice; name at least one value")
        for name in names:
            if name not in QUANTIZATIONS:
                self._fail(place, f"{name!r} is unknown{nearest(str(name), QUANTIZATIONS)}")
        return tuple(dict.fromkeys(names))

    def _fail(self, place: str, message: str) -> NoReturn:
        raise SpecError(f"{self.origin}: {place}: {message}")


def _canonical(values: Any) -> Any:
    """Return choices sorted, and an interval as a mapping."""
    if isinstance(values, CategoricalDistribution):
        values = values.choices
    if isinstance(values, (tuple, list)):
        return sorted(values, key=lambda v: (v is not None, isinstance(v, str), v))
    if isinstance(values, (IntDistribution, FloatDistribution)):
        return {"low": values.low, "high": values.high, "step": values.step, "log": values.log}
    return values
