"""How long instructions take on a core."""

import pytest

from sweep.c.cores import CORES


@pytest.mark.parametrize(
    ("core", "low", "high"),
    [("cortex-m4", 10, 20), ("cortex-m0plus", 10, 20), ("cortex-m7", 5, 20)],
)
def test_an_instruction_takes_up_to_two_cycles_and_half_a_one_where_two_are_issued(core, low, high):
    assert CORES[core].milliseconds(640_000, clock_mhz=64) == (low, high)
