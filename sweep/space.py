"""A checked search space: what varies, what is allowed, what to look for."""

import itertools
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import yaml
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from sweep import spec
from sweep.candidate import PARAMETERS, QUANTIZATIONS, Candidate
from sweep.errors import SpecError
from sweep.limits import METRICS, Limit
from sweep.rules import DOMAINS, broken_rule, requirement
from sweep.spec import Range, SpaceFile, nearest

_ENUMERABLE = 100_000
_DRAWS = 2_000


class Space:
    """A search-space file that has been understood and found sound.

    Attributes:
        file: the file's content.
        origin: the file's name, for messages.
        varying: an Optuna distribution for each parameter that varies, in the order of the stages.
        fixed: the value of each parameter that is named and does not vary.
        limits: the limits.

    Raises:
        SpecError: if anything is wrong; the message names file and key.
    """

    def __init__(self, file: SpaceFile, origin: str) -> None:
        self.file = file
        self.origin = origin
        self.varying: dict[str, BaseDistribution] = {}
        self.fixed: dict[str, Any] = {}
        for name in file.parameters:
            if name not in PARAMETERS:
                self._fail(f"parameters.{name}", f"unknown parameter{nearest(name, PARAMETERS)}")
        for name in (name for name in PARAMETERS if name in file.parameters):
            self._add(name, file.parameters[name])
        self.limits = [self._limit(metric, text) for metric, text in file.limits.items()]
        self._requirements = [self._requirement(i, text) for i, text in enumerate(file.require)]
        for metric in file.objectives:
            if metric not in METRICS:
                self._fail(f"objectives.{metric}", f"unknown metric{nearest(metric, METRICS)}")
        for i, parameters in enumerate(file.search.enqueue):
            self._check_enqueued(f"search.enqueue.{i}", parameters)

    @classmethod
    def load(cls, path: Path | str) -> "Space":
        """Read a search-space file and check all of it."""
        space = cls(spec.read(path), str(path))
        space.check()
        return space

    @classmethod
    def parse(cls, text: str, origin: str = "search space") -> "Space":
        """Read the text of a search-space file."""
        return cls(spec.parse(text, origin), origin)

    def with_search(self, **changes: Any) -> "Space":
        """Return the space with another sampler, budget, timeout or seed; None changes nothing."""
        given = {key: value for key, value in changes.items() if value is not None}
        search = spec.search_section(self.file.search.model_dump() | given, "search")
        return Space(self.file.model_copy(update={"search": search}), self.origin)

    def facts(self) -> dict[str, Any]:
        """Return what would be searched, as plain values."""
        size = self.size()
        share, counted = self.allowed_share()
        allowed = round(share * size) if size is not None and counted else f"about {share:.0%}"
        return {
            "source": self.file.dataset.source,
            "labels": self.file.dataset.labels,
            "varying": {name: self.describe(name) for name in self.varying},
            "fixed": self.fixed,
            "combinations": size if size is not None else "endless",
            "allowed": allowed,
            "require": self.file.require,
            "limits": [str(limit) for limit in self.limits],
            "objectives": self.file.objectives,
            "search": self.file.search.model_dump(exclude_defaults=False),
        }

    def text(self) -> str:
        """Return the space as YAML that ``parse`` reads."""
        return yaml.safe_dump(self.file.model_dump(mode="json"), sort_keys=False)

    def candidate(self, parameters: Mapping[str, Any]) -> Candidate:
        """Return the candidate for values of the varying parameters."""
        return Candidate.from_parameters(self.fixed | dict(parameters), seed=self.file.search.seed)

    def objection(self, candidate: Candidate) -> str | None:
        """Return why a candidate is not allowed, or None when it is."""
        broken = broken_rule(candidate)
        if broken is not None:
            return f"{broken.parameter}: {broken.message}"
        values = candidate.parameters()
        for text, holds in zip(self.file.require, self._requirements, strict=True):
            if not holds(values):
                return f"require: {text}"
        return None

    def allows(self, parameters: Mapping[str, Any]) -> bool:
        """Tell whether values of the varying parameters make an allowed candidate."""
        return self.objection(self.candidate(parameters)) is None

    def values(self, name: str, at_most: int = _ENUMERABLE) -> list[Any]:
        """Return the values of a varying parameter, or ``at_most`` of them spread over its range."""
        kind = self.varying[name]
        values = _values(kind)
        if values is not None and len(values) <= at_most:
            return values
        if values is not None:
            chosen = np.linspace(0, len(values) - 1, at_most).round().astype(int)
            return [values[i] for i in chosen]
        assert isinstance(kind, FloatDistribution)
        spread = np.geomspace if kind.log else np.linspace
        return [float(value) for value in spread(kind.low, kind.high, at_most)]

    def describe(self, name: str) -> str:
        """Return what a varying parameter may be, in words."""
        kind = self.varying[name]
        if isinstance(kind, CategoricalDistribution):
            return ", ".join("none" if value is None else str(value) for value in kind.choices)
        assert isinstance(kind, (IntDistribution, FloatDistribution))
        step = f", step {kind.step:g}" if kind.step not in (None, 1) else ""
        return f"{kind.low:g} to {kind.high:g}{step}{', log' if kind.log else ''}"

    def size(self) -> int | None:
        """Return the number of combinations, allowed or not; None when they are endless."""
        counts = [_values(kind) for kind in self.varying.values()]
        if any(values is None for values in counts):
            return None
        return math.prod(len(values) for values in counts if values is not None)

    def combinations(self) -> Iterator[dict[str, Any]]:
        """Yield the allowed combinations of a finite space, the last parameter fastest."""
        choices = [_values(kind) or () for kind in self.varying.values()]
        for choice in itertools.product(*choices):
            parameters = dict(zip(self.varying, choice, strict=True))
            if self.allows(parameters):
                yield parameters

    def draw(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return a combination drawn at random, allowed or not."""
        return {name: _draw(kind, rng) for name, kind in self.varying.items()}

    def allowed_share(self) -> tuple[float, bool]:
        """Return the share of combinations that are allowed, and whether it was counted."""
        size = self.size()
        if size is not None and size <= _ENUMERABLE:
            return sum(1 for _ in self.combinations()) / size, True
        rng = np.random.default_rng(0)
        return sum(self.allows(self.draw(rng)) for _ in range(_DRAWS)) / _DRAWS, False

    def check(self) -> None:
        """Raise if nothing is allowed, or a choice can never be taken."""
        rng = np.random.default_rng(0)
        draws = [self.draw(rng) for _ in range(_DRAWS if self.varying else 1)]
        objections = [self.objection(self.candidate(parameters)) for parameters in draws]
        if None not in objections:
            place, _, message = max(objections, key=objections.count).partition(": ")
            self._fail(
                place if place == "require" else f"parameters.{place}",
                f"{message} (no combination is allowed)",
            )
        for name, kind in self.varying.items():
            if isinstance(kind, CategoricalDistribution):
                for value in kind.choices:
                    self._check_reachable(name, value, draws)

    def comparable(self) -> dict[str, Any]:
        """Return the parts of the file that must agree for a study to go on."""
        parts = {"dataset", "parameters", "require", "limits", "objectives"}
        return self.file.model_dump(mode="json", include=parts) | {"seed": self.file.search.seed}

    def _add(self, name: str, value: Any) -> None:
        place = f"parameters.{name}"
        if name == "quantization":
            self.fixed[name] = self._quantizations(place, value)
        elif isinstance(value, Range):
            for end in ("low", "high"):
                self._check_value(f"{place}.{end}", name, getattr(value, end))
            self.varying[name] = _distribution(value)
        elif isinstance(value, list):
            self._check_choice(place, name, value)
            if len(value) > 1:
                self.varying[name] = CategoricalDistribution(value)
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
            self._fail(place, "a value stands twice")

    def _check_value(self, place: str, name: str, value: Any) -> None:
        problem = DOMAINS[name].problem(value)
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

    def _check_enqueued(self, place: str, parameters: Mapping[str, Any]) -> None:
        for name, value in parameters.items():
            if name not in self.varying:
                hint = nearest(name, self.varying)
                self._fail(f"{place}.{name}", f"no parameter that varies here{hint}")
            if not _contains(self.varying[name], value):
                self._fail(f"{place}.{name}", f"{value!r} is outside the space")

    def _check_reachable(self, name: str, value: Any, draws: list[dict[str, Any]]) -> None:
        objections = (self.objection(self.candidate(draw | {name: value})) for draw in draws)
        refused = list(itertools.takewhile(lambda objection: objection is not None, objections))
        if len(refused) == len(draws):
            self._fail(f"parameters.{name}", f"{value!r} can never be taken; {refused[0]}")

    def _limit(self, metric: str, text: str) -> Limit:
        if metric not in METRICS:
            self._fail(f"limits.{metric}", f"unknown metric{nearest(metric, METRICS)}")
        try:
            return Limit.parse(metric, text)
        except ValueError as error:
            self._fail(f"limits.{metric}", str(error))

    def _requirement(self, index: int, text: str) -> Any:
        try:
            return requirement(text)
        except ValueError as error:
            self._fail(f"require.{index}", str(error))

    def _fail(self, place: str, message: str) -> NoReturn:
        raise SpecError(f"{self.origin}: {place}: {message}")


def _distribution(value: Range) -> BaseDistribution:
    if all(isinstance(number, int) for number in (value.low, value.high, value.step or 1)):
        return IntDistribution(int(value.low), int(value.high), value.log, int(value.step or 1))
    return FloatDistribution(value.low, value.high, value.log, value.step)


def _values(kind: BaseDistribution) -> list[Any] | None:
    """Return every value of a distribution, or None when there are endlessly many."""
    if isinstance(kind, CategoricalDistribution):
        return list(kind.choices)
    if isinstance(kind, IntDistribution):
        return list(range(kind.low, kind.high + 1, kind.step))
    if isinstance(kind, FloatDistribution) and kind.step is not None:
        steps = round((kind.high - kind.low) / kind.step)
        return [round(kind.low + i * kind.step, 12) for i in range(steps + 1)]
    return None


def _draw(kind: BaseDistribution, rng: np.random.Generator) -> Any:
    values = _values(kind)
    log = isinstance(kind, (IntDistribution, FloatDistribution)) and kind.log
    if values is not None and not log:
        return values[rng.integers(len(values))]
    assert isinstance(kind, (IntDistribution, FloatDistribution))
    if not log:
        return float(rng.uniform(kind.low, kind.high))
    value = math.exp(rng.uniform(math.log(kind.low), math.log(kind.high)))
    return round(value) if isinstance(kind, IntDistribution) else value


def _contains(kind: BaseDistribution, value: Any) -> bool:
    values = _values(kind)
    if values is not None:
        return value in values
    assert isinstance(kind, FloatDistribution)
    return isinstance(value, (int, float)) and kind.low <= value <= kind.high
