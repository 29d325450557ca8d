"""How a search stands: what it has counted, the front so far, and the time left."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sweep.evaluation import Evaluation, Variant
from sweep.pareto import added_to_front, costs


@dataclass
class SearchProgress:
    """How a search stands; trials of earlier runs count too.

    Attributes:
        budget: how many trials there may be, the invalid not counted.
        objectives: ``{metric: "maximize" or "minimize"}``.
        outcomes: how many trials ended how.
        best: the best value of each objective among feasible trials.
        running: how many are being evaluated.
        finished_now: how many this run has finished, and ``seconds`` how long it took.
        timeout_s: after how many seconds no more trials are begun; None for never.
        front: the feasible trials that none dominates, as costs ``[trials, objectives]``.
        idle: how many trials have ended since the front last changed; 0 until there is one.
        repeats: how many trials trained a stopped one to its end; the budget does not count them.
        repeating: how many such trials this run has begun, as nothing else was feasible.
        ended: why the search ended other than by spending its budget; empty if it did not.
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
        """Time until the budget is spent at the pace so far, or time is up; None if unknown."""
        ends = []
        if self.timeout_s is not None:
            ends.append(self.timeout_s - self.seconds)
        if self.finished_now:
            ends.append((self.budget - self.done) * self.seconds / self.finished_now)
        return max(0.0, min(ends)) if ends else None

    def add(self, evaluation: Evaluation, repeats: bool = False) -> None:
        """Count one more finished trial; one that ``repeats`` a stopped one costs no budget."""
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
        """Tell whether one feasible trial is as good as ``goal`` in each of its metrics."""
        columns = [list(self.objectives).index(metric) for metric in goal]
        wanted = costs([goal], {metric: self.objectives[metric] for metric in goal})[0]
        return bool(goal) and bool((self.front[:, columns] <= wanted).all(axis=1).any())

    def _extend_front(self, result: Variant) -> None:
        """Take a feasible trial into the front, unless another is as good in everything."""
        new = costs([result.metrics], self.objectives)[0]
        staying = added_to_front(self.front, new)
        if staying is not None:
            self.front = np.vstack([self.front[staying], new])
            self.idle = 0
