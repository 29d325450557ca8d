import pytest

from sweep.metrics import METRICS
from sweep.report.figures.axes import decades, log_scaled, round_numbers


@pytest.mark.parametrize(
    ("low", "high", "first", "count"),
    [(0.82, 0.9951, 0.82, 9), (0, 1, 0, 6), (0.1475, 0.9685, 0.2, 4), (-3, 7, -2, 5)],
)
def test_round_numbers_lie_inside_and_are_few(low, high, first, count):
    numbers = round_numbers(low, high)
    assert numbers[0] == first
    assert len(numbers) == count
    assert low <= numbers[0] and numbers[-1] <= high


def test_decades_count_one_two_five():
    assert decades(0.08, 3) == pytest.approx([0.1, 0.2, 0.5, 1, 2])


def test_sizes_are_on_log_axes_and_others_when_spread_wide():
    assert log_scaled(METRICS["size_kb"], [3.0, 4.0])
    assert not log_scaled(METRICS["latency_ms"], [0.1, 0.5])
    assert log_scaled(METRICS["latency_ms"], [0.1, 5.0])
    assert not log_scaled(METRICS["size_kb"], [0.0, 4.0])
    assert not log_scaled(METRICS["size_kb"], [])
