"""What is measured of a trial: metrics, limits on them, and which of two results is better."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sweep import registry
from sweep.audio.layout import SILENCE, UNKNOWN
from sweep.errors import PluginError
from sweep.statistics import Confusion, recalls, wilson

_PATTERN = re.compile(r"(>=|<=|>|<)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)")
_TOUCHING = 1e-9
_PLACES = {"ms": 3, "KB": 2}


class Unknown(LookupError):
    """A metric is asked for before it can be known."""


@dataclass(frozen=True)
class Measured:
    """What metrics are computed from.

    ``measured["ram_kb"]`` is another metric of the same result; it raises ``Unknown``, and leaves
    the metric that asks for it unknown too, where that was not measured.

    Attributes:
        facts: what the stages measured, by metric.
        confusion: clips by true label (rows) and predicted label (columns); None before training.
        metrics: all metrics, by name.
        labels: what the rows and columns of ``confusion`` are; needed only by metrics that tell
            keywords from ``_unknown_`` and ``_silence_``.
    """

    facts: Mapping[str, float]
    confusion: Confusion | None = None
    metrics: Mapping[str, "Metric"] = field(default_factory=lambda: METRICS)
    labels: Sequence[str] = ()

    def __getitem__(self, name: str) -> float:
        if name in self.facts:
            return self.facts[name]
        measure = self.metrics[name].measure
        if measure is None:
            raise Unknown(name)
        with registry.blaming(measure, but=Unknown):
            return float(measure(self))

    @property
    def predictions(self) -> Confusion:
        """The confusion matrix.

        Raises:
            Unknown: if nothing was trained.
        """
        if self.confusion is None:
            raise Unknown("confusion")
        return self.confusion

    def values(self) -> dict[str, float | None]:
        """Return every metric, None where it is not known."""
        return {name: _known(lambda: self[name]) for name in self.metrics}

    def exposures(self) -> dict[str, float]:
        """Return on how much each sampled metric rests, by name; see ``Metric.exposure``."""
        sampled = {n: m.exposure for n, m in self.metrics.items() if m.exposure is not None}
        found = {name: _known(lambda: exposure(self)) for name, exposure in sampled.items()}
        return {name: amount for name, amount in found.items() if amount is not None}


def _known(compute: Callable[[], float]) -> float | None:
    try:
        return compute()
    except Unknown:
        return None


@dataclass(frozen=True)
class Metric:
    """One thing that limits and objectives can name.

    Attributes:
        name: its name in files and tables.
        meaning: its definition, for people.
        measure: computes it; None where a stage measures it.
        unit: the unit, as people read it; empty for shares and counts.
        better: which way is better.
        known: ``untrained`` follows from the shape of the network, ``estimated`` is moved a little
            by training, ``trained`` is known only afterwards.
        share: whether it is a share, from 0 to 1.
        exposure: on how many clips (or hours) the value rests; None where nothing is sampled.
        interval: the 95 % interval of a value and its exposure.
    """

    name: str
    meaning: str
    measure: Callable[[Measured], float] | None = None
    unit: str = ""
    better: Literal["lower", "higher"] = "lower"
    known: Literal["untrained", "estimated", "trained"] = "untrained"
    share: bool = False
    exposure: Callable[[Measured], float] | None = None
    interval: Callable[[float, float], tuple[float, float]] = wilson

    @property
    def direction(self) -> str:
        """What an objective does with it, in Optuna's words."""
        return "maximize" if self.better == "higher" else "minimize"

    @property
    def sign(self) -> int:
        """What turns a value into a cost, of which less is better."""
        return -1 if self.better == "higher" else 1

    def text(self, value: float | None, ends: tuple[float, float] | None = None) -> str:
        """Return a value with its unit and the ends of its interval; a dash where it is unknown."""
        if value is None or math.isnan(value):
            return "–"
        if self.unit:
            return f"{self.number(value)}\u00a0{self.unit}"
        known = self.share and ends is not None and not math.isnan(ends[0])
        low_to_high = f" ({'–'.join(map(self.number, ends))})" if known and ends else ""
        return self.number(value) + low_to_high

    def number(self, value: float) -> str:
        """Return a value without its unit."""
        return f"{value:.4g}" if self.places is None else f"{value:,.{self.places}f}"

    @property
    def places(self) -> int | None:
        """How many decimal places a value is shown with; None for four digits in all."""
        if self.unit:
            return _PLACES.get(self.unit)
        return 3 if self.share else 0

    def check_bound(self, bound: float) -> None:
        """Check that values can lie on either side of a bound.

        Raises:
            ValueError: if they cannot.
        """
        if self.share and not 0 <= bound <= 1:
            raise ValueError(
                f"{self.name} is a share from 0 to 1, not {bound:g}; write 0.97 for 97 %"
            )
        if not self.share and bound <= 0:
            raise ValueError(f"{self.name} is always above 0, not {bound:g}")


