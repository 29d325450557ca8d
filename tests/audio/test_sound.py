"""Sound without end: a long recording, a microphone."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import soundfile

from sweep.audio.sound import of_microphone, of_recording
from sweep.errors import SweepError

from ..memory import resident_mb


class PortAudioError(Exception):
    """As sounddevice's."""


class Microphone:
    """As sounddevice's input stream: frames of a ramp, one channel."""

    def __init__(self, rate: int, channels: int, dtype: str) -> None:
        if rate != 16000:
            raise PortAudioError("Invalid sample rate")
        assert (channels, dtype) == (1, "float32")
        self._read = 0

    def __enter__(self) -> "Microphone":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def read(self, frames: int) -> tuple[np.ndarray, bool]:
        """Return the next frames, and whether some were lost."""
        first, self._read = self._read, self._read + frames
        return np.arange(first, self._read, dtype=np.float32)[:, None], False


@pytest.fixture
def sounddevice(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module in place of sounddevice."""
    module: Any = ModuleType("sounddevice")
    module.InputStream, module.PortAudioError = Microphone, PortAudioError
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    return module


def test_a_microphone_is_listened_to_block_by_block(sounddevice: Any) -> None:
    blocks = of_microphone(16000)
    found = np.concatenate([next(blocks) for _ in range(3)])
    np.testing.assert_array_equal(found, np.arange(4800))


def test_without_a_microphone_or_the_library_one_line_is_told(
    sounddevice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SweepError, match="^--microphone: Invalid sample rate$"):
        next(of_microphone(8000))
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(SweepError, match="^--microphone: pip install sounddevice"):
        next(of_microphone(16000))


def test_memory_does_not_grow_with_the_length_of_a_recording(tmp_path: Path) -> None:
    minute = np.random.default_rng(0).integers(-9999, 9999, (60 * 44100, 2), np.int16)
    with soundfile.SoundFile(tmp_path / "long.wav", "w", 44100, 2) as file:
        for _ in range(6):
            file.write(minute)
    del minute

    def grown() -> Iterator[float]:
        for _ in of_recording(tmp_path / "long.wav", 16000):
            yield resident_mb()

    sizes = [*grown()]
    assert sizes[-1] - sizes[len(sizes) // 6] < 5
