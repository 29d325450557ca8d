"""Pareto dominance: results as costs, and the front of those that no other dominates."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray


def costs(
    rows: Sequence[Mapping[str, float | None]], objectives: Mapping[str, str]
) -> NDArray[np.float64]:
    """Return the objectives as costs (lower is better), ``[rows, objectives]``.

    Args:
        rows: values by metric; an unknown value costs infinity.
        objectives: ``{metric: "maximize" or "minimize"}``.
    """
    signs = {metric: -1.0 if way == "maximize" else 1.0 for metric, way in objectives.items()}
    found = [
        [np.inf if (value := row[m]) is None else sign * value for m, sign in signs.items()]
        for row in rows
    ]
    return np.array(found, float).reshape(len(rows), len(signs))


def dominating(points: NDArray[np.float64], point: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which points dominate ``point``: no cost higher, and at least one lower.

    Args:
        points: costs ``[points, objectives]``; lower is better.
        point: costs ``[objectives]``.
    """
    better = np.all(points <= point, axis=1) & np.any(points < point, axis=1)
    return np.asarray(better, bool)


def front(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which points, costs ``[points, objectives]``, no other point dominates."""
    return np.array([not dominating(points, point).any() for point in points], bool)


def added_to_front(
    points: NDArray[np.float64], new: NDArray[np.float64]
) -> NDArray[np.bool_] | None:
    """Return which points of a front remain when ``new`` joins it; None if ``new`` does not join.

    A point does not join if a point of the front costs no more in any objective.
    """
    if (points <= new).all(axis=1).any():
        return None
    return np.asarray(~np.all(points >= new, axis=1), bool)
