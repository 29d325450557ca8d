"""Arrays on disk, read and written in blocks, so that memory does not grow with their length."""

import mmap
from collections.abc import Iterator

import numpy as np


def blocks(array: np.ndarray, rows: int) -> Iterator[np.ndarray]:
    """Yield an array in parts of at most ``rows`` rows; each is valid until the next is asked for.

    Of a memory map, only the part at hand takes up memory.
    """
    for start in range(0, len(array), rows):
        yield array[start : start + rows]
        release(array)


def release(array: np.ndarray) -> None:
    """Give back the memory that the pages of a memory map take up; they stay on disk.

    Other arrays are left as they are.
    """
    base: object = array
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap):
        base.madvise(mmap.MADV_DONTNEED)
