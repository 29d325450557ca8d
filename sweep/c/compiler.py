"""Compiling C files with the machine's compiler, and running the program."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from sweep.scratch import Scratch

FLAGS = ("-std=c99", "-O2", "-ffp-contract=off")
_SECONDS = 300


def compiler() -> str | None:
    """Return the path of this machine's C compiler, if it has one."""
    return shutil.which("cc")


class Program:
    """A program that reads values from standard input and writes others to standard output.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def run(self, values: np.ndarray, kind: np.dtype) -> np.ndarray:
        """Return what it writes, as values of that type, in one dimension.

        Raises:
            OSError: if it does not run.
            subprocess.SubprocessError: if it fails or does not end.
        """
        done = subprocess.run(
            [self._path],
            input=np.ascontiguousarray(values).tobytes(),
            capture_output=True,
            check=True,
            timeout=_SECONDS,
        )
        return np.frombuffer(done.stdout, kind)


@contextmanager
def compiled(files: Mapping[str, str], flags: Sequence[str] = FLAGS) -> Iterator[Program]:
    """Compile C files into a program that is removed in the end.

    Args:
        files: sources and headers by name; one source has a ``main``.
        flags: of the compiler.

    Raises:
        OSError: if there is no compiler.
        subprocess.SubprocessError: if it refuses the files or does not end.
    """
    with Scratch() as scratch:
        folder = scratch.path
        for name, content in files.items():
            (folder / name).write_text(content, encoding="utf-8")
        sources = [name for name in files if name.endswith(".c")]
        command = [compiler() or "cc", *flags, "-o", "program", *sources, "-lm"]
        subprocess.run(command, cwd=folder, capture_output=True, check=True, timeout=_SECONDS)
        yield Program(folder / "program")
