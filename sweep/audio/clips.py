"""One recording: the one way in which training, cache, check and prediction read a file."""

import os
from collections.abc import Iterable, Iterator
from os import PathLike
from typing import NoReturn

import numpy as np
import soundfile
import soxr

from sweep.errors import DataError

VERSION = 1
"""Counts up when a file is read differently, so that old cache entries lapse."""

FULL_SCALE = 32768

RATES_HZ = (1_000, 768_000)
MOST_CHANNELS = 64
LONGEST_IN_S = 3600.0
"""What is read at most; a header that claims more is refused before any sample is decoded."""

BLOCK = 1 << 14
"""Samples of each channel that are decoded at a time."""

LOUDEST_OVERLOAD = 32.0
"""Above this peak, float samples are taken for integers that were saved as float (30 dB)."""

_INTEGER_SCALES = (2.0**15, 2.0**31)
_FLOATS = ("FLOAT", "DOUBLE")
_UNKNOWN_LENGTH = 2**62
_SEEK_FAILED = 39
"""libsndfile's error where soundfile looks for a place behind the end of a length not known."""


class Recording:
    """A file of sound, decoded block by block when it is iterated over, once.

    It yields float32 [at most ``BLOCK``], channels averaged, integer formats in [-1, 1).

    Attributes:
        path: the file.
        rate: its sampling rate in Hz.
        samples: how many samples of each channel have been read.
        peak: the largest magnitude that has been read.

    Raises:
        DataError: if the file cannot be read, ends early, holds no samples, or is beyond what is
            read at most; the message names it.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = path
        self.samples, self.peak = 0, 0.0
        self._whole = True
        try:
            # libsndfile tells a file that cannot be opened and one that is no sound in the same
            # words.
            open(path, "rb").close()
            # By its path: reading from a Python file drops an interrupt, and calls the clip
            # damaged.
            self._file = soundfile.SoundFile(os.fsencode(path))
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror})") from error
        except (soundfile.SoundFileError, RuntimeError, ValueError) as error:
            raise DataError(f"{path}: not a readable audio file") from error
        self.rate: int = self._file.samplerate
        self._promised: int | None = self._file.frames
        if self._file.frames > _UNKNOWN_LENGTH:
            self._promised = None
        self._check_bounds()

    @property
    def full_scale(self) -> float:
        """The magnitude that is full scale, told by what has been read: 1 for integer formats.

        Float samples have no full scale of their own.  Where all are whole numbers, or their peak
        is above ``LOUDEST_OVERLOAD``, they are integers of 16 or 32 bits that were saved as float,
        as ``scipy.io.wavfile.write`` does with a float array; else up to 1 they are as they should
        be, and above it a mix that is too loud, which fits once it is divided by its peak.
        """
        if self._file.subtype not in _FLOATS or self.peak == 0:
            return 1.0
        if self._whole or self.peak > LOUDEST_OVERLOAD:
            return next(scale for scale in _INTEGER_SCALES if self.peak <= scale)
        return max(1.0, self.peak)

    @property
    def note(self) -> str | None:
        """What is to be told of a recording that was read; None where it is as it should be."""
        if self.full_scale == 1:
            return None
        return f"float samples up to {_told(self.peak)}, divided by {_told(self.full_scale)}"

    def __iter__(self) -> Iterator[np.ndarray]:
        with self._file:
            while len(block := self._next_block()):
                self.samples += len(block)
                peak = float(np.abs(block).max())
                if not peak <= _INTEGER_SCALES[-1]:
                    raise DataError(f"{self.path}: holds samples that are no finite numbers")
                self.peak = max(self.peak, peak)
                self._check_length(self.samples)
                yield block
        if self._promised is not None and self.samples < self._promised:
            self._fail_early(self.samples)
        if not self.samples:
            raise DataError(f"{self.path}: holds no samples")

    def _next_block(self) -> np.ndarray:
        # What an error leaves undecoded stays not a number.
        frames = np.full((BLOCK, self._file.channels), np.nan, np.float32)
        try:
            frames = self._file.read(out=frames)
            self._whole = self._whole and bool(np.all(frames == np.rint(frames)))
        except soundfile.LibsndfileError as error:
            frames = frames[: int(np.isfinite(frames).all(axis=1).sum())]
            if self._promised is not None or error.code != _SEEK_FAILED:
                self._fail_early(self.samples + len(frames))
        mono = frames[:, 0] if frames.shape[1] == 1 else frames.mean(axis=1, dtype=np.float32)
        return np.ascontiguousarray(mono)

    def _fail_early(self, samples: int) -> NoReturn:
        promised = "" if self._promised is None else f" of its {self._promised}"
        raise DataError(f"{self.path}: ends after {samples}{promised} samples")

    def _check_bounds(self) -> None:
        low, high = RATES_HZ
        if not low <= self.rate <= high:
            raise DataError(
                f"{self.path}: a sampling rate of {self.rate} Hz; {low} to {high} can be read"
            )
        if self._file.channels > MOST_CHANNELS:
            raise DataError(
                f"{self.path}: {self._file.channels} channels; at most {MOST_CHANNELS} can be read"
            )
        self._check_length(self._promised or 0)

    def _check_length(self, samples: int) -> None:
        if samples > LONGEST_IN_S * self.rate:
            raise DataError(
                f"{self.path}: longer than {LONGEST_IN_S / 60:g} minutes; cut it into parts"
            )


def _told(level: float) -> str:
    return f"{level:,.0f}" if level >= 1000 else f"{level:.3g}"


def read_clip(path: str | PathLike[str], rate: int, length: int) -> np.ndarray:
    """Return ``length`` samples of a recording at ``rate`` Hz: int16 [length].

    Shorter recordings are padded with zeros at their end, of longer ones the loudest part is kept;
    they are read block by block.  This is what a network is trained on and what it predicts from.

    Raises:
        DataError: if the file cannot be read or holds no samples; the message names it.
    """
    recording = Recording(path)
    clip = loudest_part(resample(recording, recording.rate, rate), length)
    return to_int16(clip / np.float32(recording.full_scale))


def read_whole(path: str | PathLike[str], rate: int) -> np.ndarray:
    """Return all of a recording at ``rate`` Hz: float32 [samples], in [-1, 1].

    Raises:
        DataError: as for ``read_clip``.
    """
    recording = Recording(path)
    samples = np.concatenate([*resample(recording, recording.rate, rate)])
    return samples / np.float32(recording.full_scale)


def examine(path: str | PathLike[str]) -> str | None:
    """Read all of a recording, and return what is to be told of it: its ``note``.

    Raises:
        DataError: as for ``read_clip``.
    """
    recording = Recording(path)
    for _ in recording:
        pass
    return recording.note


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


def to_float(samples: np.ndarray) -> np.ndarray:
    """Return 16-bit samples as float32, in [-1, 1)."""
    return samples.astype(np.float32) / np.float32(FULL_SCALE)
