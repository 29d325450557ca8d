"""The progress of a search: counts, the front so far, and the time left."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sweep.evaluation import Evaluation, Variant
from sweep.pareto import added_to_front, costs


@dataclass
class SearchProgress:
    """The progress of a search; trials of earlier runs count, too.

    Attributes:
        budget: the maximum number of trials, not counting invalid ones.
        objectives: ``{metric: "maximize" or "minimize"}``.
        outcomes: number of trials of each outcome.
        best: the best value of each objective among feasible trials.
        running: number of trials being evaluated.
        finished_now, seconds: number of trials finished in this run, and its duration.
        timeout_s: no trial starts after this many seconds; None for no limit.
        front: the Pareto front of the feasible trials, as costs ``[trials, objectives]``.
        idle: number of trials since the front last changed; 0 while it is empty.
        repeats: number of trials that train a stopped one to the end, not counted in the budget.
        repeating: number of such trials started by this run, as no other was feasible.
        ended: why the search ended, if not by spending its budget.
    """

    budget: int
    objectives: dict[str, str]
    outcomes: Counter[str] = field(default_factory=Counter)
    best: dict[str, float] = field(default_factory=dict)
    running: int = 0
    finished_now: int = 0
    seconds: float = 0.0
    timeout_s: float | None = None
    front: NDArray[np.float64] = field(init=False)
    idle: int = 0
    repeats: int = 0
    repeating: int = 0
    ended: str = ""

    def __post_init__(self) -> None:
        self.front = np.empty((0, len(self.objectives)))

    @property
    def done(self) -> int:
        """Trials that count towards the budget."""
        return self.outcomes.total() - self.outcomes["invalid"] - self.repeats

    @property
    def seconds_left(self) -> float | None:
        """Estimated time until the budget or the timeout is reached; None if unknown."""
        ends = []
        if self.timeout_s is not None:
            ends.append(self.timeout_s - self.seconds)
        if self.finished_now:
            ends.append((self.budget - self.done) * self.seconds / self.finished_now)
        return max(0.0, min(ends)) if ends else None

    def add(self, evaluation: Evaluation, repeats: bool = False) -> None:
        """Count a finished trial; one that ``repeats`` a stopped trial does not use the budget."""
        self.outcomes[evaluation.outcome] += 1
        self.repeats += repeats
        if len(self.front) and evaluation.outcome != "invalid":
            self.idle += 1
        result = evaluation.result
        if evaluation.outcome == "feasible" and result is not None:
            for metric, way in self.objectives.items():
                value = result.metrics[metric]
                assert value is not None
                better = max if way == "maximize" else min
                self.best[metric] = better(value, self.best.get(metric, value))
            self._extend_front(result)

    def reaches(self, goal: Mapping[str, float]) -> bool:
        """Return whether one feasible trial reaches every value of ``goal``."""
        columns = [list(self.objectives).index(metric) for metric in goal]
        wanted = costs([goal], {metric: self.objectives[metric] for metric in goal})[0]
        return bool(goal) and bool((self.front[:, columns] <= wanted).all(axis=1).any())

    def _extend_front(self, result: Variant) -> None:
        """Add a feasible trial to the front, unless another dominates or equals it."""
        new = costs([result.metrics], self.objectives)[0]
        staying = added_to_front(self.front, new)
        if staying is not None:
            self.front = np.vstack([self.front[staying], new])
            self.idle = 0
