"""The sampler made for this job: what a candidate costs is foreseen, what it hears is a chance."""

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

from sweep.space import Space
from sweep.study.planning import PlannedSampler
from sweep.study.surrogate import LEAST_ERROR, Cube, GaussianProcess, Matrix, Settings, likeliest
from sweep.study.trials import stored_evaluation

_STARTUP = 10
_RENEWAL, _ALWAYS_RENEWED = 10, 50
_DRAWN, _CHANGED = 150, 150
_ATTEMPTS = 5
_MOST_TRIALS = 300
_POINTS = 2000
_LEAST = 1e-12
_CHANCES = np.array([NormalDist().inv_cdf((i + 0.5) / 15) for i in range(15)])
ACCURACY = "accuracy"


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
    """Expected hypervolume improvement, with costs foreseen and accuracy uncertain.

    Size, latency and the like follow from a candidate's shape, so a Gaussian process learns them
    within a few trials, gated and stopped ones included; of accuracy it knows mean and deviation.
    Of some hundred candidates, drawn at random or near the front, the one is proposed that is
    expected to add most to the volume the feasible trials dominate (Emmerich et al., "Single- and
    multiobjective evolutionary optimization assisted by Gaussian random field metamodels", 2006),
    on logarithmic axes but for accuracy.  A candidate whose foreseen costs break a limit adds
    nothing.  Accuracy is learnt from trials still running, too, as if they had heard what is
    expected of them.

    Args:
        space: the search space.
        seed: equal seeds propose the same for the same trials.
    """

    def __init__(self, space: Space, seed: int) -> None:
        super().__init__(space)
        self._rng = np.random.default_rng(seed)
        self._cube = Cube(space.varying)
        self._known: list[Known] = []
        self._settings: dict[str, tuple[int, Settings]] = {}
        self._front: list[Known] = []
        self._limits = {limit.metric: limit.bound for limit in space.limits}
        objectives = space.file.objectives
        self._signs = {m: -1 if way == "maximize" else 1 for m, way in objectives.items()}
        self._costs = [metric for metric in objectives if metric != ACCURACY]
        self._limited = [m for m in self._limits if m not in (ACCURACY, *self._costs)]
        self._measured: dict[str, list[Known]] = {metric: [] for metric in self._metrics}

    @property
    def _metrics(self) -> list[str]:
        return [ACCURACY, *self._costs, *self._limited]

    def note(self, trial: FrozenTrial, direction: StudyDirection) -> None:
        """Learn from a trial that has finished."""
        evaluation = stored_evaluation(trial)
        if evaluation is None or evaluation.result is None:
            return
        metrics = {metric: getattr(evaluation.result, metric) for metric in self._metrics}
        x = self._cube.encode([trial.params])[0]
        self.learn(Known(x, trial.params, metrics, evaluation.outcome == "feasible"))

    def learn(self, new: Known) -> None:
        """Take in a trial that was measured."""
        self._known.append(new)
        for metric in self._metrics:
            if new.metrics[metric] is not None:
                self._measured[metric].append(new)
        cost = self._objectives(new)
        if new.feasible and not any((self._objectives(k) <= cost).all() for k in self._front):
            self._front = [k for k in self._front if (self._objectives(k) < cost).any()] + [new]

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
        they may have at best, of those that are foreseen to keep every limit of cost, and where
        none does that, or nothing has been heard yet, how far they break them.
        """
        costs = [metric for metric in (*self._costs, *self._limited) if self._measured[metric]]
        over = np.column_stack([self._foreseen(metric, x) for metric in costs] or [x[:, :0]])
        broken: Matrix = np.maximum(over, 0).sum(axis=1)
        inside, heard = broken == 0, self._newest(ACCURACY)
        if len(heard) < 2 or not inside.any():
            return broken
        mean, deviation = self._foreseen_error(heard, x)
        gains = self._gains(over[:, : len(self._costs)], mean, deviation)
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
        best = sorted(self._known, key=lambda known: -(known.metrics[ACCURACY] or 0))
        return [known.params for known in best[:5]]

    def _objectives(self, known: Known) -> Matrix:
        """Return what is to be made small."""
        values = [known.metrics[metric] for metric in self._signs]
        costs = [np.inf if v is None else s * v for v, s in zip(values, self._signs.values())]
        return np.array(costs)

    def _changed(self, parents: list[dict[str, Any]], number: int) -> list[dict[str, Any]]:
        """Return so many combinations, each a parent with one to three parameters changed."""
        names = list(self.space.varying)
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
                kind, value = self.space.varying[name], drawn[name]
                if isinstance(kind, FloatDistribution) and kind.step is None:
                    # Somewhere between parent and draw, more often near the first.
                    value = parent[name] + (value - parent[name]) * float(near[row, column])
                child[name] = value
            changed.append(child)
        return changed

    def _foreseen(self, metric: str, x: Matrix) -> Matrix:
        """Return a cost of candidates as a logarithm, 0 at its limit or at the worst seen."""
        newest = self._newest(metric)
        x_known, logs = np.array([k.x for k in newest]), self._logs(metric, newest)
        process = GaussianProcess(x_known, logs, self._chosen(metric, x_known, logs))
        return process.expect(x) - self._corner(metric)

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
        values = [float(k.metrics[metric] or 0) for k in trials]
        return np.log(np.maximum(values, _LEAST))

    def _corner(self, metric: str) -> float:
        bound = self._limits.get(metric)
        if bound is None:
            return float(self._logs(metric, self._measured[metric]).max())
        return math.log(bound)

    def _foreseen_error(self, heard: list[Known], x: Matrix) -> tuple[Matrix, Matrix]:
        """Return mean and deviation of the logarithm of the share of clips heard wrong."""
        x_heard = np.array([known.x for known in heard])
        errors = np.log([1 - float(k.metrics[ACCURACY] or 0) + LEAST_ERROR for k in heard])
        settings = self._chosen(ACCURACY, x_heard, errors)
        if self.running:
            x_running = self._cube.encode(self.running)
            expected = GaussianProcess(x_heard, errors, settings).expect(x_running)
            x_heard = np.concatenate([x_heard, x_running])
            errors = np.concatenate([errors, expected])
        return GaussianProcess(x_heard, errors, settings).predict(x)

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
        costs = np.empty((len(self._front), len(self._costs)))
        for column, metric in enumerate(self._costs):
            costs[:, column] = self._logs(metric, self._front) - self._corner(metric)
        accuracies = np.array([float(k.metrics[ACCURACY] or 0) for k in self._front])
        return costs, self._worth(accuracies)

    def _worth(self, accuracies: Matrix) -> Matrix:
        """Return what an accuracy is worth: its way above the limit, 0 below it."""
        floor = self._limits.get(ACCURACY, 0.0)
        if ACCURACY not in self._signs:
            return (accuracies >= floor).astype(float)
        return np.maximum(np.minimum(accuracies, 1.0) - floor, 0)


def _reached(costs: Matrix, points: Matrix) -> NDArray[np.bool_]:
    """Tell which costs exceed a point in nothing, ``[costs, points]``."""
    reached = np.ones((len(costs), len(points)), bool)
    for cost, point in zip(costs.T, points.T):
        reached &= cost[:, None] <= point
    return reached
