"""Grid search over a finite space."""

from typing import Any

from sweep.errors import SpecError
from sweep.space import Space
from sweep.study.samplers.base import PlannedSampler


class GridSampler(PlannedSampler):
    """Proposes every allowed combination of a finite space once, the last parameter fastest.

    Raises:
        SpecError: if the space is not finite.
    """

    def __init__(self, space: Space, seed: int = 0) -> None:
        super().__init__(space, seed)
        if space.size() is None:
            raise SpecError(
                f"{space.origin}: search.sampler: grid needs a finite space;"
                " give every range a step, or choose another sampler"
            )
        self._left = space.combinations()

    def plan(self) -> dict[str, Any]:
        """Return the first combination that no trial has had; once all are tried, the first."""
        left = (parameters for parameters in self._left if not self.is_taken(parameters))
        return next(left, None) or next(self.space.combinations())
