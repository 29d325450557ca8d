"""What measuring a candidate gave."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from sweep import strict_json
from sweep.detector import OperatingPoint
from sweep.limits import total_violation
from sweep.statistics import Confusion

OUTCOMES = ("invalid", "gated", "stopped", "infeasible", "feasible", "failed")

Outcome = Literal["invalid", "gated", "stopped", "infeasible", "feasible", "failed"]


@dataclass(frozen=True)
class Variant:
    """What was measured of one compressed form.

    ``variant["size_kb"]`` is one of its metrics, None where it is not known.

    Attributes:
        quantization: which form it is.
        metrics: every metric by name; what needs training is None before it, latencies and what
            is read off the ``.tflite`` are None where nothing was converted, and ``size_kb`` is an
            estimate then.
        latency_spread_ms: the sum of the interquartile ranges of the two latencies.
        exposures: on how many clips each sampled metric rests; see ``Metric.exposure``.
        violations: relative, by metric, at most 0 when held.
        point: where detection in the validation stream is within the limit of false alarms; None
            where no stream was run.
    """

    quantization: str
    metrics: Mapping[str, float | None]
    latency_spread_ms: float | None = None
    exposures: Mapping[str, float] = field(default_factory=dict)
    violations: Mapping[str, float] = field(default_factory=dict)
    point: OperatingPoint | None = None

    def __getitem__(self, metric: str) -> float | None:
        return self.metrics.get(metric)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "Variant":
        """Read what ``asdict`` and JSON made of one."""
        point = record.get("point")
        return cls(**{**record, "point": point and OperatingPoint(**point)})


@dataclass(frozen=True)
class Evaluation:
    """What measuring a candidate gave.

    Attributes:
        outcome: one of ``OUTCOMES``.
        reason: one line for people: why the trial ended as it did.
        traceback: of a trial that failed by an error: where it was raised.
        machine: the host name of the machine that trained and measured it.
        processor: the model of its processor.
        variants: what was measured, in the order of ``quantization``; of a trial that was not
            trained to its end what the gate estimated, the smallest first.
        chosen: index of the trial's result in ``variants``.
        original_accuracy: accuracy of the trained network before conversion.
        original_size_kb: its parameters as 32-bit floats.
        sparsity: share of the stored weights that are zero after training.
        losses, accuracies: training loss and validation accuracy after each epoch.
        confusion: validation clips by true label (rows) and predicted label (columns).
        mistakes: misclassified validation clips, most confident first; see ``statistics.mistakes``.
        clips: how many validation clips the accuracies count.
        seconds: time spent in each stage.
    """

    outcome: Outcome
    reason: str = ""
    variants: tuple[Variant, ...] = ()
    chosen: int | None = None
    original_accuracy: float | None = None
    original_size_kb: float | None = None
    sparsity: float | None = None
    losses: tuple[float, ...] = ()
    accuracies: tuple[float, ...] = ()
    confusion: Confusion = ()
    mistakes: tuple[str, ...] = ()
    clips: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    traceback: str = ""
    machine: str = ""
    processor: str = ""

    @property
    def result(self) -> Variant | None:
        """The variant that stands for the trial."""
        return None if self.chosen is None else self.variants[self.chosen]

    @property
    def trained(self) -> bool:
        """Whether it was trained to its end and measured."""
        return self.outcome in ("infeasible", "feasible")

    def to_json(self) -> dict[str, Any]:
        """Return the evaluation as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "Evaluation":
        """Read what ``to_json`` wrote.

        Raises:
            ValueError: if it is of other types.
        """
        values = strict_json.values(cls, record)
        return cls(**values | {"variants": tuple(map(Variant.from_json, record["variants"]))})


def choose(variants: Sequence[Variant]) -> int:
    """Return the index of the smallest variant that keeps every limit, else of the nearest."""
    return min(
        range(len(variants)),
        key=lambda i: (total_violation(variants[i].violations), variants[i]["size_kb"] or 0.0),
    )
