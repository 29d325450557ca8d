"""WAV files by the standard library, for machines without soundfile."""

import os
import wave

import numpy as np

from sweep.errors import DataError

_MOST_BYTES = 4


class LibsndfileError(Exception):
    """Never raised: libsndfile is not there."""

    code = 0


class SoundFile:
    """A WAV file of integers, its samples as ``soundfile.SoundFile`` has them, bit for bit.

    Attributes:
        samplerate: in Hz.
        channels: how many.
        frames: how many samples of each channel the header promises.
        format, subtype: ``WAV``, and ``PCM_16``, for example.
        extra_info: nothing; libsndfile's log.

    Raises:
        DataError: for any other file.
    """

    format, extra_info = "WAV", ""

    def __init__(self, path: bytes) -> None:
        name = os.fsdecode(path)
        try:
            self._file = wave.open(name, "rb")
        except (wave.Error, EOFError) as error:
            raise DataError(
                f"{name}: no WAV file of integers; for any other: pip install soundfile"
            ) from error
        self.samplerate, self.channels = self._file.getframerate(), self._file.getnchannels()
        self.frames, self._bytes = self._file.getnframes(), self._file.getsampwidth()
        if self._bytes > _MOST_BYTES:
            raise DataError(f"{name}: samples of {8 * self._bytes} bits; 8 to 32 can be read")
        self.subtype = f"PCM_{8 * self._bytes}"

    def read(self, out: np.ndarray) -> np.ndarray:
        """Decode the next frames into float32 ``out`` [frames, channels]; return what is filled."""
        content = self._file.readframes(len(out))
        whole = len(content) // (self._bytes * self.channels) * self._bytes * self.channels
        octets = np.frombuffer(content[:whole], np.uint8).reshape(-1, self.channels, self._bytes)
        # Samples go into the upper octets of 32 bits; those of 8 bits have no sign.
        wide = np.zeros((*octets.shape[:2], 4), np.uint8)
        wide[..., 4 - self._bytes :] = octets ^ 0x80 if self._bytes == 1 else octets
        filled = out[: len(octets)]
        filled[:] = wide.view("<i4")[..., 0] / np.float32(2**31)
        return filled

    def __enter__(self) -> "SoundFile":
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()


def open_with_help(path: str | os.PathLike[str]) -> None:
    """Return None: what needs help needs libsndfile, too."""
