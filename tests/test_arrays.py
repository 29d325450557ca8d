import numpy as np
import pytest

from sweep.arrays import blocks, release

from .memory import resident_mb

ROW = 2**18


@pytest.fixture
def mapped(tmp_path):
    """An array of 64 MB on disk."""
    path = tmp_path / "array.npy"
    np.save(path, np.arange(64 * ROW, dtype=np.float32).reshape(64, ROW))
    return np.load(path, mmap_mode="r")


@pytest.mark.parametrize("rows", [1, 10, 64, 100])
def test_blocks_are_the_rows_in_order(rows):
    array = np.arange(128).reshape(64, 2)
    parts = list(blocks(array, rows))
    assert all(len(part) == rows for part in parts[:-1]) and len(parts[-1]) <= rows
    np.testing.assert_array_equal(np.concatenate(parts), array)


def test_nothing_has_no_blocks():
    assert not list(blocks(np.zeros((0, 3)), 10))


def test_a_memory_map_read_in_blocks_does_not_stay_in_memory(mapped):
    before = resident_mb()
    sums = [float(part.sum(dtype=np.float64)) for part in blocks(mapped, 8)]
    assert resident_mb() - before < 16
    assert sum(sums) == float(mapped.sum(dtype=np.float64))
    assert resident_mb() - before > 48  # what was read without blocks stays


def test_pages_given_back_are_read_again_from_the_disk(mapped):
    view = np.lib.stride_tricks.sliding_window_view(mapped[3:5], 7, axis=1)[:, ::2]
    copied = view.copy()
    release(view)
    np.testing.assert_array_equal(view, copied)


def test_an_array_in_memory_keeps_its_values():
    array = np.arange(10)
    release(array[2:])
    assert array.sum() == 45
