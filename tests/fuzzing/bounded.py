"""Readers at work on many inputs, each in a process that is watched."""

import multiprocessing
import os
import random
import resource
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sweep.errors import SweepError, visible

from .readers import READERS

MOST_SECONDS = 10
MOST_BYTES = 2**30
_MOST_LINES = 5
_SILENCE_IN_S = 60
"""Wall time; the limit itself is on processor time, which a busy machine does not stretch."""


class Escape(BaseException):
    """Something outside the room of an input was written, or a program started."""


@dataclass
class Findings:
    """What became of the inputs of a reader.

    Attributes:
        counts: how many were read, refused in a line, or crashed where that is foreseen.
        wrong: what should not have been, by number of the input.
        slowest_s: the processor time of the slowest input.
    """

    counts: Counter[str] = field(default_factory=Counter)
    wrong: dict[int, str] = field(default_factory=dict)
    slowest_s: float = 0.0


def examine(name: str, seeds: Path, room: Path, numbers: range) -> Findings:
    """Let a reader read inputs, by number, in processes that are started anew as they die."""
    found, left = Findings(), list(numbers)
    context = multiprocessing.get_context("spawn")
    while left:
        connection, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_read_all, args=(theirs, name, seeds, room, left))
        process.start()
        theirs.close()
        for number, outcome, seconds in _answers(connection, process):
            left.remove(number)
            found.slowest_s = max(found.slowest_s, seconds)
            if outcome in ("read", "refused"):
                found.counts[outcome] += 1
            else:
                found.wrong[number] = outcome
        process.kill()
        process.join()
        if left:
            number, code = left.pop(0), process.exitcode
            if READERS[name].may_crash and code not in (-9, 0, 1):
                found.counts["crashed"] += 1
            else:
                found.wrong[number] = f"ended its process ({code}), or took {_SILENCE_IN_S} s"
    return found


def _answers(connection: Connection, process: Any) -> Iterator[tuple[int, str, float]]:
    with suppress(EOFError):
        while connection.poll(_SILENCE_IN_S):
            yield connection.recv()


def _read_all(
    connection: Connection, name: str, seeds: Path, room: Path, numbers: list[int]
) -> None:
    """Read the inputs of these numbers; send what became of each."""
    reader = READERS[name]
    inside = room / name
    os.environ |= {"SWEEP_CACHE": str(inside / "cache"), "HOME": str(inside)}
    tempfile.tempdir, sys.dont_write_bytecode = str(room), True
    reader.prepare()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    watch = _Watch(room)
    sys.addaudithook(watch)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (used + MOST_BYTES, resource.RLIM_INFINITY))
    for number in numbers:
        shutil.rmtree(inside, ignore_errors=True)
        inside.mkdir()
        os.chdir(inside)
        rng = random.Random(f"{name} {number}")
        reader.write(rng, seeds / name, inside)
        begin = time.process_time()
        watch.on = True
        try:
            reader.read(inside, rng)
            outcome = "read"
        except SweepError as error:
            outcome = _judged(str(error))
        except BaseException:
            outcome = traceback.format_exc()
        watch.on = False
        seconds = time.process_time() - begin
        if seconds > MOST_SECONDS:
            outcome = f"took {seconds:.0f} s"
        connection.send((number, outcome, seconds))
    os._exit(0)


def _judged(message: str) -> str:
    if len(message.splitlines()) > _MOST_LINES or visible(message) != message or not message:
        return f"a message of many lines, or with escapes: {message[:1000]!r}"
    return "refused"


class _Watch:
    """An audit hook that raises where something outside a folder would be changed."""

    _PATHS = {"os.mkdir": 1, "os.remove": 1, "os.rmdir": 1, "os.rename": 2, "os.truncate": 1}
    _LINKS = ("os.symlink", "os.link")
    _PROGRAMS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.startfile")

    def __init__(self, room: Path) -> None:
        self.on, self._room = False, f"{room.resolve()}{os.sep}"

    def __call__(self, event: str, given: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event in self._PROGRAMS:
            raise Escape(f"{event} {given[:2]}")
        paths = list(given[: self._PATHS.get(event, 0)])
        if event == "open" and isinstance(given[0], str | bytes):
            if (given[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                paths = [given[0]]
        elif event in self._LINKS:
            paths = [given[1]]
        for path in map(os.fsdecode, paths):
            if not f"{os.path.realpath(path)}{os.sep}".startswith(self._room) and (
                path != os.devnull
            ):
                raise Escape(f"{event} {path}")
