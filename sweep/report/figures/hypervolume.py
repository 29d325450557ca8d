"""The volume a set of trials dominates, exactly, in any number of objectives."""

import numpy as np
from numpy.typing import NDArray

from sweep.pareto import added_to_front

Costs = NDArray[np.float64]


def hypervolume(points: Costs, reference: Costs) -> float:
    """Return the volume dominated by ``points`` and bounded by ``reference``.

    All objectives are costs: lower is better.  Points that do not beat the reference in every
    objective add nothing.  The volume is cut into slices along the last objective, each one the
    volume of one objective less (While et al., "A faster algorithm for calculating hypervolume",
    IEEE TEVC 2006, call this HSO).

    Args:
        points: one row a point, one column an objective.
        reference: the corner that bounds the volume.
    """
    points = points[(points < reference).all(axis=1)]
    if len(points) == 0:
        return 0.0
    if points.shape[1] == 1:
        return float(reference[0] - points.min())
    points = points[np.argsort(points[:, -1], kind="stable")]
    if points.shape[1] == 2:
        reached = np.minimum.accumulate(points[:, 0])
        heights = np.diff(np.append(points[:, 1], reference[1]))
        return float(((reference[0] - reached) * heights).sum())
    ends = np.append(points[1:, -1], reference[-1])
    return sum(
        (end - points[i, -1]) * hypervolume(points[: i + 1, :-1], reference[:-1])
        for i, end in enumerate(ends)
        if end > points[i, -1]
    )


def history(points: Costs, reference: Costs) -> list[float]:
    """Return the hypervolume after each point, in the order given.

    Only what a point adds is computed: its own box, less the part of it already dominated.
    """
    volume, volumes = 0.0, []
    front = np.empty((0, points.shape[1]))
    for point in points:
        staying = added_to_front(front, point)
        if (point < reference).all() and staying is not None:
            clipped = np.maximum(front, point)
            volume += float(np.prod(reference - point)) - hypervolume(clipped, reference)
            front = np.vstack([front[staying], point])
        volumes.append(volume)
    return volumes
