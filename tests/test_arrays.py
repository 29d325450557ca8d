import numpy as np
import pytest

from sweep.arrays import blocks, load, release, save

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


def test_an_array_written_in_parts_is_read_as_one(tmp_path):
    whole = np.arange(120, dtype=np.int16).reshape(2, 10, 6)
    parts = (rendering[first : first + 3] for rendering in whole for first in range(0, 10, 3))
    save(tmp_path / "array.npy", whole.shape, np.float32, parts)
    read = load(tmp_path / "array.npy")
    assert read.dtype == np.float32 and isinstance(read, np.memmap) and not read.flags.writeable
    np.testing.assert_array_equal(read, whole)


@pytest.mark.parametrize("rows", [1, 3])
def test_an_array_of_another_length_than_promised_is_refused(tmp_path, rows):
    with pytest.raises(
        ValueError, match=rf"array\.npy: {4 * rows} values for an array of \(2, 4\)"
    ):
        save(tmp_path / "array.npy", (2, 4), np.float32, [np.zeros((rows, 4))])
