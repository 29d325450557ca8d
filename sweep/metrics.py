"""Metrics: what is measured of a trial, its unit, and which way is better."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from sweep import registry
from sweep.audio.layout import SILENCE, UNKNOWN
from sweep.detection import Detection
from sweep.errors import PluginError
from sweep.statistics import (
    Confusion,
    chance_above,
    chance_of_rate_above,
    poisson,
    recalls,
    wilson,
)

_PLACES = {"ms": 3, "KB": 2}


class Unknown(LookupError):
    """Raised for a metric that cannot be computed yet."""


@dataclass(frozen=True)
class Measured:
    """The measurements that metrics are computed from.

    ``measured["arena_kb"]`` is another metric of the same result. If it was not measured, this
    raises ``Unknown``, and the metric that uses it is unknown too.

    Attributes:
        facts: the values that stages measured, by metric.
        confusion: clips by true label (rows) and predicted label (columns); None before training.
        metrics: all metrics, by name.
        labels: the labels of the rows and columns of ``confusion``; only metrics that separate
            keywords from ``_unknown_`` and ``_silence_`` need them.
        detection: what was detected in a stream; None where none was run.
    """

    facts: Mapping[str, float]
    confusion: Confusion | None = None
    metrics: Mapping[str, "Metric"] = field(default_factory=lambda: METRICS)
    labels: Sequence[str] = ()
    detection: Detection | None = None

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
            Unknown: before training.
        """
        if self.confusion is None:
            raise Unknown("confusion")
        return self.confusion

    @property
    def detected(self) -> Detection:
        """What was detected in a stream.

        Raises:
            Unknown: where none was run.
        """
        if self.detection is None:
            raise Unknown("detection")
        return self.detection

    def values(self) -> dict[str, float | None]:
        """Return every metric; None if it is unknown."""
        return {name: _known(lambda: self[name]) for name in self.metrics}

    def exposures(self) -> dict[str, float]:
        """Return the exposure of each sampled metric, by name; see ``Metric.exposure``."""
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
    """A measured quantity that limits and objectives can name.

    Attributes:
        name: its name in files and tables.
        meaning: its definition, as people read it.
        measure: computes it; None if a stage measures it.
        unit: the unit, as people read it; empty for shares and counts.
        better: which way is better.
        known: ``untrained`` if it follows from the shape of the network, ``estimated`` if training
            changes it a little, ``trained`` if it is known only after training.
        share: whether it is a share, from 0 to 1.
        exposure: the clips (or hours) that the value is measured on; None if it is not sampled.
        interval: returns the 95 % interval of a value with an exposure.
        chance_above: returns the chance that the truth is a bound or more, by the bound, a value
            and its exposure.
        least: values below it count as this on logarithmic axes.
        decimals: decimal places to show; None to go by unit.
        timed: whether it is, or is computed from, a time that a machine takes: such values compare
            on machines with one model of processor only.
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
    chance_above: Callable[[float, float, float], float] = chance_above
    least: float = 1e-12
    decimals: int | None = None
    timed: bool = False

    @property
    def direction(self) -> str:
        """Optuna's direction of an objective on this metric."""
        return "maximize" if self.better == "higher" else "minimize"

    @property
    def sign(self) -> int:
        """The factor that turns a value into a cost (lower is better)."""
        return -1 if self.better == "higher" else 1

    def text(self, value: float | None, ends: tuple[float, float] | None = None) -> str:
        """Return a value with its unit and the ends of its interval; a dash if it is unknown."""
        if value is None or math.isnan(value):
            return "–"
        known = ends is not None and not math.isnan(ends[0])
        low_to_high = f" ({'–'.join(map(self.number, ends))})" if known and ends else ""
        unit = f"\u00a0{self.unit}" if self.unit else ""
        return self.number(value) + low_to_high + unit

    def number(self, value: float) -> str:
        """Return a value without its unit."""
        return f"{value:.4g}" if self.places is None else f"{value:,.{self.places}f}"

    @property
    def places(self) -> int | None:
        """Number of decimal places to show; None for four significant digits."""
        if self.decimals is not None:
            return self.decimals
        if self.unit:
            return _PLACES.get(self.unit)
        return 3 if self.share else 0

    def check_bound(self, bound: float) -> None:
        """Check that a bound separates possible values.

        Raises:
            ValueError: if every possible value is on one side of it.
        """
        if self.share and not 0 <= bound <= 1:
            raise ValueError(
                f"{self.name} is a share from 0 to 1, not {bound:g}; write 0.97 for 97 %"
            )
        if not self.share and bound <= 0:
            raise ValueError(f"{self.name} is limited by a number above 0, not {bound:g}")


def _accuracy(measured: Measured) -> float:
    counts = np.array(measured.predictions)
    return float(np.trace(counts) / counts.sum())


def _clips(measured: Measured) -> float:
    return float(np.sum(measured.predictions))


def _mean_recall(measured: Measured) -> float:
    return float(np.mean(recalls(measured.predictions)))


def _equivalent_clips(measured: Measured) -> float:
    """Return the number of clips on which a share has the variance of the mean recall.

    The mean of k equal shares of n_i clips has the variance of one share of k² / Σ(1/n_i) clips;
    with equally many clips of each word that is the number of clips.
    """
    clips = np.sum(measured.predictions, axis=1)
    clips = clips[clips > 0]
    return float(len(clips) ** 2 / np.sum(1 / clips))


