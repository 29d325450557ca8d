"""How a search stands: what it has counted, the front so far, and the time left."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from sweep.candidate import Evaluation


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
        front: the objectives of the feasible trials that none beats, as costs.
        idle: how many trials have ended since the front last changed; 0 until there is one.
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
    front: list[dict[str, float]] = field(default_factory=list)
    idle: int = 0
    ended: str = ""

    @property
    def done(self) -> int:
        """Trials that count towards the budget."""
        return self.outcomes.total() - self.outcomes["invalid"]

    @property
    def seconds_left(self) -> float | None:
        """Time until the budget is spent at the pace so far, or time is up; None if unknown."""
        ends = []
        if self.timeout_s is not None:
            ends.append(self.timeout_s - self.seconds)
        if self.finished_now:
            ends.append((self.budget - self.done) * self.seconds / self.finished_now)
        return max(0.0, min(ends)) if ends else None

    def add(self, evaluation: Evaluation) -> None:
        """Count one more finished trial."""
        self.outcomes[evaluation.outcome] += 1
        if self.front and evaluation.outcome != "invalid":
            self.idle += 1
        if evaluation.outcome == "feasible":
            for metric, way in self.objectives.items():
                value = getattr(evaluation.result, metric)
                better = max if way == "maximize" else min
                self.best[metric] = better(value, self.best.get(metric, value))
            self._extend_front(evaluation)

    def reaches(self, goal: Mapping[str, float]) -> bool:
        """Tell whether one feasible trial is as good as ``goal`` in each of its metrics."""
        wanted = {metric: self._cost(metric, value) for metric, value in goal.items()}
        return bool(goal) and any(
            all(costs[metric] <= cost for metric, cost in wanted.items()) for costs in self.front
        )

    def _extend_front(self, evaluation: Evaluation) -> None:
        """Take a feasible trial into the front, unless another is as good in everything."""
        new = {m: self._cost(m, getattr(evaluation.result, m)) for m in self.objectives}
        if any(all(known[m] <= new[m] for m in new) for known in self.front):
            return
        self.front = [k for k in self.front if any(k[m] < new[m] for m in new)] + [new]
        self.idle = 0

    def _cost(self, metric: str, value: float) -> float:
        return -value if self.objectives[metric] == "maximize" else value
