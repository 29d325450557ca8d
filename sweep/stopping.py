"""When to stop a training whose limits are out of reach.

How far a metric still rises is counted in logits, ``log(p / (1 - p))``: on that scale the curves of
two words and of twelve, at 0.5 and at 0.99, rise by similar amounts. ``benchmarks/stopping.py``
measures what the rule saves and loses.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, stdtrit

from sweep.evaluation import Evaluation
from sweep.limits import Limit
from sweep.metrics import ACCURACY

SHARES = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
PRIOR = (1.31, 1.20, 1.09, 0.82, 0.82, 0.50, 0.38, 0.14)
"""The largest rise expected from each share of the epochs to the result, in logits.

It holds until a study's own curves tell otherwise. ``benchmarks/stopping.py`` derives it.
"""

FEWEST_EPOCHS, FEWEST_STEPS = 4, 200
"""After how many epochs, and steps, a training may be stopped at the earliest."""

CURVES: dict[str, Callable[[Evaluation], Sequence[float]]] = {
    ACCURACY.name: lambda evaluation: evaluation.accuracies
}
"""The metrics that are measured after each epoch."""

_RECENT = 5
_FEWEST_CURVES = 5
_SIMILAR = 2
_SURENESS = 0.995
_Z95 = 1.96


@dataclass(frozen=True)
class StopRule:
    """A limit from below on a metric that has a curve, and how far that curve may still rise.

    Attributes:
        limit: what the result is held to.
        rises: the largest rise expected from each of ``SHARES`` to the result, in logits.
        curves: how many finished curves of the study that was learnt from.
    """

    limit: Limit
    rises: tuple[float, ...] = PRIOR
    curves: int = 0

    def reach(self, values: Sequence[float], epochs: int, clips: int) -> float:
        """Return the most that a curve may end at, from its values so far; in whole clips."""
        rise = np.interp(len(values) / epochs, SHARES, self.rises)
        right = expit(_standing(values, clips) + rise) * (clips + 1) - 0.5
        return max(recent_best(values), min(1.0, math.ceil(right) / clips))


class Experience:
    """What the finished curves of a study tell of how far curves still rise.

    Args:
        limits: the study's; a curve is followed for each metric that has one and is limited.
        prior: the largest rises of other tasks, ``[shares]``.
    """

    def __init__(self, limits: Iterable[Limit], prior: tuple[float, ...] = PRIOR) -> None:
        self._prior = prior
        self._limits = [limit for limit in limits if limit.metric in CURVES]
        self._rises: dict[tuple[str, int], list[list[float]]] = {}

    def add(self, evaluation: Evaluation) -> None:
        """Learn from a trial, if it was trained to its end."""
        if evaluation.outcome not in ("feasible", "infeasible"):
            return
        for limit in self._limits:
            values = CURVES[limit.metric](evaluation)
            results = [variant[limit.metric] for variant in evaluation.variants]
            best = max((result for result in results if result is not None), default=None)
            if values and best is not None:
                found = rises(values, best, evaluation.clips)
                self._rises.setdefault((limit.metric, len(values)), []).append(found)

    def rules(self, epochs: int) -> tuple[StopRule, ...]:
        """Return a rule for each limit, for a training of so many epochs.

        Curves of half to twice as many epochs count. The largest rise expected is that of the
        prior, or what any of these curves rose. From five of them on it is what the next such curve
        exceeds once in 200 times; still no more than the prior, unless one of them rose more.
        """
        return tuple(self._rule(limit, epochs) for limit in self._limits)

    def _rule(self, limit: Limit, epochs: int) -> StopRule:
        known = [
            rise
            for (metric, others), found in self._rises.items()
            if metric == limit.metric and max(epochs, others) <= _SIMILAR * min(epochs, others)
            for rise in found
        ]
        largest = np.max([self._prior, *known], axis=0)
        if len(known) >= _FEWEST_CURVES:
            seldom = np.maximum(exceeded_seldom(known), np.max(known, axis=0))
            surprised = largest > self._prior
            largest = np.where(surprised, seldom, np.minimum(seldom, self._prior))
        # From an earlier share a curve rises no less than from a later one.
        falling = np.maximum.accumulate(largest[::-1])[::-1]
        return StopRule(limit, tuple(map(float, falling)), len(known))


def exceeded_seldom(known: Sequence[Sequence[float]]) -> np.ndarray:
    """Return rises that the next curve exceeds once in 200 times if all are normal, ``[shares]``.

    ``mean + t * deviation * sqrt(1 + 1/n)`` for n curves, with the quantile t of Student's
    distribution.

    Args:
        known: rises of finished curves, ``[curves, shares]``.
    """
    count = len(known)
    spread = stdtrit(count - 1, _SURENESS) * math.sqrt(1 + 1 / count)
    return np.asarray(np.mean(known, axis=0) + spread * np.std(known, axis=0, ddof=1))


def rises(values: Sequence[float], result: float, clips: int) -> list[float]:
    """Return by how much a finished curve rose from each of ``SHARES`` to its result, in logits."""
    done = [max(FEWEST_EPOCHS, math.ceil(share * len(values) - 1e-9)) for share in SHARES]
    end, _ = _logit(result, clips)
    return [end - _standing(values[:epochs], clips) for epochs in done]


def recent_best(values: Sequence[float]) -> float:
    """Return the best of the last five values: one epoch alone may be unlucky."""
    return max(values[-_RECENT:])


def _standing(values: Sequence[float], clips: int) -> float:
    """Return where a curve stands at most, in logits: what few clips tell may be far off."""
    middle, error = _logit(recent_best(values), clips)
    return middle + _Z95 * error


def _logit(share: float, clips: int) -> tuple[float, float]:
    """Return the empirical logit of a share of clips, and its standard error.

    Half a clip is added on either side, so that 0 and 1 have one, too (J. J. Gart, J. R. Zweifel,
    "On the bias of various estimators of the logit and its variance", Biometrika 1967).
    """
    right, wrong = share * clips + 0.5, (1 - share) * clips + 0.5
    return math.log(right / wrong), math.sqrt(1 / right + 1 / wrong)


def out_of_reach(
    rules: Iterable[StopRule],
    curves: Mapping[str, Sequence[float]],
    *,
    epochs: int,
    steps: int,
    clips: int,
) -> str:
    """Return why training should end now, or an empty string.

    Args:
        rules: one for each limit that may end it.
        curves: for each metric its value after each epoch so far.
        epochs: how many epochs there will be.
        steps: how many steps an epoch has.
        clips: how many validation clips the metrics count.
    """
    for rule in rules:
        values = curves[rule.limit.metric]
        if len(values) < first_stop(epochs, steps):
            continue
        reach = rule.reach(values, epochs, clips)
        if rule.limit.violation(reach) > 0:
            trials = f"{rule.curves} finished trials and " if rule.curves else ""
            so_far = f"at best {recent_best(values):.3f} after {len(values)} of {epochs} epochs"
            ends = f"ends at {reach:.3f} at most, as {trials}other tasks tell"
            return f"{rule.limit.metric} {so_far} {ends}; {rule.limit} is out of reach"
    return ""


def first_stop(epochs: int, steps: int) -> int:
    """Return after how many epochs of so many steps a training may be stopped for the first time.

    Before, the curves of small data sets have hardly left the ground.
    """
    return max(FEWEST_EPOCHS, math.ceil(FEWEST_STEPS / steps), math.ceil(SHARES[0] * epochs))
