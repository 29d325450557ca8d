"""A Gaussian process that predicts metrics of new candidates, and its coordinates."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from scipy.linalg import solve_triangular

Matrix = NDArray[np.float64]

LEAST_ERROR = 0.003
"""Added to the share of misclassified clips before the logarithm: it may be 0."""

_LENGTHS = (0.2, 0.4, 0.8)
_NOISES = (0.03, 0.1, 0.3, 1.0)
_JUDGES = 150


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
            for name, distribution in self._space.items()
            for column in _columns(distribution, [trial[name] for trial in trials])
        ]
        return np.array(columns, float).reshape(len(columns), len(trials)).T


def _columns(distribution: BaseDistribution, values: list[Any]) -> list[list[float]]:
    if isinstance(distribution, CategoricalDistribution):
        places = [distribution.choices.index(value) for value in values]
        if all(_is_number(choice) for choice in distribution.choices):
            ranks = np.argsort(np.argsort(np.array(distribution.choices, float)))
            return [[ranks[place] / (len(ranks) - 1) for place in places]]
        apart = math.sqrt(0.5)
        return [
            [apart * (place == i) for place in places] for i in range(len(distribution.choices))
        ]
    assert isinstance(distribution, (IntDistribution, FloatDistribution))
    scale = math.log if distribution.log else float
    low, high = scale(distribution.low), scale(distribution.high)
    return [[(scale(value) - low) / ((high - low) or 1.0) for value in values]]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@dataclass(frozen=True)
class Settings:
    """Of a kernel: how far values stay alike, and how noisy they are, as a share of the signal."""

    length: float
    noise: float


class GaussianProcess:
    """Regression with a squared exponential kernel of one length for all coordinates.

    The variance of the signal is the likeliest (Rasmussen and Williams, "Gaussian Processes for
    Machine Learning", 2006, algorithm 2.1).

    Args:
        x: coordinates ``[trials, columns]``.
        y: values ``[trials]``.
        settings: length and noise of the kernel, of ``likeliest``.
    """

    def __init__(self, x: Matrix, y: Matrix, settings: Settings) -> None:
        self.x = x
        self.mean, self.scale = float(y.mean()), float(y.std()) or 1.0
        squares = _squared_distances(self.x, self.x)
        self.fit = _fit(squares, (y - self.mean) / self.scale, settings)
        self._weights = _solve_triangle(self.fit.factor.T, self.fit.whitened, lower=False)

    def expect(self, x: Matrix) -> Matrix:
        """Return means, ``[trials]``."""
        return self._mean(self._cross(x))

    def predict(self, x: Matrix) -> tuple[Matrix, Matrix]:
        """Return means and standard deviations without the noise of measuring, each ``[trials]``.

        A search that models noise goes where a measurement may be lucky.
        """
        cross = self._cross(x)
        known = (_solve_triangle(self.fit.factor, cross.T) ** 2).sum(axis=0)
        deviations = np.sqrt(self.fit.variance * np.maximum(1 - known, 0))
        return self._mean(cross), self.scale * deviations

    def _cross(self, x: Matrix) -> Matrix:
        return _kernel(_squared_distances(x, self.x), self.fit.settings)

    def _mean(self, cross: Matrix) -> Matrix:
        means: Matrix = self.mean + self.scale * (cross @ self._weights)
        return means


@dataclass(frozen=True)
class _Fit:
    """What follows from a kernel's settings.

    ``factor`` is the Cholesky factor of the kernel, ``whitened`` what solving it for the values
    gives, ``variance`` the likeliest of the signal.
    """

    settings: Settings
    factor: Matrix
    whitened: Matrix

    @property
    def variance(self) -> float:
        return max(float(self.whitened @ self.whitened) / len(self.whitened), 1e-6)

    @property
    def likelihood(self) -> float:
        """Logarithm of the likelihood of the values, up to a constant."""
        spread = -0.5 * len(self.whitened) * math.log(self.variance)
        return float(spread - np.log(np.diag(self.factor)).sum())


def likeliest(x: Matrix, y: Matrix, parameters: int) -> Settings:
    """Return the length and noise, of a small grid, under which the data are likeliest.

    Of many trials the newest 150 choose: this is where the time of a regression goes.

    Args:
        x: coordinates ``[trials, columns]``.
        y: values ``[trials]``.
        parameters: how many parameters the columns stand for; lengths grow with its root.
    """
    x, y = x[-_JUDGES:], y[-_JUDGES:]
    squares, y = _squared_distances(x, x), (y - y.mean()) / (y.std() or 1.0)
    lengths = [length * math.sqrt(max(parameters, 1)) for length in _LENGTHS]
    grid = [Settings(length, noise) for length, noise in product(lengths, _NOISES)]
    fits = (_fit(squares, y, settings) for settings in grid)
    return max(fits, key=lambda fit: fit.likelihood).settings


def _fit(squares: Matrix, y: Matrix, settings: Settings) -> _Fit:
    kernel = _kernel(squares, settings)
    np.fill_diagonal(kernel, 1 + settings.noise**2)
    factor = np.linalg.cholesky(kernel).astype(float)
    return _Fit(settings, factor, _solve_triangle(factor, y))


def _solve_triangle(factor: Matrix, right: Matrix, lower: bool = True) -> Matrix:
    solved: Matrix = solve_triangular(factor, right, lower=lower, check_finite=False)
    return solved


def _squared_distances(a: Matrix, b: Matrix) -> Matrix:
    # In place, here and below: getting memory anew takes longer than what is done with it.
    squares: Matrix = a @ (-2 * b.T)
    squares += (a**2).sum(axis=1)[:, None]
    squares += (b**2).sum(axis=1)
    return np.maximum(squares, 0, out=squares)


def _kernel(squares: Matrix, settings: Settings) -> Matrix:
    """Return the similarity of trials, 1 at distance 0."""
    exponents: Matrix = squares * (-0.5 / settings.length**2)
    return np.exp(exponents, out=exponents)
