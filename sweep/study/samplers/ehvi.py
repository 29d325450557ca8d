"""Expected hypervolume improvement: costs follow from the candidate, accuracy is uncertain."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import FloatDistribution
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial
from scipy.special import ndtr

from sweep.limits import EVERY_WORD
from sweep.pareto import added_to_front, costs
from sweep.space import Space
from sweep.study.samplers.base import PlannedSampler
from sweep.study.samplers.surrogate import (
    LEAST_ERROR,
    Cube,
    GaussianProcess,
    Matrix,
    Settings,
    likeliest,
)
from sweep.study.trials import stored_evaluation

_STARTUP = 10
_RENEWAL, _ALWAYS_RENEWED = 10, 50
_DRAWN, _CHANGED = 150, 150
_ATTEMPTS = 5
_MOST_TRIALS = 300
_POINTS = 2000
_LEAST, _TOUCHING = 1e-12, 1e-9
_CHANCES = np.array([NormalDist().inv_cdf((i + 0.5) / 15) for i in range(15)])


@dataclass(frozen=True)
class Known:
    """A trial that was measured: its parameters, its metrics, whether it kept every limit.

    ``x`` are its coordinates.
    """

    x: Matrix
    params: dict[str, Any]
    metrics: Mapping[str, float | None]
    feasible: bool


class EHVISampler(PlannedSampler):
    """Expected hypervolume improvement, with costs predicted and accuracy uncertain.

    Size, latency and the like follow from a candidate's shape, so a Gaussian process learns them
    within a few trials, gated and stopped ones included.  What only training shows is uncertain:
    of the goal (``metrics.goal``) the process gives mean and deviation, and of other such limits
    the chance that they are kept.  Of some hundred candidates, drawn at random or near the front,
    the one is proposed that is expected to add most to the volume the feasible trials dominate
    (Emmerich et al., "Single- and multiobjective evolutionary optimization assisted by Gaussian
    random field metamodels", 2006), on logarithmic axes but for the goal.  A candidate whose
    predicted costs break a limit adds nothing.  The goal is learnt from trials still running, too,
    as if they had reached what is expected of them.

    Args:
        space: the search space.
        seed: equal seeds propose the same for the same trials.
    """

    def __init__(self, space: Space, seed: int) -> None:
        super().__init__(space, seed)
        self._rng = np.random.default_rng(seed)
        self._cube = Cube(space.distributions)
        self._known: list[Known] = []
        self._settings: dict[str, tuple[int, Settings]] = {}
        self._front: list[Known] = []
        self._limits = {one.metric: one.bound for one in space.limits if one != EVERY_WORD}
        self._aims = space.file.objectives
        self._goal = space.goal.name
        self._costs = [name for name in self._aims if name != self._goal]
        others = [name for name in self._limits if name not in (self._goal, *self._costs)]
        self._uncertain = [name for name in others if space.metrics[name].known == "trained"]
        self._limited = [name for name in others if name not in self._uncertain]
        self._metrics = [self._goal, *self._costs, *self._limited, *self._uncertain]
        self._measured: dict[str, list[Known]] = {metric: [] for metric in self._metrics}

    def note(self, trial: FrozenTrial, direction: StudyDirection) -> None:
        """Learn from a trial that has finished."""
        evaluation = stored_evaluation(trial)
        if evaluation is None or evaluation.result is None:
            return
        metrics = {metric: evaluation.result[metric] for metric in self._metrics}
        x = self._cube.encode([trial.params])[0]
        self.learn(Known(x, trial.params, metrics, evaluation.outcome == "feasible"))

    def learn(self, new: Known) -> None:
        """Take in a trial that was measured."""
        self._known.append(new)
        for metric in self._metrics:
            if new.metrics[metric] is not None:
                self._measured[metric].append(new)
        if not new.feasible:
            return
        points = costs([known.metrics for known in (*self._front, new)], self._aims)
        staying = added_to_front(points[:-1], points[-1])
        if staying is not None:
            self._front = [k for k, stays in zip(self._front, staying) if stays] + [new]

    def plan(self) -> dict[str, Any]:
        """Return the candidate expected to add most."""
        pool = self._pool()
        if not pool:
            return self.space.draw(self._rng)
        order = np.arange(len(pool))
        if len(self._known) >= _STARTUP:
            order = self._losses(self._cube.encode(pool)).argsort(kind="stable")
        return next((pool[i] for i in order if not self.is_trained(pool[i])), pool[order[0]])

    def _losses(self, x: Matrix) -> Matrix:
        """Return by what to order candidates, the least first.

        That is what they are expected to add, negative.  Where none adds anything it is the error
        they may have at best, of those that are predicted to keep every limit of cost, and where
        none does that, or nothing has been trained yet, how far they break them.
        """
        known = [metric for metric in (*self._costs, *self._limited) if self._measured[metric]]
        over = np.column_stack([self._predicted(metric, x) for metric in known] or [x[:, :0]])
        broken: Matrix = np.maximum(over, 0).sum(axis=1)
        inside, trained = broken == 0, self._newest(self._goal)
        if len(trained) < 2 or not inside.any():
            return broken
        mean, deviation = self._predicted_error(trained, x)
        gains = self._gains(over[:, : len(self._costs)], mean, deviation)
        for metric in self._uncertain:
            gains *= self._chance_kept(metric, x)
        if gains[inside].max() > 0:
            return np.where(inside, -gains, np.inf)
        return np.where(inside, mean - deviation, np.inf)

    def _pool(self) -> list[dict[str, Any]]:
        """Return allowed and untried combinations: some at random, some near the best so far."""
        parents = self._parents()
        drawn = self._allowed(lambda number: self.space.draws(self._rng, number), _DRAWN)
        if not parents:
            return drawn
        return drawn + self._allowed(lambda number: self._changed(parents, number), _CHANGED)

    def _allowed(
        self, draw: Callable[[int], list[dict[str, Any]]], wanted: int
    ) -> list[dict[str, Any]]:
        """Return so many combinations, or what is found when each may be drawn a few times."""
        found: list[dict[str, Any]] = []
        for _ in range(_ATTEMPTS):
            drawn = draw(wanted - len(found))
            found += [p for p in drawn if not self.is_taken(p) and self.space.allows(p)]
        return found

    def _parents(self) -> list[dict[str, Any]]:
        """Return the front, or the most accurate trials where none is feasible."""
        if self._front:
            return [known.params for known in self._front]
        best = sorted(self._known, key=lambda known: -(known.metrics[self._goal] or 0))
        return [known.params for known in best[:5]]

    def _changed(self, parents: list[dict[str, Any]], number: int) -> list[dict[str, Any]]:
        """Return so many combinations, each a parent with one to three parameters changed."""
        names = list(self.space.distributions)
        chosen = self._rng.integers(len(parents), size=number)
        orders = self._rng.random((number, len(names))).argsort(axis=1)
        counts = self._rng.integers(1, 4, size=number)
        near = self._rng.random((number, len(names))) ** 2
        changed = []
        for row, drawn in enumerate(self.space.draws(self._rng, number)):
            parent = parents[chosen[row]]
            child = dict(parent)
            for column in orders[row, : counts[row]]:
                name = names[column]
                distribution, value = self.space.distributions[name], drawn[name]
                if isinstance(distribution, FloatDistribution) and distribution.step is None:
                    # Somewhere between parent and draw, more often near the first.
                    value = parent[name] + (value - parent[name]) * float(near[row, column])
                child[name] = value
            changed.append(child)
        return changed

    def _predicted(self, metric: str, x: Matrix) -> Matrix:
        """Return a cost of candidates as a logarithm, 0 at its limit or at the worst seen."""
        return self._process(metric).expect(x) - self._corner(metric)

    def _chance_kept(self, metric: str, x: Matrix) -> Matrix:
        """Return how likely candidates keep the limit of a metric that training decides."""
        if len(self._measured[metric]) < 2:
            return np.ones(len(x))
        mean, deviation = self._process(metric).predict(x)
        below: Matrix = ndtr((self._corner(metric) - mean) / np.maximum(deviation, _LEAST))
        return below

    def _process(self, metric: str) -> GaussianProcess:
        newest = self._newest(metric)
        x_known, logs = np.array([k.x for k in newest]), self._logs(metric, newest)
        return GaussianProcess(x_known, logs, self._chosen(metric, x_known, logs))

    def _newest(self, metric: str) -> list[Known]:
        """Return the trials to learn a metric from; of many the newest."""
        return self._measured[metric][-_MOST_TRIALS:]

    def _chosen(self, metric: str, x: Matrix, y: Matrix) -> Settings:
        """Return the settings for the newest values of a metric; many are chosen by now and then.

        They are those at the last multiple of ten trials, so that it does not matter whether the
        sampler was there from the first trial on.
        """
        count = len(self._measured[metric])
        since = count % _RENEWAL if count > _ALWAYS_RENEWED else 0
        chosen_at, settings = self._settings.get(metric, (0, None))
        if settings is None or chosen_at != count - since:
            before = len(y) - since
            settings = likeliest(x[:before], y[:before], self._cube.parameters)
            self._settings[metric] = count - since, settings
        return settings

    def _logs(self, metric: str, trials: list[Known]) -> Matrix:
        return self._log_costs(metric, [float(k.metrics[metric] or 0) for k in trials])

    def _log_costs(self, metric: str, values: list[float]) -> Matrix:
        """Return the logarithms of values as costs: of a share to maximize, what it misses of 1."""
        of = self.space.metrics[metric]
        found = np.array(values)
        if of.share:
            return np.log((1 - found if of.better == "higher" else found) + LEAST_ERROR)
        return of.sign * np.log(np.maximum(found, of.least))

    def _corner(self, metric: str) -> float:
        bound = self._limits.get(metric)
        if bound is None:
            return float(self._logs(metric, self._measured[metric]).max())
        return float(self._log_costs(metric, [bound])[0])

    def _predicted_error(self, trained: list[Known], x: Matrix) -> tuple[Matrix, Matrix]:
        """Return mean and deviation of the logarithm of what the goal falls short of 1."""
        x_trained = np.array([known.x for known in trained])
        errors = self._logs(self._goal, trained)
        settings = self._chosen(self._goal, x_trained, errors)
        if self.running:
            x_running = self._cube.encode(self.running)
            expected = GaussianProcess(x_trained, errors, settings).expect(x_running)
            x_trained = np.concatenate([x_trained, x_running])
            errors = np.concatenate([errors, expected])
        return GaussianProcess(x_trained, errors, settings).predict(x)

    def _gains(self, costs: Matrix, mean: Matrix, deviation: Matrix) -> Matrix:
        """Return the volume each candidate is expected to add, up to a constant factor."""
        front, worths = self._front_costs()
        lowest = np.minimum(np.concatenate([costs, front]).min(axis=0), 0)
        points = self._rng.uniform(lowest, 0, (_POINTS, costs.shape[1]))
        # How worthy the best known trial is that costs no more than a point.
        known = np.where(_reached(front, points), worths[:, None], 0.0)
        heights, place = np.unique(known.max(axis=0, initial=0.0), return_inverse=True)
        reached = _reached(costs, points) @ np.eye(len(heights))[place]
        chances = 1 + LEAST_ERROR - np.exp(mean[:, None] + deviation[:, None] * _CHANCES)
        worth = self._worth(chances)
        added = np.maximum(worth[:, :, None] - heights, 0).mean(axis=1)
        gains: Matrix = (reached * added).sum(axis=1)
        return gains

    def _front_costs(self) -> tuple[Matrix, Matrix]:
        """Return costs and worth of the feasible trials that none beats."""
        front = np.empty((len(self._front), len(self._costs)))
        for column, metric in enumerate(self._costs):
            front[:, column] = self._logs(metric, self._front) - self._corner(metric)
        rest = np.exp(self._logs(self._goal, self._front)) - LEAST_ERROR
        return front, self._worth(1 - rest)

    def _worth(self, good: Matrix) -> Matrix:
        """Return what a value of the goal is worth: its way above the limit, 0 below it.

        Args:
            good: the goal, or 1 less the goal where that had better be low.
        """
        floor = 0.0
        if self._goal in self._limits:
            floor = 1 - (math.exp(self._corner(self._goal)) - LEAST_ERROR)
        if self._goal not in self._aims:
            return (good >= floor - _TOUCHING).astype(float)
        return np.maximum(np.minimum(good, 1.0) - floor, 0)


def _reached(costs: Matrix, points: Matrix) -> NDArray[np.bool_]:
    """Tell which costs exceed a point in nothing, ``[costs, points]``."""
    reached = np.ones((len(costs), len(points)), bool)
    for cost, point in zip(costs.T, points.T):
        reached &= cost[:, None] <= point
    return reached
