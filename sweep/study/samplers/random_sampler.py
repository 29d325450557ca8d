"""Random search."""

from typing import Any

import numpy as np

from sweep.space import Space
from sweep.study.samplers.base import PlannedSampler

_DRAWS = 100


class RandomSampler(PlannedSampler):
    """Draws each parameter independently from its distribution, like Optuna's ``RandomSampler``.

    Unlike that, it does not read the study again for each trial.
    """

    def __init__(self, space: Space, seed: int) -> None:
        super().__init__(space, seed)
        self._rng = np.random.default_rng(seed)

    def plan(self) -> dict[str, Any]:
        """Return an untried combination; a tried one if 100 draws find no other."""
        for _ in range(_DRAWS):
            drawn = self.space.draw(self._rng)
            if not self.is_taken(drawn):
                break
        return drawn
