"""Limits such as ``accuracy: ">= 0.97"``, and how far a measured value is from one."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sweep.candidate import Variant

METRICS = {
    "accuracy": "share of validation clips the .tflite bytes classify correctly in LiteRT",
    "latency_ms": "preprocessing_latency_ms + model_latency_ms",
    "size_kb": "the .tflite file zipped with DEFLATE, in KB of 1024 bytes",
    "preprocessing_latency_ms": "front end in LiteRT: median over clips, one thread, warm",
    "model_latency_ms": "network in LiteRT: median over clips, one thread, warm",
    "tflite_size_kb": "the .tflite file, in KB of 1024 bytes",
    "ram_kb": "activations of the network in a tensor arena, in KB of 1024 bytes",
    "parameters": "trained parameters of the network, those of batch normalisation included",
    "multiply_adds": "multiply-adds of the network for one clip",
}
"""Every metric that limits and objectives may name, with its definition."""

_PATTERN = re.compile(r"(>=|<=|>|<)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)")
_TOUCHING = 1e-9


@dataclass(frozen=True)
class Limit:
    """A bound on one metric; ``operator`` is one of ``>= > <= <``."""

    metric: str
    operator: str
    bound: float

    @classmethod
    def parse(cls, metric: str, text: str) -> "Limit":
        """Read a limit such as ``">= 0.97"``.

        Raises:
            ValueError: if the metric is unknown, the text is not an operator and a number, or no
                value of the metric is such a number.
        """
        if metric not in METRICS:
            raise ValueError(f"unknown metric {metric!r}; known: {', '.join(METRICS)}")
        match = _PATTERN.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text!r} is not a limit; write for example '>= 0.97' or '< 25'")
        if match[1].startswith(">") != (metric == "accuracy"):
            side = ">= or >" if metric == "accuracy" else "<= or <"
            raise ValueError(f"{metric} is limited by {side}, not by {match[1]}")
        bound = float(match[2])
        check_bound(metric, bound)
        if metric == "accuracy" and match[1] == ">" and bound == 1:
            raise ValueError("no accuracy is above 1; write >= 1")
        return cls(metric, match[1], bound)

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


def check_bound(metric: str, bound: float) -> None:
    """Check that a metric can be on either side of a bound.

    Raises:
        ValueError: if it cannot.
    """
    if metric == "accuracy" and not 0 <= bound <= 1:
        raise ValueError(f"an accuracy is a share from 0 to 1, not {bound:g}; write 0.97 for 97 %")
    if metric != "accuracy" and bound <= 0:
        raise ValueError(f"{metric} is always above 0, not {bound:g}")


def violations(limits: Iterable[Limit], values: Mapping[str, float | None]) -> dict[str, float]:
    """Return the relative violation of each limit whose metric has a value, by metric name."""
    known = ((limit, values.get(limit.metric)) for limit in limits)
    return {limit.metric: limit.violation(value) for limit, value in known if value is not None}


def total_violation(by_metric: Mapping[str, float]) -> float:
    """Return the sum of the positive violations: 0 when every limit is kept."""
    return sum(max(0.0, violation) for violation in by_metric.values())


def choose(variants: Sequence[Variant]) -> int:
    """Return the index of the smallest variant that keeps every limit, else of the nearest."""
    return min(
        range(len(variants)),
        key=lambda i: (total_violation(variants[i].violations), variants[i].size_kb),
    )
