"""A checked search space: what varies, what is allowed, what to look for."""

import ast
import itertools
import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
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

from sweep import distributions, registry, spec
from sweep.audio.dataset import CLIP_LENGTHS_IN_S
from sweep.audio.splits import SPLITS
from sweep.candidate import (
    CHOSEN,
    DOMAINS,
    QUANTIZATIONS,
    Candidate,
    domains_of,
    parameters_of,
)
from sweep.errors import PluginError, SpecError, nearest
from sweep.limits import EVERY_WORD, Limit
from sweep.metrics import METRICS, OF_STREAMS, Metric, goal, metrics_named, metrics_of
from sweep.parameters import Domain
from sweep.rules import broken_rule, requirement
from sweep.spec import Range, SpaceFile

_ENUMERABLE = 100_000
_DRAWS = 2_000
MOST_DRAWS = 20_000
"""How many combinations are drawn at random before none is taken to be allowed."""


class Space:
    """A search-space file that has been understood and found sound.

    Attributes:
        file: the file's content.
        origin: the file's name, for messages.
        distributions: an Optuna distribution for each parameter that varies, in stage order.
        fixed: the value of each parameter that is named and does not vary.
        domains, defaults: what every parameter may be, and is where the file does not name it;
            those of the networks it names are among them.
        metrics: what is measured of every trial, by name.
        limits: the limits; every study requires that each word is recognised at least once.

    Raises:
        SpecError: if anything is wrong; the message names file and key.
    """

    def __init__(self, file: SpaceFile, origin: str) -> None:
        self.file = file
        self.origin = origin
        self.distributions: dict[str, BaseDistribution] = {}
        self.fixed: dict[str, Any] = {}
        self.domains, self.defaults = self._declared()
        for name in file.parameters:
            if name not in self.domains:
                self._fail(f"parameters.{name}", self._unknown(name))
        for name in (name for name in self.domains if name in file.parameters):
            self._add(name, file.parameters[name])
        self._stepped = {
            name: distribution
            for name, distribution in self.distributions.items()
            if isinstance(distribution, FloatDistribution) and distribution.step is not None
        }
        self.metrics: Mapping[str, Metric] = metrics_of(file.dataset.outputs, file.dataset.streams)
        for i, name in enumerate(file.metrics):
            try:
                self.metrics = {**self.metrics, **metrics_named([name])}
            except PluginError as error:
                self._fail(f"metrics.{i}", str(error))
        self.limits = [self._limit(metric, text) for metric, text in file.limits.items()]
        if EVERY_WORD.metric not in file.limits and any(
            self.metrics[limit.metric].known == "trained" for limit in self.limits
        ):
            self.limits.append(EVERY_WORD)
        self._requirements = [self._requirement(i, text) for i, text in enumerate(file.require)]
        for metric in file.objectives:
            if metric not in self.metrics:
                self._fail(f"objectives.{metric}", self._no_metric(metric))
            best = self.metrics[metric].direction
            if file.objectives[metric] != best:
                self._fail(f"objectives.{metric}", f"must be {best}")
        for metric in file.search.goal:
            if metric not in file.objectives:
                hint = nearest(metric, file.objectives)
                self._fail(f"search.goal.{metric}", f"no objective of this search{hint}")
            try:
                self.metrics[metric].check_bound(file.search.goal[metric])
            except ValueError as error:
                self._fail(f"search.goal.{metric}", str(error))
        if file.search.promotion:
            self._check_promotion()
        for i, parameters in enumerate(file.search.enqueue):
            self._check_enqueued(f"search.enqueue.{i}", parameters)

    @classmethod
    def load(cls, path: Path | str) -> "Space":
        """Read a search-space file, or the built-in one of that name, and check all of it.

        Modules that it names are looked for beside it, too.
        """
        file = spec.find(path)
        registry.search_in(file.parent)
        space = cls(spec.read(file), str(path))
        space.check()
        return space

    @classmethod
    def parse(cls, text: str, origin: str = "search space") -> "Space":
        """Read the text of a search-space file."""
        return cls(spec.parse(text, origin), origin)

    def with_search(self, **changes: Any) -> "Space":
        """Return the space with another sampler, budget, timeout or seed; None changes nothing."""
        given = {key: value for key, value in changes.items() if value is not None}
        search = spec.search_section(self.file.search.model_dump() | given)
        return Space(self.file.model_copy(update={"search": search}), self.origin)

    def with_data(self, source: str | None, lists: str | None) -> "Space":
        """Return the space with clips from elsewhere, or split by the lists of a prefix."""
        dataset = self.file.dataset
        if source is not None:
            dataset = dataset.model_copy(update={"source": source})
        if lists is not None:
            splits = {split: os.path.abspath(f"{lists}{split}_list.txt") for split in SPLITS}
            if not os.path.exists(splits["training"]):
                del splits["training"]  # then it is every other clip
            dataset = dataset.model_copy(update={"split": splits})
        return Space(self.file.model_copy(update={"dataset": dataset}), self.origin)

    @property
    def clip_length_in_s(self) -> float:
        """Length of a clip; the longest there can be as long as the recordings are to tell it."""
        length = self.file.dataset.clip_length_in_s
        return CLIP_LENGTHS_IN_S[1] if length == "auto" else length

    def with_clip_length(self, clip_length_in_s: float) -> "Space":
        """Return the space with the length that the recordings have told, where it is ``auto``.

        Raises:
            SpecError: if nothing is allowed for clips of that length.
        """
        if self.file.dataset.clip_length_in_s != "auto":
            return self
        dataset = self.file.dataset.model_copy(update={"clip_length_in_s": clip_length_in_s})
        space = Space(self.file.model_copy(update={"dataset": dataset}), self.origin)
        space.check()
        return space

    def beginning_with(self, candidates: Iterable[Candidate]) -> "Space":
        """Return the space with candidates of another study put first, where they fit in here."""
        first = []
        for candidate in candidates:
            values = candidate.parameters()
            first.append(
                {
                    name: values[name]
                    for name, distribution in self.distributions.items()
                    if name in values and distributions.contains(distribution, values[name])
                }
            )
        return self.with_search(enqueue=[*self.file.search.enqueue, *filter(None, first)])

    @property
    def named_metrics(self) -> list[str]:
        """The metrics that objectives or limits of the file name."""
        return list(dict.fromkeys([*self.file.objectives, *self.file.limits]))

    @property
    def goal(self) -> Metric:
        """What is bought with size and time: see ``metrics.goal``."""
        return goal(self.named_metrics, self.metrics)

    def facts(self) -> dict[str, Any]:
        """Return what would be searched, as plain values."""
        size = self.size()
        share, counted = self.allowed_share()
        allowed = round(share * size) if size is not None and counted else f"about {share:.0%}"
        return {
            "source": self.file.dataset.source,
            "labels": self.file.dataset.outputs,
            "clip_length_in_s": self.file.dataset.clip_length_in_s,
            "varying": {name: self.describe(name) for name in self.distributions},
            "fixed": self.fixed,
            "combinations": size if size is not None else "endless",
            "allowed": allowed,
            "require": self.file.require,
            "limits": [str(limit) for limit in self.limits],
            "objectives": self.file.objectives,
            "search": self.file.search.model_dump(exclude_none=True),
        }

    def text(self) -> str:
        """Return the space as YAML that ``parse`` reads."""
        return yaml.safe_dump(self.file.model_dump(mode="json"), sort_keys=False)

    def candidate(self, parameters: Mapping[str, Any]) -> Candidate:
        """Return the candidate for values of the varying parameters."""
        values = self.fixed | dict(parameters)
        for name, kind in self._stepped.items():
            if name in parameters:
                values[name] = distributions.snapped(kind, values[name])
        # What only other front ends or networks have is of no effect.
        own = self._own[tuple(values.get(kind, default) for kind, default in CHOSEN.items())]
        return Candidate.from_parameters(
            {name: value for name, value in values.items() if name in own},
            seed=self.file.search.seed,
            clip_length_in_s=self.clip_length_in_s,
        )

    def objection(self, candidate: Candidate) -> str | None:
        """Return why a candidate is not allowed, or None when it is.

        What a requirement cannot be computed for is not allowed.  A parameter that a candidate's
        network does not have counts there with its default.
        """
        broken = broken_rule(candidate)
        if broken is not None:
            return f"{broken.parameter}: {broken.message}"
        values = self.defaults | candidate.parameters() if self._requirements else {}
        for text, holds in zip(self.file.require, self._requirements, strict=True):
            try:
                held = holds(values)
            except (TypeError, ArithmeticError) as error:
                return f"require: {text!r} cannot be computed: {error}"
            if not held:
                return f"require: {text}"
        return None

    def allows(self, parameters: Mapping[str, Any]) -> bool:
        """Tell whether values of the varying parameters make an allowed candidate."""
        return self.objection(self.candidate(parameters)) is None

    def values(self, name: str, at_most: int = _ENUMERABLE) -> list[Any]:
        """Return the values of a varying parameter, at most so many, spread over its range."""
        return distributions.values(self.distributions[name], at_most)

    def describe(self, name: str) -> str:
        """Return what a varying parameter may be, in words."""
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
        """Return the number of combinations, allowed or not; None when they are endless."""
        counts = [distributions.count(one) for one in self.distributions.values()]
        known = [count for count in counts if count is not None]
        return math.prod(known) if len(known) == len(counts) else None

    def combinations(self) -> Iterator[dict[str, Any]]:
        """Yield the allowed combinations of a finite space, the last parameter fastest."""
        return (parameters for parameters in self._product() if self.allows(parameters))

    def draw(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return a combination drawn at random, allowed or not."""
        return self.draws(rng, 1)[0]

    def draws(self, rng: np.random.Generator, number: int) -> list[dict[str, Any]]:
        """Return so many combinations drawn at random, allowed or not."""
        columns = [
            distributions.draws(distribution, rng, number)
            for distribution in self.distributions.values()
        ]
        rows = zip(*columns, strict=True) if columns else [()] * number
        return [dict(zip(self.distributions, row, strict=True)) for row in rows]

    def completed(
        self, values: Mapping[str, Any], rng: np.random.Generator
    ) -> dict[str, Any] | None:
        """Return an allowed combination with these values; None if none is found."""
        draws = 1 if self.distributions.keys() <= values.keys() else MOST_DRAWS
        drawn = (self.draw(rng) | dict(values) for _ in range(draws))
        return next((one for one in drawn if self.allows(one)), None)

    def allowed_share(self) -> tuple[float, bool]:
        """Return the share of combinations that are allowed, and whether it was counted."""
        size = self.size()
        if size is not None and size <= _ENUMERABLE:
            return sum(1 for _ in self.combinations()) / size, True
        rng = np.random.default_rng(0)
        return sum(map(self.allows, self.draws(rng, _DRAWS))) / _DRAWS, False

    def check(self) -> None:
        """Raise if nothing is allowed, or a choice can never be taken."""
        rng = np.random.default_rng(0)
        size = self.size()
        every: list[dict[str, Any]] = []
        if size is not None and size <= _ENUMERABLE:
            every = list(self._product())
            rng.shuffle(every)  # so that an allowed one comes early
        none, never = "no combination is allowed", "can never be taken"
        if not every:
            none = f"none of {MOST_DRAWS:,} combinations drawn at random is allowed"
            never = f"was allowed in none of {MOST_DRAWS:,} combinations drawn at random"

        def draws() -> Iterable[dict[str, Any]]:
            return every or (self.draw(rng) for _ in range(MOST_DRAWS))

        refusal = self._refusal(draws(), {})
        if refusal is not None:
            place, _, message = refusal.partition(": ")
            place = place if place == "require" else f"parameters.{place}"
            self._fail(place, f"{message} ({none})")
        for name, distribution in self.distributions.items():
            for value in (
                distribution.choices if isinstance(distribution, CategoricalDistribution) else ()
            ):
                refusal = self._refusal(draws(), {name: value})
                if refusal is not None:
                    self._fail(f"parameters.{name}", f"{value!r} {never}; {refusal}")
        for i, values in enumerate(self.file.search.enqueue):
            refusal = self._refusal(draws(), values)
            if refusal is not None:
                self._fail(f"search.enqueue.{i}", f"it {never}; {refusal}")

    def comparable(self) -> dict[str, Any]:
        """Return what must agree for a study to go on, equal however the file spells it."""
        parameters = {
            n: _canonical(v) for n, v in (self.defaults | self.fixed | self.distributions).items()
        }
        return {
            "labels": sorted(self.file.dataset.outputs),
            "parameters": parameters,
            "require": sorted(ast.unparse(ast.parse(text.strip())) for text in self.file.require),
            "limits": {limit.metric: f"{limit.operator} {limit.bound:g}" for limit in self.limits},
            "objectives": dict(self.file.objectives),
            "seed": self.file.search.seed,
            "dataset.clip_length_in_s": self.file.dataset.clip_length_in_s,
            "dataset.streams": self.file.dataset.streams and self.file.dataset.streams.model_dump(),
            "folds": self.file.search.folds,
        }

    def spelled_like(self, other: "Space") -> "Space":
        """Return this space with choices, objectives and labels in the order of an equal one."""
        labels = {"labels": other.file.dataset.labels}
        dataset = self.file.dataset.model_copy(update=labels)
        update = {"dataset": dataset, "search": self.file.search}
        return Space(other.file.model_copy(update=update), self.origin)

    def _declared(self) -> tuple[dict[str, Domain], dict[str, Any]]:
        """Return domains and defaults of all parameters, those of front ends and networks too."""
        chosen: dict[str, list[str]] = {}
        for kind, default in CHOSEN.items():
            given = self.file.parameters.get(kind, default)
            names = given if isinstance(given, list) else [given]
            chosen[kind] = [str(name) for name in names if DOMAINS[kind].problem(name) is None]
        try:
            self._own = {
                pair: frozenset(parameters_of(dict(zip(chosen, ([name] for name in pair)))))
                for pair in itertools.product(*chosen.values())
            }
            return domains_of(chosen), parameters_of(chosen)
        except PluginError as error:
            self._fail("parameters", str(error))

    def _unknown(self, name: str) -> str:
        """Return what to do about a parameter that is none here."""
        for kind in CHOSEN:
            known = registry.BUILT_IN[kind]
            having = [one for one in known if name in parameters_of({kind: [one]})]
            if having:
                return f"is a parameter of {' and '.join(having)}, which parameters.{kind} lacks"
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
            self._fail(place, "a value stands twice")

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

    def _check_promotion(self) -> None:
        distribution = self.distributions.get("epochs")
        if distribution is None or (
            isinstance(distribution, IntDistribution) and distribution.step == 1
        ):
            self._fail("search.promotion", "needs parameters.epochs to be a list: [5, 15, 45]")
        if self.file.search.sampler in ("grid", "greedy"):
            self._fail("search.promotion", f"{self.file.search.sampler} does without; try tpe")

    def _check_enqueued(self, place: str, parameters: Mapping[str, Any]) -> None:
        for name, value in parameters.items():
            if name not in self.distributions:
                hint = nearest(name, self.distributions)
                self._fail(f"{place}.{name}", f"no parameter that varies here{hint}")
            if not distributions.contains(self.distributions[name], value):
                self._fail(f"{place}.{name}", f"{value!r} is outside the space")

    def _product(self) -> Iterator[dict[str, Any]]:
        """Yield every combination of a finite space, allowed or not."""
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

    def _refusal(self, draws: Iterable[dict[str, Any]], values: dict[str, Any]) -> str | None:
        """Return the commonest objection to combinations with these values, if none is allowed."""
        objections: Counter[str] = Counter()
        for draw in draws:
            objection = self.objection(self.candidate(draw | values))
            if objection is None:
                return None
            objections[objection] += 1
        return objections.most_common(1)[0][0]

    def _no_metric(self, name: str) -> str:
        if name in OF_STREAMS:
            return "is measured in streams; add dataset.streams, for example {hours: 1}"
        if name in METRICS:
            return "needs dataset.unknown or dataset.silence"
        return f"unknown metric{nearest(name, self.metrics)}"

    def _limit(self, metric: str, text: str) -> Limit:
        if metric not in self.metrics:
            self._fail(f"limits.{metric}", self._no_metric(metric))
        try:
            return Limit.parse(self.metrics[metric], text)
        except ValueError as error:
            self._fail(f"limits.{metric}", str(error))

    def _requirement(self, index: int, text: str) -> Any:
        try:
            return requirement(text, self.domains)
        except ValueError as error:
            self._fail(f"require.{index}", str(error))

    def _fail(self, place: str, message: str) -> NoReturn:
        raise SpecError(f"{self.origin}: {place}: {message}")


def _canonical(values: Any) -> Any:
    """Return what a parameter may be, in one spelling: choices sorted, an interval by its ends."""
    if isinstance(values, CategoricalDistribution):
        values = values.choices
    if isinstance(values, (tuple, list)):
        return sorted(values, key=lambda v: (v is not None, isinstance(v, str), v))
    if isinstance(values, (IntDistribution, FloatDistribution)):
        return {"low": values.low, "high": values.high, "step": values.step, "log": values.log}
    return values
