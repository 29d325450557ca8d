"""What trials so far say of one that is still to come: a Gaussian process, and its coordinates."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

Matrix = NDArray[np.float64]

_LENGTHS = (0.2, 0.4, 0.8)
_NOISES = (0.03, 0.1, 0.3, 1.0)
MOST_TRIALS = 300


class Cube:
    """A search space as coordinates: numbers from 0 to 1, a column for each word of a choice.

    A choice among numbers is a number, its values at equal distances.
    """

    def __init__(self, space: Mapping[str, BaseDistribution]) -> None:
        self._space = dict(space)

    @property
    def parameters(self) -> int:
        """How many parameters there are."""
        return len(self._space)

    def encode(self, trials: Sequence[Mapping[str, Any]]) -> Matrix:
        """Return the coordinates of values of all parameters, ``[trials, columns]``."""
        columns = [
            column
            for name, kind in self._space.items()
            for column in _columns(kind, [trial[name] for trial in trials])
        ]
        return np.array(columns, float).reshape(len(columns), len(trials)).T


def _columns(kind: BaseDistribution, values: list[Any]) -> list[list[float]]:
    if isinstance(kind, CategoricalDistribution):
        places = [kind.choices.index(value) for value in values]
        if all(_is_number(choice) for choice in kind.choices):
            ranks = np.argsort(np.argsort(np.array(kind.choices, float)))
            return [[ranks[place] / (len(ranks) - 1) for place in places]]
        apart = math.sqrt(0.5)
        return [[apart * (place == i) for place in places] for i in range(len(kind.choices))]
    assert isinstance(kind, (IntDistribution, FloatDistribution))
    scale = math.log if kind.log else float
    low, high = scale(kind.low), scale(kind.high)
    return [[(scale(value) - low) / ((high - low) or 1.0) for value in values]]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


class GaussianProcess:
    """Regression with a squared exponential kernel of one length for all coordinates.

    Length and noise are those of a small grid under which the data are likeliest; the variance of
    the signal follows from them (Rasmussen and Williams, "Gaussian Processes for Machine Learning",
    2006, algorithm 2.1).  Of many trials the newest 300 are learnt from.

    Args:
        x: coordinates ``[trials, columns]``.
        y: values ``[trials]``.
        parameters: how many parameters the columns stand for; lengths grow with its root.
    """

    def __init__(self, x: Matrix, y: Matrix, parameters: int) -> None:
        self.x, y = x[-MOST_TRIALS:], y[-MOST_TRIALS:]
        self.mean, self.scale = float(y.mean()), float(y.std()) or 1.0
        self._y = (y - self.mean) / self.scale
        self._squares = _squared_distances(self.x, self.x)
        root = math.sqrt(max(parameters, 1))
        grid = itertools.product((length * root for length in _LENGTHS), _NOISES)
        self.length, self.noise = max(grid, key=lambda settings: self._likelihood(*settings))
        self._factor, self._weights, self._variance = self._solve(self.length, self.noise)

    def predict(self, x: Matrix) -> tuple[Matrix, Matrix]:
        """Return means and standard deviations of what would be measured, each ``[trials]``."""
        cross = np.exp(-0.5 * _squared_distances(x, self.x) / self.length**2)
        solved = np.linalg.solve(self._factor, cross.T)
        left = np.maximum(1 - (solved**2).sum(axis=0), 0) + self.noise**2
        deviations = np.sqrt(self._variance * left)
        return self.mean + self.scale * (cross @ self._weights), self.scale * deviations

    def _solve(self, length: float, noise: float) -> tuple[Matrix, Matrix, float]:
        """Return Cholesky factor, weights, and the likeliest variance of the signal."""
        kernel = np.exp(-0.5 * self._squares / length**2) + noise**2 * np.eye(len(self._y))
        factor = np.linalg.cholesky(kernel).astype(float)
        weights: Matrix = np.linalg.solve(factor.T, np.linalg.solve(factor, self._y))
        return factor, weights, max(float(self._y @ weights) / len(self._y), 1e-6)

    def _likelihood(self, length: float, noise: float) -> float:
        factor, _, variance = self._solve(length, noise)
        return float(-0.5 * len(self._y) * math.log(variance) - np.log(np.diag(factor)).sum())


def _squared_distances(a: Matrix, b: Matrix) -> Matrix:
    squares: Matrix = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None] - 2 * a @ b.T
    return np.maximum(squares, 0)
