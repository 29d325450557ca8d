"""What takes latencies: this machine, or a command that runs a file on a device of the user's."""

import math
import os
import platform
import shlex
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import numpy as np

from sweep import cache
from sweep.errors import SweepError
from sweep.litert import Latency, measure_latency
from sweep.scratch import Scratch

FILE = "{model}"
"""What stands for the path of a ``.tflite`` in a command."""

_ATTEMPTS = 3
_PAUSE_IN_S = 5.0
_CHARS_TOLD = 200


class Clock(Protocol):
    """Something that takes latencies."""

    @property
    def place(self) -> str:
        """Where and with what it does: latencies of one place compare."""

    def measure(self, content: bytes, clips: np.ndarray) -> Latency:
        """Return how long one invocation of a ``.tflite`` takes.

        Args:
            content: the file.
            clips: float32 inputs ``[clips, ...]``, shaped as the file wants them.
        """


@dataclass(frozen=True)
class ThisMachine:
    """LiteRT here."""

    @property
    def place(self) -> str:
        """The machine, and the version of LiteRT."""
        return f"{platform.node()}, LiteRT {version('ai-edge-litert')}"

    def measure(self, content: bytes, clips: np.ndarray) -> Latency:
        """Time the file on the clips in turn, while no other process of this machine measures."""
        return measure_latency(content, clips)


@dataclass(frozen=True)
class LatencyCommand:
    """A command that runs a ``.tflite`` and prints its milliseconds on the last line.

    It is run once for a front end and once for a network, and by one process of this machine at a
    time.  One that fails is tried again twice, as a connection may be lost for a moment.

    Attributes:
        command: the program and its arguments, as in a shell but without one; ``{model}`` is the
            file's path.
        timeout_s: how long it may take.
    """

    command: str
    timeout_s: float

    @property
    def place(self) -> str:
        """The command."""
        return self.command

    def measure(self, content: bytes, clips: np.ndarray) -> Latency:
        """Return the median that the command prints, and the spread if it prints that, too.

        Args:
            content: the ``.tflite``.
            clips: not used: the command runs the file on what it likes.

        Raises:
            SweepError: if it cannot be started, fails, takes too long or prints something else.
        """
        with cache.locked("measurement"), Scratch() as scratch:
            file = scratch.path / "model.tflite"
            file.write_bytes(content)
            for _ in range(_ATTEMPTS - 1):
                try:
                    return self._measured(file)
                except SweepError:
                    time.sleep(_PAUSE_IN_S)
            return self._measured(file)

    def _measured(self, file: Path) -> Latency:
        lines = self._output(file).split("\n")
        last = next((line for line in reversed(lines) if line.strip()), "")
        try:
            median, spread = map(float, [*last.split(), "0"][:2])
        except ValueError:
            median = math.nan
        if not (math.isfinite(median) and median > 0 and math.isfinite(spread) and spread >= 0):
            raise self._error(f"its last line is no milliseconds: {last[:_CHARS_TOLD]!r}")
        return Latency(median, spread)

    def _output(self, file: Path) -> str:
        words = [word.replace(FILE, str(file)) for word in shlex.split(self.command)]
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise self._error(f"cannot be started: {error.strerror}") from error
        with process:
            try:
                output, complaints = process.communicate(timeout=self.timeout_s)
            except subprocess.TimeoutExpired as error:
                raise self._error(f"takes longer than {self.timeout_s:g} s") from error
            finally:
                _end(process)
        if process.returncode != 0:
            said = complaints.decode(errors="replace").strip()[-_CHARS_TOLD:]
            raise self._error(f"ends with {process.returncode}: {said}")
        return output.decode(errors="replace")

    def _error(self, what: str) -> SweepError:
        return SweepError(f"latency.command: {self.command}: {what}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command and what it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
