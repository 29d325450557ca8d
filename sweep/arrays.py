"""Large arrays: read and written in blocks, so that memory does not grow with their length."""

import math
import mmap
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

FULL_SCALE = 32768
"""The magnitude of 16-bit samples that is 1 as a float."""


def save(
    path: Path, shape: tuple[int, ...], kind: type[np.generic], parts: Iterable[np.ndarray]
) -> None:
    """Write a ``.npy`` file of which only one part at a time is in memory.

    Args:
        path: the file.
        shape: of the whole array.
        kind: type of its values, to which those of the parts are converted.
        parts: its values from first to last.

    Raises:
        ValueError: if there are more or fewer values than the shape has room for.
        OSError: if the disk is full.
    """
    header = {"descr": np.dtype(kind).str, "fortran_order": False, "shape": shape}
    written = 0
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for part in parts:
            file.write(np.ascontiguousarray(part, kind).data)
            written += part.size
    if written != math.prod(shape):
        raise ValueError(f"{path}: {written} values for an array of {shape}")


def load(path: Path) -> np.ndarray:
    """Return a read-only memory map of what ``save`` wrote."""
    return np.load(path, mmap_mode="r")


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


def to_float(samples: np.ndarray) -> np.ndarray:
    """Return 16-bit samples as float32, in [-1, 1)."""
    return samples.astype(np.float32) / np.float32(FULL_SCALE)
