"""A finalist: a trial trained again from several seeds, and whether it holds."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from statistics import fmean, stdev
from typing import Any

from sweep.intervals import chance_above, wilson
from sweep.limits import Limit

RETRAINED = ("test_accuracy", "accuracy", "latency_ms", "size_kb")
"""What is measured of each retraining; ``accuracy`` is that on the validation clips."""


@dataclass(frozen=True)
class Retraining:
    """One training of a finalist from a seed of its own.

    Attributes:
        seed: where the training started from.
        accuracy, test_accuracy: shares of the validation and of the test clips.
        latency_ms, size_kb: as for any trial.
        losses, accuracies: training loss and validation accuracy after each epoch.
        confusion: test clips by true label (rows) and label heard (columns).
        mistakes: the test clips heard wrong, the most confident first.
    """

    seed: int
    accuracy: float
    test_accuracy: float
    latency_ms: float
    size_kb: float
    losses: tuple[float, ...] = ()
    accuracies: tuple[float, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    mistakes: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "Retraining":
        """Read what ``asdict`` and JSON made of one."""
        plain: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in record.items()
        }
        plain["confusion"] = tuple(tuple(row) for row in plain.get("confusion", ()))
        return cls(**plain)


@dataclass(frozen=True)
class CrossValidation:
    """What a trial hears of speakers it was trained without, fold by fold.

    Attributes:
        accuracies: share of the clips of each fold.
        clips: how many clips are in each.
    """

    accuracies: tuple[float, ...]
    clips: tuple[int, ...]

    @property
    def accuracy(self) -> float:
        """Share of all clips."""
        right = (a * n for a, n in zip(self.accuracies, self.clips, strict=True))
        return sum(right) / sum(self.clips)


@dataclass(frozen=True)
class Finalist:
    """A trial that was trained again.

    Attributes:
        trial: the trial's number.
        searched: what the search measured, by metric.
        retrainings: what every new training gave.
        test_clips: how many test clips ``test_accuracy`` counts.
        validated: what it hears by folds of speakers; None if that was not asked for.
    """

    trial: int
    searched: Mapping[str, float]
    retrainings: tuple[Retraining, ...]
    test_clips: int
    validated: CrossValidation | None = None

    def mean(self, metric: str) -> float:
        """Return the mean of a metric of ``RETRAINED`` over the seeds."""
        return fmean(getattr(one, metric) for one in self.retrainings)

    def spread(self, metric: str) -> float:
        """Return the standard deviation over the seeds; 0 for a single one."""
        values = [getattr(one, metric) for one in self.retrainings]
        return stdev(values) if len(values) > 1 else 0.0

    def interval(self) -> tuple[float, float]:
        """Return the 95 % Wilson interval of the mean test accuracy."""
        return wilson(self.mean("test_accuracy"), self.test_clips)

    def curse(self) -> float:
        """Return by how much the search's accuracy was better than the retrained mean on test."""
        return self.searched["accuracy"] - self.mean("test_accuracy")

    def chance(self, limits: list[Limit]) -> float | None:
        """Return the chance that the true accuracy meets its limit; None where there is none."""
        for limit in limits:
            if limit.metric == "accuracy":
                return chance_above(limit.bound, self.mean("test_accuracy"), self.test_clips)
        return None

    def found(self, metric: str) -> float:
        """Return a metric after training again: the accuracy is that on the test clips.

        What the shape of the network fixes is as the search measured it.
        """
        if metric == "accuracy":
            return self.mean("test_accuracy")
        return self.mean(metric) if metric in RETRAINED else self.searched[metric]

    def holds(self, limits: list[Limit]) -> bool:
        """Tell whether the means keep every limit, the accuracy being that on the test clips."""
        return all(limit.violation(self.found(limit.metric)) <= 0 for limit in limits)

    def to_json(self) -> dict[str, Any]:
        """Return the finalist as plain JSON values."""
        return asdict(self) | {"searched": dict(self.searched)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "Finalist":
        """Read what ``to_json`` wrote."""
        again = tuple(Retraining.from_json(one) for one in record["retrainings"])
        folds = record.get("validated")
        validated = folds and CrossValidation(tuple(folds["accuracies"]), tuple(folds["clips"]))
        return cls(record["trial"], record["searched"], again, record["test_clips"], validated)
