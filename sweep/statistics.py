"""Predictions against labels: what was counted, and how sure it is."""

from collections.abc import Sequence
from math import inf, sqrt
from statistics import stdev

import numpy as np
from scipy.special import betaincc, gammainc
from scipy.stats import chi2
from scipy.stats import t as student_t

Confusion = tuple[tuple[int, ...], ...]
"""Clips by true label (rows) and predicted label (columns)."""

MOST_MISTAKES = 200
"""Clips listed as misclassified: enough to look at, little to keep for every trial."""

_Z95 = 1.959963984540054


def confusion(truth: np.ndarray, probabilities: np.ndarray) -> Confusion:
    """Count clips by true label (rows) and predicted label (columns).

    Args:
        truth: the label of each clip, as an index.
        probabilities: a row a clip, a column a label.
    """
    counts = np.zeros((probabilities.shape[1],) * 2, int)
    np.add.at(counts, (truth, probabilities.argmax(axis=1)), 1)
    return tuple(tuple(row) for row in counts.tolist())


def mistakes(names: list[str], truth: np.ndarray, probabilities: np.ndarray) -> tuple[str, ...]:
    """Return the names of misclassified clips, the most confident first.

    There are ``MOST_MISTAKES`` at most; the confusion matrix counts them all.
    """
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != truth)
    order = np.argsort(-probabilities[wrong].max(axis=1), kind="stable")
    return tuple(names[i] for i in wrong[order[:MOST_MISTAKES]])


def recalls(counts: Confusion) -> list[float]:
    """Return of each label that has clips the share of them that was classified correctly."""
    return [row[i] / sum(row) for i, row in enumerate(counts) if sum(row)]


def total(each: Sequence[Confusion | np.ndarray]) -> Confusion:
    """Return the sum of some matrices."""
    return tuple(map(tuple, np.sum([np.asarray(one) for one in each], axis=0).tolist()))


def unrecognised(labels: Sequence[str], counts: Confusion) -> list[str]:
    """Return the labels that have clips, none of which was classified correctly."""
    rows = zip(labels, counts, strict=True)
    return [label for i, (label, row) in enumerate(rows) if sum(row) and not row[i]]


def wilson(share: float, count: float, z: float = _Z95) -> tuple[float, float]:
    """Return the Wilson score interval of a share seen in ``count`` clips; 95 % by default.

    The ends are ``(p + z²/2n ± z * sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n)``.  Unlike the textbook
    normal interval they stay within 0 to 1 and hold for shares near 1 (E. B. Wilson, JASA 1927).
    With no clips nothing is known: 0 to 1.
    """
    if count <= 0:
        return 0.0, 1.0
    spread = z * sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    middle, scale = share + z * z / (2 * count), 1 + z * z / count
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def independent_clips(share: float, clips: float, each: Sequence[float]) -> float:
    """Return how many independent clips would tell a share as surely as groups of speakers do.

    Clips of one speaker are alike, so the groups say how sure their mean is: with its standard
    error s it is as sure as p(1-p)/s² clips, by L. Kish's design effect, and with few groups as
    (z/t)² of these, t being the quantile of Student's t that stands for the normal one.  It is
    never surer than the clips themselves.

    Args:
        share: the share of all clips, p.
        clips: how many clips there are.
        each: the share in each group, of two groups at least.
    """
    error = stdev(each) / sqrt(len(each))
    if error == 0:
        return clips
    few = _Z95 / float(student_t.ppf(0.975, len(each) - 1))
    return min(clips, share * (1 - share) / error**2 * few**2)


def chance_above(bound: float, share: float, count: float) -> float:
    """Return the chance that a share seen in ``count`` clips is truly ``bound`` or more.

    The posterior of Jeffreys' prior is Beta(k + 1/2, n - k + 1/2) with k = share * count.
    """
    if count <= 0:
        return 1 - bound
    right = share * count
    return float(betaincc(right + 0.5, count - right + 0.5, bound))


def poisson(rate: float, hours: float) -> tuple[float, float]:
    """Return the exact 95 % interval of the rate of events of which so many an hour were counted.

    Its ends are quantiles of chi-squared laws of 2k and 2k + 2 degrees of freedom over twice the
    hours (F. Garwood, Biometrika 1936).  Where there was no event there is an upper end only, 3.0
    over the hours.  Without hours nothing is known.
    """
    if hours <= 0:
        return 0.0, inf
    doubled = 2 * rate * hours
    if doubled == 0:
        return 0.0, float(chi2.ppf(0.95, 2)) / (2 * hours)
    low, high = chi2.ppf(0.025, doubled), chi2.ppf(0.975, doubled + 2)
    return float(low) / (2 * hours), float(high) / (2 * hours)


def chance_of_rate_above(bound: float, rate: float, hours: float) -> float:
    """Return the chance that a rate counted over some hours is truly ``bound`` or more.

    The posterior of Jeffreys' prior is Gamma(k + 1/2) over the hours, with k = rate * hours.
    """
    return 1 - float(gammainc(rate * hours + 0.5, bound * hours))
