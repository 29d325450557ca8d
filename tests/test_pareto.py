import numpy as np
import pytest

from sweep.pareto import added_to_front, costs, front


def points(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 6, (40, 3)).astype(float)


def dominates(one: np.ndarray, other: np.ndarray) -> bool:
    return all(one <= other) and any(one < other)


@pytest.mark.parametrize("seed", range(5))
def test_the_front_is_what_no_other_point_dominates(seed):
    every = points(seed)
    expected = [not any(dominates(other, one) for other in every) for one in every]
    assert front(every).tolist() == expected


@pytest.mark.parametrize("seed", range(5))
def test_a_front_that_grows_point_by_point_is_the_front_of_all(seed):
    growing = np.empty((0, 3))
    for one in points(seed):
        staying = added_to_front(growing, one)
        if staying is not None:
            growing = np.vstack([growing[staying], one])
    every = points(seed)
    assert {tuple(p) for p in growing} == {tuple(p) for p in every[front(every)]}
    assert len(growing) == len({tuple(p) for p in growing})


def test_what_is_to_be_maximized_costs_its_negative_and_the_unknown_costs_infinitely_much():
    rows = [{"accuracy": 0.9, "size_kb": 3.0}, {"accuracy": None, "size_kb": 2.0}]
    found = costs(rows, {"accuracy": "maximize", "size_kb": "minimize"})
    assert found.tolist() == [[-0.9, 3.0], [np.inf, 2.0]]
