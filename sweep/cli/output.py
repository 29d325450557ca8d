"""Standard output and error that never make a command fail while it runs."""

import io
import os
import sys
from typing import Any, TextIO

from sweep.errors import SweepError


class _Sink(io.FileIO):
    """A standard stream; after an error it drops all output and keeps the error in ``lost``."""

    lost: OSError | None = None

    def write(self, data: Any, /) -> int:
        """Write data; drop it if the stream has failed."""
        try:
            return super().write(data)
        except OSError as error:
            self.lost = error
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return len(data)


def shield() -> None:
    """Replace ``sys.stdout`` and ``sys.stderr`` by streams on which ``print`` never fails.

    A character outside the encoding is printed as ``?``.
    """
    sys.stdout, sys.stderr = _shielded(sys.stdout), _shielded(sys.stderr)


def check() -> None:
    """Raise if standard output failed, except when its reader closed the pipe.

    Raises:
        SweepError: for a full disk, for example.
    """
    if not isinstance(sys.stdout, io.TextIOWrapper):
        return
    sys.stdout.flush()
    sink = sys.stdout.buffer.raw
    if isinstance(sink, _Sink) and not isinstance(sink.lost, (BrokenPipeError, type(None))):
        raise SweepError(f"standard output cannot be written: {sink.lost.strerror}")


def _shielded(stream: TextIO) -> TextIO:
    if stream is None:  # the parent process closed it
        return stream
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Sink(stream.fileno(), "w", closefd=False)),
        encoding=stream.encoding,
        errors="replace",
        line_buffering=stream is sys.stderr or stream.isatty(),
    )
