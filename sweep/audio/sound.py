"""Sound without end, block by block: a long recording, a pipe, a microphone."""

from collections.abc import Iterator
from os import PathLike
from typing import BinaryIO

import numpy as np

from sweep.arrays import to_float
from sweep.audio.clips import brought_to, examine
from sweep.audio.recording import Recording
from sweep.errors import DataError, SweepError

LONGEST_IN_S = 24 * 3600.0
"""The longest recording that is played."""

_BLOCK_IN_S = 0.1
_HEADERS = (b"RIFF", b"fLaC", b"OggS", b"FORM")


def of_recording(path: str | PathLike[str], rate: int) -> Iterator[np.ndarray]:
    """Yield a recording at ``rate`` Hz, float32 in -1..1, mono, some samples at once.

    It is read twice, so that a damaged one is told before anything is detected in it, and float
    samples have their full scale.

    Raises:
        DataError: if it cannot be read.
    """
    scale = np.float32(examine(path, LONGEST_IN_S).full_scale)
    for block in brought_to(rate, Recording(path, LONGEST_IN_S)):
        yield block / scale


def of_pipe(pipe: BinaryIO, rate: int) -> Iterator[np.ndarray]:
    """Yield what comes down a pipe, samples of 16 bits, little-endian, mono, at ``rate`` Hz.

    Each block, float32 in -1..1, is there as soon as it has come where the pipe is unbuffered.

    Raises:
        DataError: if it begins as a file with a header does, or ends in the middle of a sample.
    """
    rest, begins = b"", True
    while part := pipe.read(2 * round(_BLOCK_IN_S * rate)):
        part, begun, begins = rest + part, begins, False
        if begun and part.startswith(_HEADERS):
            raise DataError(f"-: a file with a header; pipe bare samples: 16 bits, mono, {rate} Hz")
        whole = len(part) // 2 * 2
        rest = part[whole:]
        yield to_float(np.frombuffer(part[:whole], "<i2"))
    if rest:
        raise DataError("-: ended in the middle of a sample of 16 bits")


def of_microphone(rate: int) -> Iterator[np.ndarray]:
    """Yield what the default microphone records at ``rate`` Hz, float32, mono, without end.

    Raises:
        SweepError: if sounddevice is not installed, or there is no such microphone.
    """
    try:
        import sounddevice
    except (ImportError, OSError) as error:  # OSError: without the library PortAudio
        raise SweepError(
            "--microphone: pip install sounddevice (and the PortAudio library)"
        ) from error
    try:
        with sounddevice.InputStream(rate, channels=1, dtype="float32") as stream:
            while True:
                yield stream.read(round(_BLOCK_IN_S * rate))[0][:, 0]
    except sounddevice.PortAudioError as error:
        raise SweepError(f"--microphone: {error}") from error