def _share_right(measured: Measured) -> float:
    counts = np.array(measured.predictions)
    return float(np.trace(counts) / counts.sum())


def _clips(measured: Measured) -> float:
    return float(np.sum(measured.predictions))


def _mean_recall(measured: Measured) -> float:
    return float(np.mean(recalls(measured.predictions)))


def _clips_worth(measured: Measured) -> float:
    """Return of how many clips a share would be as sure as the mean recall.

    The variance of a mean of k shares of n_i clips is that of one share of k² / Σ(1/n_i) clips,
    where all are equally likely; with as many clips of each word that is the number of clips.
    """
    clips = np.sum(measured.predictions, axis=1)
    clips = clips[clips > 0]
    return float(len(clips) ** 2 / np.sum(1 / clips))


def _worst_recall(measured: Measured) -> float:
    return min(recalls(measured.predictions))


def _clips_of_worst(measured: Measured) -> float:
    """Return the clips of the word with the lowest recall, the fewest where several have it."""
    counts = np.array(measured.predictions)
    found = recalls(measured.predictions)
    clips = counts.sum(axis=1)[counts.sum(axis=1) > 0]
    return float(min(n for n, recall in zip(clips, found, strict=True) if recall == min(found)))


def _false_accepts(measured: Measured) -> tuple[float, float]:
    """Return share and number of the clips of the label that is accepted most, the fewest of ties.

    Raises:
        Unknown: if no label is ``_unknown_`` or ``_silence_``.
    """
    others = [i for i, label in enumerate(measured.labels) if label in (UNKNOWN, SILENCE)]
    rows = np.array(measured.predictions)[others]
    totals = rows.sum(axis=1) if others else np.zeros(0)
    rejected = rows[:, others].sum(axis=1) if others else totals
    found = [((n - right) / n, -n) for n, right in zip(totals.tolist(), rejected.tolist()) if n]
    if not found:
        raise Unknown("false_accept_rate")
    share, negative = max(found)
    return float(share), float(-negative)


_BUILT_IN = (
    Metric(
        "accuracy",
        "share of validation clips the .tflite bytes classify correctly in LiteRT",
        _share_right,
        better="higher",
        known="trained",
        share=True,
        exposure=_clips,
    ),
    Metric(
        "balanced_accuracy",
        "mean, over the words, of the share of their validation clips classified correctly",
        _mean_recall,
        better="higher",
        known="trained",
        share=True,
        exposure=_clips_worth,
    ),
    Metric(
        "worst_recall",
        "share of validation clips classified correctly, of the word where it is lowest",
        _worst_recall,
        better="higher",
        known="trained",
        share=True,
        exposure=_clips_of_worst,
    ),
    Metric(
        "false_accept_rate",
        "share of validation clips of _unknown_, or of _silence_ where it is higher, that are"
        " classified as a keyword",
        lambda measured: _false_accepts(measured)[0],
        known="trained",
        share=True,
        exposure=lambda measured: _false_accepts(measured)[1],
    ),
    Metric(
        "latency_ms",
        "preprocessing_latency_ms + model_latency_ms",
        lambda measured: measured["preprocessing_latency_ms"] + measured["model_latency_ms"],
        unit="ms",
    ),
    Metric(
        "size_kb",
        "the .tflite file zipped with DEFLATE, in KB of 1024 bytes",
        unit="KB",
        known="estimated",
    ),
    Metric(
        "preprocessing_latency_ms",
        "front end in LiteRT: median over clips, one thread, warm",
        unit="ms",
    ),
    Metric("model_latency_ms", "network in LiteRT: median over clips, one thread, warm", unit="ms"),
    Metric("tflite_size_kb", "the .tflite file, in KB of 1024 bytes", unit="KB", known="estimated"),
    Metric(
        "ram_kb", "activations of the network in a tensor arena, in KB of 1024 bytes", unit="KB"
    ),
    Metric(
        "parameters", "trained parameters of the network, those of batch normalisation included"
    ),
    Metric("multiply_adds", "multiply-adds of the network for one clip"),
)

METRICS: dict[str, Metric] = {metric.name: metric for metric in _BUILT_IN}
"""The metrics that come with the program, by name."""

ACCURACY, BALANCED_ACCURACY, WORST_RECALL, FALSE_ACCEPT_RATE = _BUILT_IN[:4]


def metrics_of(labels: Iterable[str]) -> dict[str, Metric]:
    """Return the built-in metrics that a network with these labels can have, by name."""
    rejects = bool({UNKNOWN, SILENCE} & set(labels))
    return {n: m for n, m in METRICS.items() if rejects or m is not FALSE_ACCEPT_RATE}


