"""Workers and schedulers as the tests of this folder start them, and what they wait for."""

import contextlib
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from distributed import LocalCluster

from sweep.candidate import Candidate, TrainingParams
from sweep.study.workers import DaskWorkers, Result

from ..signals import heed_ctrl_c
from .fake_work import work

ROOT = Path(__file__).parents[2]
PATIENCE_IN_S = 60
PAGES = 100 * 2**20 / resource.getpagesize()
"""How many pages are found anew if none is used again."""


def candidate(behaviour: int, epochs: int = 1) -> Candidate:
    return Candidate(training=TrainingParams(epochs=epochs), seed=behaviour)


def started(folder: Path, count: int = 1, address: str | None = None, **how: Any) -> DaskWorkers:
    """Return workers whose trials are the fake work, noted in a folder."""
    return DaskWorkers(
        None, [], count, address, folder / "log", partial(work, folder=folder), **how
    )


def scheduler(workers: int, threads: int = 1) -> LocalCluster:
    """Return a scheduler of somebody else's, with workers of so many threads."""
    return LocalCluster(
        n_workers=workers,
        threads_per_worker=threads,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
    )


def result(workers: DaskWorkers) -> Result:
    """Return the next result."""
    end = time.monotonic() + PATIENCE_IN_S
    while time.monotonic() < end:
        found = workers.wait(0.5)
        if found is not None:
            return found
    raise AssertionError("no result came")


def wait_until(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE_IN_S
    while not holds() and time.monotonic() < end:
        time.sleep(0.05)
    return holds()


def gone(folder: Path, behaviour: int) -> bool:
    """Wait until the process that was noted first for a behaviour is gone."""
    pid = int((folder / f"{behaviour}-1").read_text().split()[0])
    return wait_until(lambda: not psutil.pid_exists(pid))


def begin(script, folder, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", script, str(folder), *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heed_ctrl_c,
    )


JOIN = """
import sys
from sweep.errors import SweepError
from sweep.study import cluster
cluster._GREETING_IN_S = 5
try:
    cluster.serve_worker(sys.argv[1], 1, say=lambda text: print(text, flush=True))
except SweepError as error:
    sys.exit(f"sweep: {error}")
"""


@contextlib.contextmanager
def joining(address: str, **how: object) -> Iterator[subprocess.Popen]:
    """Run ``sweep worker`` with one process."""
    command = [sys.executable, "-c", JOIN, address]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


class OnlyHere:
    """What no other process than the one that made it can unpickle."""

    def __reduce__(self) -> tuple[Callable[[int], object], tuple[int]]:
        return unpickled, (os.getpid(),)


def unpickled(pid: int) -> OnlyHere:
    if pid != os.getpid():
        raise ModuleNotFoundError("No module named 'only_here'")
    return OnlyHere()


def listening(process: psutil.Process) -> set[tuple[str, int]]:
    """Return the addresses on which a process and those below it listen."""
    found = set()
    for one in (process, *process.children(recursive=True)):
        found |= {tuple(c.laddr) for c in one.net_connections("tcp") if c.status == "LISTEN"}
    return found