def _worst_recall(measured: Measured) -> float:
    return min(recalls(measured.predictions))


def _clips_of_worst(measured: Measured) -> float:
    """Return the number of clips of the word with the lowest recall; the fewest of ties."""
    counts = np.array(measured.predictions)
    found = recalls(measured.predictions)
    clips = counts.sum(axis=1)[counts.sum(axis=1) > 0]
    return float(min(n for n, recall in zip(clips, found, strict=True) if recall == min(found)))


def _false_accepts(measured: Measured) -> tuple[float, float]:
    """Return share and number of clips of the label with most false accepts; the fewest of ties.

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
        _accuracy,
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
        exposure=_equivalent_clips,
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
        "false_alarms_per_hour",
        "detections in an hour of the validation stream that are of no keyword said then",
        lambda measured: measured.detected.false_alarms_per_hour,
        unit="per hour",
        known="trained",
        exposure=lambda measured: measured.detected.hours,
        interval=poisson,
        chance_above=chance_of_rate_above,
        least=0.5,
        decimals=2,
    ),
    Metric(
        "miss_rate",
        "share of the keywords in the validation stream that are not detected",
        lambda measured: measured.detected.miss_rate,
        known="trained",
        share=True,
        exposure=lambda measured: measured.detected.keywords,
    ),
    Metric(
        "detection_delay_ms",
        "median time from the end of a keyword in the validation stream to its detection; as long"
        " as a detection may take where there is none",
        lambda measured: measured.detected.delay_ms,
        unit="ms",
        known="trained",
        least=10.0,
        decimals=0,
    ),
    Metric(
        "latency_ms",
        "preprocessing_latency_ms + model_latency_ms",
        lambda measured: measured["preprocessing_latency_ms"] + measured["model_latency_ms"],
        unit="ms",
        timed=True,
    ),
    Metric(
        "size_kb",
        "the .tflite file zipped with DEFLATE, in KB of 1024 bytes",
        unit="KB",
        known="estimated",
    ),
    Metric(
        "preprocessing_latency_ms",
        "front end: median over clips in LiteRT, one thread, warm; or as latency.command takes it",
        unit="ms",
        timed=True,
    ),
    Metric(
        "model_latency_ms",
        "network: median over clips in LiteRT, one thread, warm; or as latency.command takes it",
        unit="ms",
        timed=True,
    ),
    Metric("tflite_size_kb", "the .tflite file, in KB of 1024 bytes", unit="KB", known="estimated"),
    Metric(
        "arena_kb", "activations of the network in a tensor arena, in KB of 1024 bytes", unit="KB"
    ),
    Metric(
        "flash_kb",
        "front end and network in C, linked for the target: code, tables and weights",
        unit="KB",
    ),
    Metric(
        "ram_kb",
        "front end and network in C on the target: working memory, what a stream keeps, and the"
        " deepest stack, without the samples that come in",
        unit="KB",
    ),
    Metric(
        "instructions",
        "of front end and network in C on the target, for one clip or, if the network keeps its"
        " frames, for one step of a stream",
    ),
    Metric(
        "parameters", "trained parameters of the network, those of batch normalisation included"
    ),
    Metric("multiply_adds", "multiply-adds of the network for one clip"),
)

METRICS: dict[str, Metric] = {metric.name: metric for metric in _BUILT_IN}
"""The built-in metrics, by name."""

ACCURACY, BALANCED_ACCURACY, WORST_RECALL, FALSE_ACCEPT_RATE = _BUILT_IN[:4]

FALSE_ALARMS_PER_HOUR = METRICS["false_alarms_per_hour"]
OF_STREAMS = (FALSE_ALARMS_PER_HOUR.name, "miss_rate", "detection_delay_ms")
"""The metrics that are measured in a stream."""

ON_CORE = ("flash_kb", "ram_kb", "instructions")
"""The metrics that are counted on a core."""

OF_SHAPES = ("parameters", "multiply_adds", *ON_CORE)
"""The metrics that follow from the shape of a network alone."""


def metrics_of(
    labels: Iterable[str], streams: object | None = None, target: str | None = None
) -> dict[str, Metric]:
    """Return the built-in metrics of a network with these labels, by name.

    Args:
        labels: of its outputs.
        streams: what streams are made of; None where none is measured.
        target: the core that is counted on; None where nothing is.
    """
    without = {FALSE_ACCEPT_RATE.name} if not {UNKNOWN, SILENCE} & set(labels) else set()
    without |= set(OF_STREAMS) if streams is None else set()
    without |= set(ON_CORE) if target is None else set()
    return {name: metric for name, metric in METRICS.items() if name not in without}


def metrics_named(names: Iterable[str]) -> dict[str, Metric]:
    """Return the plugin metrics that a search space lists, by their own names.

    Raises:
        PluginError: if one is not found, is no ``Metric``, or has the name of another metric.
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
    """Return the first of ``names`` that is a share of clips (as accuracy), else accuracy."""
    named = [metrics[name] for name in names]
    shares = (m for m in named if m.share and m.known == "trained" and m.better == "higher")
    return next(shares, ACCURACY)


def in_unit(unit: str, names: Iterable[str], metrics: Mapping[str, Metric], default: str) -> str:
    """Return the first of ``names`` with that unit known before training, else ``default``."""
    fitting = (n for n in names if metrics[n].unit == unit and metrics[n].known != "trained")
    return next(fitting, default)
