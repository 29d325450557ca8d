"""A checked search space: its parameters, requirements, metrics, limits and objectives."""

import ast
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from optuna.distributions import CategoricalDistribution, IntDistribution

from sweep import c, distributions, registry, spec
from sweep.audio.dataset_spec import CLIP_LENGTHS_IN_S
from sweep.audio.splits import SPLITS
from sweep.c.frontend import ONLY_C, has_c
from sweep.candidate import Candidate
from sweep.errors import SpecError, nearest
from sweep.frontends.lookup import frontend_owner
from sweep.latency import Clock, LatencyCommand, ThisMachine
from sweep.limits import hours_caution
from sweep.metrics import Metric, goal
from sweep.objectives import check_objectives, read_limits, read_metrics
from sweep.parameter_space import ENUMERABLE, ParameterSpace
from sweep.requirements import broken_rule, requirement
from sweep.spec import SpaceFile

_DRAWS = 2_000
MOST_DRAWS = 20_000
"""How many random combinations are tried before the search gives up."""


class Space(ParameterSpace):
    """A checked search-space file.

    Attributes:
        file: the file's content.
        metrics: the metrics of every trial, by name.
        limits: the limits; a study that limits a trained metric also requires that each word is
            recognised at least once.

    Raises:
        SpecError: if anything is wrong; the message names file and key.
    """

    def __init__(self, file: SpaceFile, origin: str) -> None:
        super().__init__(file.parameters, origin)
        self.file = file
        try:
            self.metrics = read_metrics(file)
            self.limits = read_limits(file.limits, self.metrics)
            check_objectives(file, self.metrics)
        except SpecError as error:
            raise SpecError(f"{origin}: {error}") from error
        self._requirements = [self._requirement(i, text) for i, text in enumerate(file.require)]
        if self.target:
            self._check_target(self.target)
        if file.search.promotion:
            self._check_promotion()
        for i, parameters in enumerate(file.search.enqueue):
            self._check_enqueued(f"search.enqueue.{i}", parameters)

    @classmethod
    def load(cls, path: Path | str) -> "Space":
        """Read and check a search-space file, or the built-in one of that name.

        Plugins are searched in the file's folder, too.
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
        """Return the space with changed keys of ``search:``; None changes nothing."""
        given = {key: value for key, value in changes.items() if value is not None}
        search = spec.search_section(self.file.search.model_dump() | given)
        return Space(self.file.model_copy(update={"search": search}), self.origin)

    def with_data(self, source: str | None, lists: str | None) -> "Space":
        """Return the space with another source of clips, or split by lists with a prefix."""
        dataset = self.file.dataset
        if source is not None:
            dataset = dataset.at(source)
        if lists is not None:
            splits = {split: os.path.abspath(f"{lists}{split}_list.txt") for split in SPLITS}
            if not os.path.exists(splits["training"]):
                del splits["training"]  # training gets every clip that no list names
            dataset = dataset.model_copy(update={"split": splits})
        return Space(self.file.model_copy(update={"dataset": dataset}), self.origin)

    @property
    def clip_length_in_s(self) -> float:
        """Length of a clip; the maximum while ``auto`` is not yet replaced."""
        length = self.file.dataset.clip_length_in_s
        return CLIP_LENGTHS_IN_S[1] if length == "auto" else length

    def with_clip_length(self, clip_length_in_s: float) -> "Space":
        """Return the space with this clip length in place of ``auto``.

        Raises:
            SpecError: if no combination is allowed with that length.
        """
        if self.file.dataset.clip_length_in_s != "auto":
            return self
        dataset = self.file.dataset.model_copy(update={"clip_length_in_s": clip_length_in_s})
        space = Space(self.file.model_copy(update={"dataset": dataset}), self.origin)
        space.check()
        return space

    def beginning_with(self, candidates: Iterable[Candidate]) -> "Space":
        """Return the space with candidates of another study enqueued first, if they fit."""
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
    def timed(self) -> bool:
        """Whether objectives or limits name a metric that depends on a worker's speed."""
        on_worker = self.file.latency is None
        return on_worker and any(self.metrics[name].timed for name in self.named_metrics)

    @property
    def clock(self) -> Clock:
        """What takes latencies."""
        latency = self.file.latency
        if latency is None:
            return ThisMachine()
        return LatencyCommand(latency.command, spec.duration_in_s(latency.timeout))

    @property
    def target(self) -> str | None:
        """The core that a network is for, and its costs are counted on; None for any machine."""
        return self.file.target

    @property
    def goal(self) -> Metric:
        """The metric that is traded against size and time; see ``metrics.goal``."""
        return goal(self.named_metrics, self.metrics)

    @property
    def aim(self) -> Metric:
        """What results are compared by, beside their costs.

        It is the goal, unless that is no objective and another share is, such as ``miss_rate``.
        """
        aims = [self.metrics[name] for name in self.file.objectives]
        if self.goal in aims:
            return self.goal
        return next((one for one in aims if one.share and one.known == "trained"), self.goal)

    @property
    def cautions(self) -> list[str]:
        """What cannot be shown of the limits, a sentence each."""
        streams = self.file.dataset.streams
        if streams is None or streams.recordings is not None:
            return []  # how long recordings are is not known yet
        told = hours_caution(self.limits, streams.hours)
        return [told] if told else []

    def facts(self) -> dict[str, Any]:
        """Return a summary of the space, as plain values."""
        size = self.size()
        share, counted = self.allowed_share()
        allowed = round(share * size) if size is not None and counted else f"about {share:.0%}"
        return {
            "source": self.file.dataset.source,
            "labels": self.file.dataset.outputs,
            "clip_length_in_s": self.file.dataset.clip_length_in_s,
            "varying": {name: self.describe(name) for name in self.distributions},
            "fixed": self.fixed,
            "combinations": size if size is not None else "infinite",
            "allowed": allowed,
            "require": self.file.require,
            "limits": [str(limit) for limit in self.limits],
            "objectives": self.file.objectives,
            **({"target": self.target} if self.target else {}),
            "search": self.file.search.model_dump(exclude_none=True),
            "cautions": self.cautions,
        }

    def text(self) -> str:
        """Return the space as YAML that ``parse`` reads."""
        return yaml.safe_dump(self.file.model_dump(mode="json"), sort_keys=False)

    def candidate(self, parameters: Mapping[str, Any]) -> Candidate:
        """Return the candidate with these values of the parameters that vary."""
        return Candidate.from_parameters(
            self.own_values(parameters),
            seed=self.file.search.seed,
            clip_length_in_s=self.clip_length_in_s,
        )

    def objection(self, candidate: Candidate) -> str | None:
        """Return why a candidate is not allowed; None if it is.

        A requirement that cannot be computed is not met.  Parameters that the candidate's network
        does not have count with their defaults.
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
        """Return whether these values of the parameters that vary are an allowed candidate."""
        return self.objection(self.candidate(parameters)) is None

    def combinations(self) -> Iterator[dict[str, Any]]:
        """Yield the allowed combinations of a finite space, the last parameter fastest."""
        return (parameters for parameters in self.product() if self.allows(parameters))

    def completed(
        self, values: Mapping[str, Any], rng: np.random.Generator
    ) -> dict[str, Any] | None:
        """Return an allowed combination with these values; None if there is none."""
        draws = 1 if self.distributions.keys() <= values.keys() else MOST_DRAWS
        drawn = (self.draw(rng) | dict(values) for _ in range(draws))
        return next((one for one in drawn if self.allows(one)), None)

    def allowed_share(self) -> tuple[float, bool]:
        """Return the share of allowed combinations, and whether it is exact."""
        size = self.size()
        if size is not None and size <= ENUMERABLE:
            return sum(1 for _ in self.combinations()) / size, True
        rng = np.random.default_rng(0)
        return sum(map(self.allows, self.draws(rng, _DRAWS))) / _DRAWS, False

    def check(self) -> None:
        """Raise if no combination is allowed, or a choice or enqueued combination never is."""
        rng = np.random.default_rng(0)
        size = self.size()
        every: list[dict[str, Any]] = []
        if size is not None and size <= ENUMERABLE:
            every = list(self.product())
            rng.shuffle(every)  # an allowed one comes early
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
        """Return what must be equal to resume a study, independent of the file's spelling."""
        return {
            "labels": sorted(self.file.dataset.outputs),
            "parameters": self.comparable_parameters(),
            "require": sorted(ast.unparse(ast.parse(text.strip())) for text in self.file.require),
            "limits": {limit.metric: f"{limit.operator} {limit.bound:g}" for limit in self.limits},
            "objectives": dict(self.file.objectives),
            "target": self.target,
            "latency": self.file.latency and self.file.latency.command,
            "seed": self.file.search.seed,
            "dataset.clip_length_in_s": self.file.dataset.clip_length_in_s,
            "dataset.streams": self.file.dataset.streams and self.file.dataset.streams.model_dump(),
            "folds": self.file.search.folds,
        }

    def spelled_like(self, other: "Space") -> "Space":
        """Return this space with choices, objectives and labels in the order of ``other``."""
        labels = {"labels": other.file.dataset.labels}
        dataset = self.file.dataset.model_copy(update=labels)
        update = {"dataset": dataset, "search": self.file.search}
        return Space(other.file.model_copy(update=update), self.origin)

    def _check_target(self, target: str) -> None:
        """Raise if something has no C that could be counted on a core."""
        for name in self.fixed.get("quantization", self.defaults["quantization"]):
            if name not in c.QUANTIZATIONS:
                *some, last = c.QUANTIZATIONS
                self._fail(
                    "parameters.quantization",
                    f"{name} has no C for a {target}; choose of {', '.join(some)} and {last}",
                )
        for name in self.choices("frontend"):
            if not has_c(frontend_owner(name)):
                self._fail("parameters.frontend", f"{name} has no C for a {target}, {ONLY_C}")

    def _check_promotion(self) -> None:
        distribution = self.distributions.get("epochs")
        if distribution is None or (
            isinstance(distribution, IntDistribution) and distribution.step == 1
        ):
            self._fail("search.promotion", "needs parameters.epochs to be a list: [5, 15, 45]")
        if self.file.search.sampler in ("grid", "greedy"):
            self._fail("search.promotion", f"{self.file.search.sampler} has no promotion; try tpe")

    def _check_enqueued(self, place: str, parameters: Mapping[str, Any]) -> None:
        for name, value in parameters.items():
            if name not in self.distributions:
                hint = nearest(name, self.distributions)
                self._fail(f"{place}.{name}", f"not a parameter that varies{hint}")
            if not distributions.contains(self.distributions[name], value):
                self._fail(f"{place}.{name}", f"{value!r} is outside the space")

    def _refusal(self, draws: Iterable[dict[str, Any]], values: dict[str, Any]) -> str | None:
        """Return the most frequent objection to these combinations; None if one is allowed."""
        objections: Counter[str] = Counter()
        for draw in draws:
            objection = self.objection(self.candidate(draw | values))
            if objection is None:
                return None
            objections[objection] += 1
        return objections.most_common(1)[0][0]

    def _requirement(self, index: int, text: str) -> Any:
        try:
            return requirement(text, self.domains)
        except ValueError as error:
            self._fail(f"require.{index}", str(error))
