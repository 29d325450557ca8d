"""eSpeak NG, spoken to through ctypes in a process of its own.

The library keeps state between utterances and cannot be made to forget it, so the same words
sound the same only when they are the first thing a process says. ``speak`` therefore starts a
fresh process, which runs this very file.
"""

import ctypes
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from subprocess import PIPE, Popen
from tempfile import TemporaryFile

import espeakng_loader
import numpy as np

SAMPLE_RATE = 22050

# Only the accents that this library knows: it answers other names in the voice it spoke last.
ACCENTS = ("en", "en-us", "en-us-nyc", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-029")

_SYNCHRONOUS = 2
_DONT_EXIT = 0x8000
_CHARS_UTF8 = 1
_RATE, _PITCH = 1, 3
_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


@dataclass(frozen=True)
class Utterance:
    """A text and how to say it: ``rate`` in words a minute, ``pitch`` from 0 to 99."""

    text: str
    accent: str
    voice: str
    rate: int
    pitch: int


def voices() -> list[str]:
    """Return the names of the voices, sorted."""
    folder = Path(espeakng_loader.get_data_path()) / "voices" / "!v"
    return sorted(path.name for path in folder.iterdir())


def speak(utterances: Sequence[Utterance]) -> Iterator[np.ndarray]:
    """Yield each utterance as int16 [samples] at 22,050 Hz; the same input gives the same sound.

    Raises:
        RuntimeError: if eSpeak NG cannot be started or ends before it has said everything.
    """
    request = json.dumps([asdict(utterance) for utterance in utterances])
    with TemporaryFile() as errors:
        command = [sys.executable, "-P", __file__]
        with Popen(command, stdin=PIPE, stdout=PIPE, stderr=errors) as child:
            assert child.stdin is not None and child.stdout is not None
            with suppress(BrokenPipeError), child.stdin:
                child.stdin.write(request.encode())
            for _ in utterances:
                size = child.stdout.read(4)
                sound = child.stdout.read(int.from_bytes(size, "little"))
                if len(size) < 4 or len(sound) < int.from_bytes(size, "little"):
                    break
                yield np.frombuffer(sound, "<i2")
        if child.returncode:
            errors.seek(0)
            reason = errors.read().decode(errors="replace").strip().splitlines()
            raise RuntimeError(reason[-1] if reason else f"exit status {child.returncode}")


class _Library:
    """The loaded library; one in a process."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path().encode()
        rate = self._library.espeak_Initialize(_SYNCHRONOUS, 0, data, _DONT_EXIT)
        if rate != SAMPLE_RATE:
            raise RuntimeError(f"eSpeak NG did not start with its data in {data.decode()}")
        # The library would start its random numbers from the clock.
        self._library.espeak_ng_SetRandSeed(ctypes.c_long(1))
        self._heard: list[bytes] = []
        self._callback = _CALLBACK(self._receive)
        self._library.espeak_SetSynthCallback(self._callback)

    def say(self, utterance: Utterance) -> bytes:
        """Return the sound of an utterance as 16-bit samples, empty if nothing is said."""
        self._heard.clear()
        name = f"{utterance.accent}+{utterance.voice}".encode()
        if self._library.espeak_SetVoiceByName(name):
            return b""
        self._library.espeak_SetParameter(_RATE, utterance.rate, 0)
        self._library.espeak_SetParameter(_PITCH, utterance.pitch, 0)
        text = utterance.text.encode()
        self._library.espeak_Synth(text, len(text) + 1, 0, 1, 0, _CHARS_UTF8, None, None)
        return b"".join(self._heard)

    def _receive(self, samples: "ctypes._Pointer[ctypes.c_short]", count: int, _: int) -> int:
        if samples and count > 0:
            self._heard.append(ctypes.string_at(samples, 2 * count))
        return 0


def main() -> None:
    """Read utterances as JSON from standard input, write their sounds to standard output."""
    library = _Library()
    for fields in json.load(sys.stdin.buffer):
        sound = library.say(Utterance(**fields))
        sys.stdout.buffer.write(len(sound).to_bytes(4, "little") + sound)


if __name__ == "__main__":
    main()
