from itertools import combinations

import numpy as np
import pytest

from sweep.report.figures.hypervolume import history, hypervolume


def by_inclusion_and_exclusion(points, reference):
    """Add the boxes of single points, take off those of pairs, and so on."""
    total = 0.0
    for size in range(1, len(points) + 1):
        for some in combinations(points, size):
            sides = np.clip(reference - np.max(some, axis=0), 0, None)
            total += (-1) ** (size + 1) * sides.prod()
    return total


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(5))
def test_hypervolume_agrees_with_inclusion_and_exclusion(objectives, seed):
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 1.2, (8, objectives)).round(1)
    reference = np.ones(objectives)
    assert hypervolume(points, reference) == pytest.approx(
        by_inclusion_and_exclusion(points, reference)
    )


def test_hypervolume_of_a_front_agrees_with_random_darts():
    rng = np.random.default_rng(1)
    points = rng.uniform(0, 1, (40, 3))
    darts = rng.uniform(0, 1, (40_000, 3))
    hit = (points[None] <= darts[:, None]).all(axis=2).any(axis=1).mean()
    assert hypervolume(points, np.ones(3)) == pytest.approx(hit, abs=0.01)


def test_history_is_the_hypervolume_of_every_beginning():
    rng = np.random.default_rng(2)
    points, reference = rng.uniform(0, 1.3, (60, 3)).round(2), np.ones(3)
    volumes = [hypervolume(points[: i + 1], reference) for i in range(len(points))]
    assert history(points, reference) == pytest.approx(volumes)


def test_nothing_better_than_the_reference_has_no_volume():
    assert hypervolume(np.array([[1.0, 0.0]]), np.ones(2)) == 0.0
    assert hypervolume(np.empty((0, 3)), np.ones(3)) == 0.0
    assert history(np.empty((0, 3)), np.ones(3)) == []
