"""One file of sound: opened with care, bounded, decoded block by block."""

import math
import os
import re
import stat
from collections.abc import Iterator
from os import PathLike
from typing import NoReturn

import numpy as np

from sweep.errors import DataError

try:
    import soundfile

    from sweep.audio.riff import open_with_help
except (ImportError, OSError):  # Predicting does without, and soundfile may lack libsndfile.
    from sweep.audio import wav as soundfile
    from sweep.audio.wav import open_with_help

RATES_HZ = (1_000, 768_000)
MOST_CHANNELS = 64
LONGEST_IN_S = 3600.0
MOST_SAMPLES = 2**27
"""What is read at most unless asked for more; a header that claims more is refused at once."""

BLOCK = 1 << 14
"""Samples of each channel that are decoded at a time."""

LOUDEST_OVERLOAD = 32.0
"""Above this peak, float samples are taken for integers that were saved as float (30 dB)."""

_INTEGER_SCALES = (2.0**15, 2.0**31)
_FLOATS = ("FLOAT", "DOUBLE")
_UNKNOWN_LENGTH = 2**62
_MALFORMED = 3
_SEEK_FAILED = 39
"""libsndfile's error where soundfile looks for a place behind the end of a length not known."""

_CUT_SHORT = re.compile(
    r"^\s*(?:data|SSND|Data Size|riff|Riff size) *: (\d+) \(should be (\d+)\)", re.MULTILINE
)
"""How libsndfile tells it of WAV, AIFF, AU, W64 and RF64."""
_NO_SIZE = 2**31 - 2**16
"""From here on, a size stands for one that the recorder did not know."""
_HEADER_BYTES = 128
"""Some recorders count the header in, or the file's own eight bytes; that is not cut short."""
_BYTES = {"PCM_S8": 1, "PCM_U8": 1, "PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4, "DOUBLE": 8}


class Recording:
    """A file of sound, decoded block by block when it is iterated over, once.

    It yields float32 [at most ``BLOCK``], channels averaged, integer formats in [-1, 1).

    Attributes:
        path: the file.
        rate: its sampling rate in Hz.
        form: its container, encoding and channels.
        samples: how many samples of each channel have been read.
        peak: the largest magnitude that has been read.

    Raises:
        DataError: if the file cannot be read, ends early, holds no samples, or is beyond what is
            read at most; the message names it.
    """

    def __init__(self, path: str | PathLike[str], longest_in_s: float = LONGEST_IN_S) -> None:
        self.path, self._longest_in_s = path, longest_in_s
        self.samples, self.peak = 0, 0.0
        self._whole = True
        self._file = _open(path)
        self.rate: int = self._file.samplerate
        channels = f", {self._file.channels} channels" if self._file.channels > 1 else ""
        self.form = f"{self._file.format} {self._file.subtype}{channels}"
        self._promised: int | None = self._file.frames + _missing(self._file)
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
    def length_in_s(self) -> float:
        """The seconds that have been read."""
        return self.samples / self.rate

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
            if self._whole and self._file.subtype in _FLOATS:
                self._whole = bool(np.all(frames == np.rint(frames)))
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
        more = self._longest_in_s / LONGEST_IN_S
        if samples * self._file.channels > more * MOST_SAMPLES:
            raise DataError(
                f"{self.path}: more than {more * MOST_SAMPLES:,.0f} samples in all channels; cut it"
                " into parts"
            )
        if samples > self._longest_in_s * self.rate:
            raise DataError(
                f"{self.path}: longer than {self._longest_in_s / 60:g} minutes; cut it into parts"
            )


def _open(path: str | PathLike[str]) -> soundfile.SoundFile:
    try:
        if not stat.S_ISREG(os.stat(path).st_mode) and not os.path.isdir(path):
            # A pipe may never end, or never begin.
            raise DataError(f"{path}: not a regular file")
        # libsndfile has the same words for a file that cannot be opened and one that is no sound.
        open(path, "rb").close()
        try:
            # By its path: reading from a Python file drops an interrupt and calls the clip damaged.
            file = soundfile.SoundFile(os.fsencode(path))
        except soundfile.LibsndfileError:
            file = open_with_help(path)
            if file is None:
                raise
        return file if file.frames else open_with_help(path) or file
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except soundfile.LibsndfileError as error:
        what = "damaged, or cut short" if error.code == _MALFORMED else "not a readable audio file"
        raise DataError(f"{path}: {what}") from error
    except (RuntimeError, ValueError) as error:
        raise DataError(f"{path}: not a readable audio file") from error


def _missing(file: soundfile.SoundFile) -> int:
    """Return how many samples an uncompressed file has lost, by the size in its header.

    libsndfile reads what is left and tells it in its log only.
    """
    found = _CUT_SHORT.search(file.extra_info)
    if not found or not file.frames:
        return 0
    claimed, there = int(found[1]), int(found[2])
    lost = claimed - there
    if lost <= _HEADER_BYTES or claimed >= _NO_SIZE:
        return 0
    width = _BYTES.get(file.subtype, 0) * file.channels or there / file.frames
    return math.ceil(lost / width)


def _told(level: float) -> str:
    return f"{level:,.0f}" if level >= 1000 else f"{level:.3g}"
