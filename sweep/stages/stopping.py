"""When to stop a training whose accuracy limit is out of reach."""

import math
from collections.abc import Sequence

import numpy as np

from sweep.metrics import Limit
from sweep.stages.training import Progress

SHARES = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
SLACKS = (0.102, 0.049, 0.049, 0.049, 0.049, 0.029, 0.015, 0.015)
"""After which share of the epochs, how far below its final value an accuracy may lie.

``benchmarks/stopping.py`` derives them from trained candidates.
"""

FEWEST = 4
"""Epochs after which a training may be stopped at the earliest."""

_RECENT = 5


def out_of_reach(progress: Progress, limits: list[Limit]) -> str:
    """Return why training should end now, or an empty string.

    From a fifth of its epochs on, and the fourth epoch, a training ends when the best of its last
    five validation accuracies lies below the limit by more than the largest gap that was seen to be
    closed from there.
    """
    done, best = len(progress.accuracies), recent_best(progress.accuracies)
    if done < first_stop(progress.epochs):
        return ""
    slack = float(np.interp(done / progress.epochs, SHARES, SLACKS))
    for limit in limits:
        if limit.metric == "accuracy" and best < limit.bound - slack:
            so_far = f"accuracy at best {best:.3f} after {done} of {progress.epochs} epochs"
            return f"{so_far}; {limit} is out of reach"
    return ""


def first_stop(epochs: int) -> int:
    """Return after how many epochs a training may be stopped for the first time."""
    return max(FEWEST, math.ceil(SHARES[0] * epochs))


def recent_best(accuracies: Sequence[float]) -> float:
    """Return the best of the last five accuracies: one epoch alone may be unlucky."""
    return max(accuracies[-_RECENT:])
