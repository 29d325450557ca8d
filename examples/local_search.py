"""A sampler from outside: one random change of the best trial so far.

search: {sampler: local_search:LocalSearch}
"""

import math

import numpy as np

import sweep


class LocalSearch(sweep.PlannedSampler):
    """Changes one parameter of the best trial; a feasible one is better than any other."""

    def __init__(self, space, seed):
        super().__init__(space, seed)
        self.rng = np.random.default_rng(seed)
        self.best, self.cost = None, (math.inf, math.inf)

    def note(self, trial, direction):
        """Begin from a trial that has finished, if it is the best so far."""
        if not trial.values:
            return
        broken = sum(max(0.0, violation) for violation in trial.constraints.values())
        worth = trial.values[0] * (1 if direction.name == "MINIMIZE" else -1)
        if (broken, worth) < self.cost:
            self.best, self.cost = trial.params, (broken, worth)

    def plan(self):
        """Return a neighbour of the best trial that is allowed and new, else any combination."""
        for _ in range(1000):
            drawn = self.space.draw(self.rng)
            if self.best is not None:
                name = self.rng.choice(list(drawn))
                drawn = self.best | {name: drawn[name]}
            if self.space.allows(drawn) and not self.is_taken(drawn):
                break
        return drawn
