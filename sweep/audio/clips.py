"""One clip: the one way in which training, cache, check and prediction read a recording."""

from collections.abc import Iterable, Iterator
from os import PathLike

import numpy as np

from sweep.arrays import FULL_SCALE
from sweep.audio.recording import LONGEST_IN_S, Recording
from sweep.errors import DataError

try:
    import soxr
except ImportError:  # Predicting does without, for clips of the model's rate.
    soxr = None

VERSION = 1
"""Counts up when a file is read differently, so that old cache entries lapse."""


def read_clip(path: str | PathLike[str], rate: int, length: int) -> np.ndarray:
    """Return ``length`` samples of a recording at ``rate`` Hz: int16 [length].

    Shorter recordings are padded with zeros at their end, of longer ones the loudest part is kept;
    they are read block by block.  This is what a network is trained on and what it predicts from.

    Raises:
        DataError: if the file cannot be read or holds no samples; the message names it.
    """
    recording = Recording(path)
    clip = loudest_part(brought_to(rate, recording), length)
    return to_int16(clip / np.float32(recording.full_scale))


def read_whole(path: str | PathLike[str], rate: int) -> np.ndarray:
    """Return all of a recording at ``rate`` Hz: float32 [samples], in [-1, 1].

    Raises:
        DataError: as for ``read_clip``.
    """
    recording = Recording(path)
    samples = np.concatenate([*brought_to(rate, recording)])
    return samples / np.float32(recording.full_scale)


def examine(path: str | PathLike[str], longest_in_s: float = LONGEST_IN_S) -> Recording:
    """Return a recording of which all has been read, so that its length and note are known.

    Raises:
        DataError: as for ``read_clip``, or if it is longer.
    """
    recording = Recording(path, longest_in_s)
    for _ in recording:
        pass
    return recording


def brought_to(rate: int, recording: Recording) -> Iterator[np.ndarray]:
    """Yield a recording at another rate, float32, block by block; its full scale is its own.

    Raises:
        DataError: if it cannot be read, or resampling is not installed.
    """
    if soxr is None and recording.rate != rate:
        raise DataError(
            f"{recording.path}: has {recording.rate} Hz and {rate} Hz are needed; pip install soxr"
        )
    return resample(recording, recording.rate, rate)


def resample(blocks: Iterable[np.ndarray], original_rate: int, rate: int) -> Iterator[np.ndarray]:
    """Yield float32 blocks brought from one rate in Hz to another, as if they were one array."""
    if original_rate == rate:
        yield from blocks
        return
    stream = soxr.ResampleStream(original_rate, rate, 1, dtype="float32")
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros(0, np.float32), last=True)


def loudest_part(blocks: Iterable[np.ndarray], length: int) -> np.ndarray:
    """Return the ``length`` samples in a row of most energy; zeros are added where there are fewer.

    Of blocks, no more than ``length`` samples and a block are held.
    """
    best, part, recent = -1.0, None, np.zeros(0, np.float32)
    for block in blocks:
        recent = np.concatenate((recent, block))
        if len(recent) < length:
            continue
        energy = np.concatenate(([0.0], np.cumsum(np.square(recent, dtype=np.float64))))
        energies = energy[length:] - energy[:-length]
        start = int(np.argmax(energies))
        if energies[start] > best:
            best, part = energies[start], recent[start : start + length].copy()
        recent = recent[len(recent) - length + 1 :]
    return np.pad(recent, (0, length - len(recent))) if part is None else part


def to_int16(samples: np.ndarray) -> np.ndarray:
    """Return float samples as 16-bit integers, rounded and clipped."""
    whole = np.clip(np.rint(samples * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1)
    return np.asarray(whole, dtype="<i2")