def metrics_named(names: Iterable[str]) -> dict[str, Metric]:
    """Return metrics of others by the names that a search space gives them, by their own names.

    Raises:
        PluginError: if there is none, it is no ``Metric``, or it is called as a built-in one.
    """
    found: dict[str, Metric] = {}
    for name in names:
        metric = registry.find("metric", name)
        if not isinstance(metric, Metric):
            raise PluginError(f"{name} is no sweep.Metric, but {type(metric).__name__}")
        if metric.name in METRICS or metric.name in found:
            raise PluginError(f"{name}: there is a metric {metric.name} already; rename it")
        found[metric.name] = metric
    return found


def goal(names: Iterable[str], metrics: Mapping[str, Metric]) -> Metric:
    """Return the first of some metrics that is a share of clips classified correctly.

    Without any it is the accuracy.
    """
    named = [metrics[name] for name in names]
    shares = (m for m in named if m.share and m.known == "trained" and m.better == "higher")
    return next(shares, ACCURACY)


def in_unit(unit: str, names: Iterable[str], metrics: Mapping[str, Metric], default: str) -> str:
    """Return the first of some metrics that has a unit, else ``default``."""
    return next((name for name in names if metrics[name].unit == unit), default)


@dataclass(frozen=True)
class Limit:
    """A bound on one metric; ``operator`` is one of ``>= > <= <``."""

    metric: str
    operator: str
    bound: float

    @classmethod
    def parse(cls, metric: Metric, text: str) -> "Limit":
        """Read a limit such as ``">= 0.97"``.

        Raises:
            ValueError: if the text is not an operator and a number, or no value of the metric is
                such a number.
        """
        match = _PATTERN.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text!r} is not a limit; write for example '>= 0.97' or '< 25'")
        if match[1].startswith(">") != (metric.better == "higher"):
            side = ">= or >" if metric.better == "higher" else "<= or <"
            raise ValueError(f"{metric.name} is limited by {side}, not by {match[1]}")
        bound = float(match[2])
        metric.check_bound(bound)
        if metric.share and match[1] == ">" and bound == 1:
            raise ValueError(f"no {metric.name} is above 1; write >= 1")
        return cls(metric.name, match[1], bound)

    def violation(self, value: float) -> float:
        """Return how far ``value`` breaks the limit, relative to the bound; at most 0 when held.

        A strict limit that is exactly touched counts as broken, by a hair.
        """
        distance = self.bound - value if self.operator.startswith(">") else value - self.bound
        if distance == 0 and len(self.operator) == 1:
            return _TOUCHING
        return distance / (abs(self.bound) or 1.0)

    def __str__(self) -> str:
        return f"{self.metric} {self.operator} {self.bound:.12g}"


EVERY_WORD = Limit(WORST_RECALL.name, ">", 0.0)
"""What is required of every study that does not limit ``worst_recall`` itself.

A network that never recognises one of its words can still have a high accuracy, where that word is
rare.
"""


def violations(limits: Iterable[Limit], values: Mapping[str, float | None]) -> dict[str, float]:
    """Return the relative violation of each limit whose metric has a value, by metric name."""
    known = ((limit, values.get(limit.metric)) for limit in limits)
    return {limit.metric: limit.violation(value) for limit, value in known if value is not None}


def total_violation(by_metric: Mapping[str, float]) -> float:
    """Return the sum of the positive violations: 0 when every limit is kept."""
    return sum(max(0.0, violation) for violation in by_metric.values())


def costs(
    rows: Sequence[Mapping[str, float | None]], objectives: Mapping[str, str]
) -> NDArray[np.float64]:
    """Return the objectives as costs, of which less is better, ``[rows, objectives]``.

    Args:
        rows: values by metric; what is not known costs infinitely much.
        objectives: ``{metric: "maximize" or "minimize"}``.
    """
    signs = {metric: -1.0 if way == "maximize" else 1.0 for metric, way in objectives.items()}
    found = [
        [np.inf if (value := row[m]) is None else sign * value for m, sign in signs.items()]
        for row in rows
    ]
    return np.array(found, float).reshape(len(rows), len(signs))


def dominating(points: NDArray[np.float64], point: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell of each point whether it costs no more than ``point`` in anything, and less in one.

    Args:
        points: costs ``[points, objectives]``; less is better.
        point: costs ``[objectives]``.
    """
    better = np.all(points <= point, axis=1) & np.any(points < point, axis=1)
    return np.asarray(better, bool)


def front(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell of each point, ``[points, objectives]`` of costs, whether no other dominates it."""
    return np.array([not dominating(points, point).any() for point in points], bool)


def added_to_front(
    points: NDArray[np.float64], new: NDArray[np.float64]
) -> NDArray[np.bool_] | None:
    """Tell which points of a front stay when another comes; None where that adds nothing.

    A point that costs the same as one that is there adds nothing.
    """
    if (points <= new).all(axis=1).any():
        return None
    return np.asarray(~np.all(points >= new, axis=1), bool)
