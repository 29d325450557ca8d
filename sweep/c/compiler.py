"""Compiling the C files with the machine's compiler, and running them on clips."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from sweep.c.frontend import template
from sweep.frontends.base import Frontend

FLAGS = ("-std=c99", "-O2", "-ffp-contract=off")
_SECONDS = 60


def compiler() -> str | None:
    """Return the path of this machine's C compiler, if it has one."""
    return shutil.which("cc")


class CompiledFrontend:
    """A front end in C as a program.

    Args:
        program: the file.
        frontend: the front end it computes.
    """

    def __init__(self, program: Path, frontend: Frontend) -> None:
        self._program, self._shape = program, frontend.shape

    def run(self, clips: np.ndarray) -> np.ndarray:
        """Return float32 ``[clips, frames, coefficients]`` for int16 ``[clips, samples]``.

        Raises:
            OSError: if it does not run.
            subprocess.SubprocessError: if it fails or does not end.
        """
        done = subprocess.run(
            [self._program],
            input=np.ascontiguousarray(clips).tobytes(),
            capture_output=True,
            check=True,
            timeout=_SECONDS,
        )
        return np.frombuffer(done.stdout, np.float32).reshape(len(clips), *self._shape)


@contextmanager
def compiled(
    files: Mapping[str, str], frontend: Frontend, flags: Sequence[str] = FLAGS
) -> Iterator[CompiledFrontend]:
    """Compile C files into a program that is removed in the end.

    Args:
        files: ``frontend.h`` and ``frontend.c``, by name; others are passed over.
        frontend: the front end they compute.
        flags: of the compiler.

    Raises:
        OSError: if there is no compiler.
        subprocess.SubprocessError: if it refuses the files or does not end.
    """
    with tempfile.TemporaryDirectory(prefix="sweep-c-") as scratch:
        folder = Path(scratch)
        sources = {"run.c": template("run.c")} | {
            name: files[name] for name in ("frontend.h", "frontend.c")
        }
        for name, content in sources.items():
            (folder / name).write_text(content, encoding="utf-8")
        command = [compiler() or "cc", *flags, "-o", "run", "run.c", "frontend.c", "-lm"]
        subprocess.run(command, cwd=folder, capture_output=True, check=True, timeout=_SECONDS)
        yield CompiledFrontend(folder / "run", frontend)
