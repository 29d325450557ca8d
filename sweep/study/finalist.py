"""A finalist: a trial retrained from several seeds and tested."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from statistics import fmean, stdev
from typing import Any

from sweep import strict_json
from sweep.limits import Limit
from sweep.metrics import METRICS, WORST_RECALL, Measured, Metric
from sweep.statistics import Confusion, independent_clips, total
from sweep.study.listening import Curve, Listening


@dataclass(frozen=True)
class Retraining:
    """One training of a finalist with its own seed.

    Attributes:
        seed: the seed of the training.
        validation: every metric, as of any trial, on the validation clips.
        test: every metric, on the test clips.
        losses, accuracies: training loss and validation accuracy after each epoch.
        confusion: test clips by true label (rows) and predicted label (columns).
        mistakes: the misclassified test clips, the most confident first.
        curve: misses and false alarms in the stream of test speakers, at every threshold.
    """

    seed: int
    validation: Mapping[str, float]
    test: Mapping[str, float]
    losses: tuple[float, ...] = ()
    accuracies: tuple[float, ...] = ()
    confusion: Confusion = ()
    mistakes: tuple[str, ...] = ()
    curve: Curve = ()

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "Retraining":
        """Read what ``asdict`` and JSON made of one.

        Raises:
            ValueError: if it is of other types.
        """
        return cls(**strict_json.values(cls, record))


@dataclass(frozen=True)
class CrossValidation:
    """Predictions of a trial for speakers it was not trained on.

    Attributes:
        folds: the confusion matrix of the clips of each fold.
    """

    folds: tuple[Confusion, ...]

    @property
    def clips(self) -> int:
        """Number of clips in all folds."""
        return sum(sum(row) for row in total(self.folds))

    def value(self, metric: Metric) -> float:
        """Return a metric of predictions, over the clips of all folds."""
        return self._of(total(self.folds), metric)[metric.name]

    def interval(self, metric: Metric) -> tuple[float, float]:
        """Return the 95 % interval of a share for new speakers, by the variation of folds."""
        return metric.interval(self.value(metric), self.exposure(metric))

    def exposure(self, metric: Metric) -> float:
        """Return the equivalent number of independent clips; see ``independent_clips``."""
        whole = self._of(total(self.folds), metric)
        each = [self._of(fold, metric)[metric.name] for fold in self.folds]
        return independent_clips(whole[metric.name], whole.exposures()[metric.name], each)

    @staticmethod
    def _of(counts: Confusion, metric: Metric) -> Measured:
        return Measured({}, counts, {metric.name: metric})


@dataclass(frozen=True)
class Finalist:
    """A trial that was retrained and tested.

    Attributes:
        trial: the trial's number.
        searched: the metrics that the search measured.
        retrainings: the trainings, one per seed.
        test_clips: how many test clips there are.
        exposures: on how many of them each sampled metric rests; see ``Metric.exposure``.
        validated: what it predicts by folds of speakers; None if that was not asked for.
        everybody: whether the test clips are by few speakers, and so those of the folds are counted
            with them: ``test`` is what networks predict of every speaker that were trained without.
        metrics: what its metrics are.
        listening: what its first training detects in the stream of test speakers; None where
            no stream was run.
    """

    trial: int
    searched: Mapping[str, float]
    retrainings: tuple[Retraining, ...]
    test_clips: int
    exposures: Mapping[str, float] = field(default_factory=dict)
    validated: CrossValidation | None = None
    everybody: bool = False
    metrics: Mapping[str, Metric] = field(default_factory=lambda: METRICS)
    listening: Listening | None = None

    @property
    def tested_on(self) -> str:
        """The clips that finalists are measured on, in words."""
        return "clips of all speakers, each left out" if self.everybody else "test clips"

    def mean(self, metric: str) -> float:
        """Return the mean of a metric over the seeds, on the test clips."""
        return fmean(one.test[metric] for one in self.retrainings)

    def spread(self, metric: str) -> float:
        """Return the standard deviation over the seeds; 0 for a single one."""
        values = [one.test[metric] for one in self.retrainings]
        return stdev(values) if len(values) > 1 else 0.0

    def interval(self, metric: str) -> tuple[float, float]:
        """Return the 95 % interval of the mean of a sampled metric on the test clips."""
        return self.metrics[metric].interval(self.mean(metric), self.exposures[metric])

    def curse(self, metric: str) -> float:
        """Return the search's value of a metric minus the mean on the test clips."""
        return self.searched[metric] - self.mean(metric)

    def chance(self, limits: list[Limit]) -> float | None:
        """Return the chance that the truth meets its limit; None where nothing sampled has one.

        Where several sampled metrics are limited, the least of their chances.
        """
        chances = [self._chance(limit) for limit in limits if limit.metric in self.exposures]
        return min(chances, default=None)

    def _chance(self, limit: Limit) -> float:
        mean, exposure = self.mean(limit.metric), self.exposures[limit.metric]
        above = self.metrics[limit.metric].chance_above(limit.bound, mean, exposure)
        return above if limit.operator.startswith(">") else 1 - above

    def holds(self, limits: list[Limit]) -> bool:
        """Return whether the means meet every limit and every training recognises every word."""
        every_word = all(one.test[WORST_RECALL.name] > 0 for one in self.retrainings)
        return every_word and all(limit.violation(self.mean(limit.metric)) <= 0 for limit in limits)

    def to_json(self) -> dict[str, Any]:
        """Return the finalist as plain JSON values."""
        return {key: value for key, value in asdict(self).items() if key != "metrics"}

    @classmethod
    def from_json(cls, record: Mapping[str, Any], metrics: Mapping[str, Metric]) -> "Finalist":
        """Read what ``to_json`` wrote.

        Raises:
            ValueError: if it is of other types, or its trainings differ in their metrics or in the
                size of their confusion matrices.
        """
        strict_json.check(dict[str, float], record["exposures"])
        if len({frozenset(one["test"]) for one in record["retrainings"]}) != 1:
            raise ValueError("trainings of one trial with other metrics")
        validated, listening = record["validated"], record.get("listening")
        folds = validated and tuple(tuple(map(tuple, fold)) for fold in validated["folds"])
        retrainings = tuple(Retraining.from_json(one) for one in record["retrainings"])
        matrices = [*(one.confusion for one in retrainings if one.confusion), *(folds or ())]
        if len({size for matrix in matrices for size in (len(matrix), *map(len, matrix))}) > 1:
            raise ValueError("confusion matrices of different sizes")
        return cls(
            record["trial"],
            record["searched"],
            retrainings,
            record["test_clips"],
            record["exposures"],
            CrossValidation(folds) if folds else None,
            record["everybody"],
            metrics,
            listening and Listening.from_json(listening),
        )


def of_everybody(one: Finalist) -> Finalist:
    """Return a cross-validated finalist measured on all speakers, each left out once.

    The folds leave out the speakers of training and validation, and the test clips are one more.
    """
    if one.validated is None:
        return one
    folds = one.validated.folds
    every = CrossValidation((*folds, one.retrainings[0].confusion))
    again, of_clips = [], set[str]()
    for training in one.retrainings:
        counts = total([*folds, training.confusion])
        values = Measured({}, counts, one.metrics).values()
        known = {name: value for name, value in values.items() if value is not None}
        of_clips |= known.keys() & one.exposures.keys()
        test = {**training.test, **known}
        again.append(replace(training, test=test, confusion=counts))
    return replace(
        one,
        retrainings=tuple(again),
        test_clips=every.clips,
        exposures={
            **one.exposures,
            **{name: every.exposure(one.metrics[name]) for name in of_clips},
        },
        everybody=True,
    )
