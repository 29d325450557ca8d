"""Random search."""

from typing import Any

import numpy as np

from sweep.space import Space
from sweep.study.samplers.base import PlannedSampler

_DRAWS = 100


class RandomSampler(PlannedSampler):
    """Draws combinations at random, each parameter by its distribution, as Optuna's does.

    Optuna's reads the whole study for each trial.
    """

    def __init__(self, space: Space, seed: int) -> None:
        super().__init__(space, seed)
        self._rng = np.random.default_rng(seed)

    def plan(self) -> dict[str, Any]:
        """Return a combination that no trial has had; any, if such are rare."""
        for _ in range(_DRAWS):
            drawn = self.space.draw(self._rng)
            if not self.is_taken(drawn):
                break
        return drawn
