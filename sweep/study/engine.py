"""Where candidates are evaluated: Dask workers, each a process with one thread."""

import asyncio
import io
import logging
import os
import queue
import resource
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import uuid4

import dask
from distributed import Client, Future, KilledWorker, LocalCluster, Nanny, WorkerPlugin, rpc

from sweep.audio.dataset import Dataset
from sweep.candidate import Candidate
from sweep.errors import SweepError
from sweep.evaluation import Evaluation
from sweep.metrics import Limit
from sweep.stopping import StopRule

Rules = tuple[StopRule, ...]
Work = Callable[[Candidate, Dataset, list[Limit], Rules], tuple[Evaluation, dict[str, bytes]]]

_DEATHS_FORGIVEN = 1
ALLOCATION = {"MALLOC_MMAP_THRESHOLD_": 2**25, "MALLOC_TRIM_THRESHOLD_": 2**28}
"""From how many bytes on freed memory goes back to the system: one piece, and all together."""

_ONE_AT_A_TIME = threading.Lock()
"""Held by a worker at work: one that was started with several threads shares its graphs."""

_HANDLES, _HANDLES_A_WORKER = 64, 12
"""How many files a coordinator opens; 33 and 106 were measured with one worker and eight."""

_GREETING_IN_S = 15
_PATIENCE_IN_S = 30
_FAREWELL_IN_S = 3
_GRACE_IN_S = 1


def evaluate_candidate(
    candidate: Candidate, dataset: Dataset, limits: list[Limit], rules: Rules
) -> tuple[Evaluation, dict[str, bytes]]:
    """Evaluate a candidate, on a worker."""
    # Imported here: the coordinator has no use for TensorFlow.
    from sweep.stages.evaluate import evaluate

    return evaluate(candidate, dataset, limits, rules)


@dataclass(frozen=True)
class Answer:
    """What a worker sent back; ``files`` are those of a feasible result, by name."""

    number: int
    evaluation: Evaluation
    files: dict[str, bytes]


class Engine:
    """Workers that evaluate candidates.

    Args:
        dataset: the clips, known to every worker.
        limits: the limits a candidate is held to.
        workers: how many processes to start on this machine.
        scheduler: address of a Dask scheduler to use instead of starting any.
        log: file that takes what the libraries of the workers print.
        work: what a worker does with a candidate.

    Raises:
        SweepError: if the scheduler cannot be reached, or no worker joins it.
    """

    def __init__(
        self,
        dataset: Dataset,
        limits: list[Limit],
        workers: int,
        scheduler: str | None,
        log: Path,
        work: Work = evaluate_candidate,
    ) -> None:
        self._dataset, self._limits, self._work = dataset, limits, work
        self._done: queue.Queue[tuple[int, Future]] = queue.Queue()
        # Dask takes equal keys for equal work, whoever sends it.
        self._token = uuid4().hex
        self._futures: dict[int, Future] = {}
        self._cluster: LocalCluster | None = None
        # A trial that kills its worker is run again once, then given up.
        dask.config.set({"distributed.scheduler.allowed-failures": _DEATHS_FORGIVEN})
        _keep_freed_memory()
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        try:
            if scheduler is None:
                _check_file_handles(workers)
                with _ctrl_c_later():
                    self._cluster = _local_cluster(workers)
            else:
                asyncio.run(_greet(scheduler))
            self._client = Client(self._cluster or scheduler, timeout=_PATIENCE_IN_S)
        except (OSError, ValueError, RuntimeError) as error:
            raise SweepError(f"worker processes cannot be started: {_cause(error)}") from error
        if scheduler is not None:
            self._await_worker(scheduler)
        if self._cluster is not None:
            self._client.register_plugin(_QuietWorker(str(log.absolute())))

    def _await_worker(self, scheduler: str) -> None:
        try:
            self._client.wait_for_workers(1, timeout=_PATIENCE_IN_S)
        except TimeoutError as error:
            self._client.close(timeout=_FAREWELL_IN_S)
            raise SweepError(
                f"{scheduler}: has no worker; lend it one with sweep worker {scheduler}"
            ) from error

    def __enter__(self) -> "Engine":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # What has not stopped by then dies with this process.
        with suppress(TimeoutError):
            if self._cluster is not None:
                self._cluster.sync(self._stop_workers, self._cluster)
            self._client.close(timeout=_FAREWELL_IN_S)
            if self._cluster is not None:
                self._cluster.close(timeout=_FAREWELL_IN_S)

    @staticmethod
    async def _stop_workers(cluster: LocalCluster) -> None:
        # A cluster by itself lets a worker that is busy go on for many seconds.
        nannies = cluster.workers.values()
        await asyncio.gather(*(nanny.close(timeout=_GRACE_IN_S) for nanny in nannies))

    @property
    def capacity(self) -> int:
        """How many candidates can be evaluated at once, now."""
        return max(1, len(self._client.nthreads()))

    @property
    def busy(self) -> int:
        """How many candidates have been submitted and not been answered."""
        return len(self._futures)

    def submit(
        self,
        number: int,
        candidate: Candidate,
        rules: Rules = (),
        dataset: Dataset | None = None,
    ) -> None:
        """Send a candidate to a worker.

        Args:
            number: what its answer will be called.
            candidate: what to evaluate.
            rules: when to stop its training; without any it is trained to its end.
            dataset: other clips than the engine's.
        """
        future = self._client.submit(
            _tell_of_errors,
            self._work,
            candidate,
            dataset or self._dataset,
            self._limits,
            rules,
            key=f"trial-{number}-{self._token}",
            pure=False,
        )
        self._futures[number] = future
        future.add_done_callback(lambda done: self._done.put((number, done)))

    def wait(self, timeout: float) -> Answer | None:
        """Return the next answer, or None if there is none within ``timeout`` seconds.

        Raises:
            SweepError: if a worker met something the user has to mend, such as a full disk, or
                the scheduler is gone.
        """
        try:
            number, future = self._done.get(timeout=timeout)
        except queue.Empty:
            return None
        del self._futures[number]
        try:
            evaluation, files = future.result()
        except SweepError:
            raise
        except CancelledError as error:
            raise SweepError("the Dask scheduler is gone; run the same command again") from error
        except KilledWorker as error:
            deaths = error.allowed_failures + 1
            return Answer(number, Evaluation("failed", f"killed its worker {deaths} times"), {})
        except Exception as error:
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            return Answer(number, Evaluation("failed", reason), {})
        return Answer(number, evaluation, files)


def serve_worker(address: str, processes: int) -> None:
    """Lend single-threaded worker processes to a scheduler until interrupted.

    Raises:
        SweepError: if no scheduler answers at the address.
    """

    async def serve() -> None:
        await _greet(address)
        _keep_freed_memory()
        nannies = [Nanny(address, nthreads=1) for _ in range(processes)]
        for nanny in nannies:
            await nanny
        await asyncio.gather(*(nanny.finished() for nanny in nannies))

    try:
        asyncio.run(serve())
    except (OSError, ValueError, RuntimeError) as error:
        raise SweepError(f"worker processes cannot be started: {_cause(error)}") from error


async def _greet(address: str) -> None:
    """Raise unless a scheduler answers; Dask by itself would try for minutes.

    Raises:
        SweepError: if none does, in time.
    """
    try:
        async with asyncio.timeout(_GREETING_IN_S):
            async with rpc(address) as scheduler:
                await scheduler.identity()
    except Exception as error:  # whatever listens there may answer anything
        raise SweepError(f"{address}: no Dask scheduler answers there") from error


def _check_file_handles(workers: int) -> None:
    """Raise if this process may not open as many files as its workers need.

    Raises:
        SweepError: if the limit is too low; Dask would try for ever.
    """
    needed, limit = (
        _HANDLES + workers * _HANDLES_A_WORKER,
        resource.getrlimit(resource.RLIMIT_NOFILE)[0],
    )
    if needed > limit != resource.RLIM_INFINITY:
        raise SweepError(
            f"{workers} workers need {needed} open files, and {limit} are allowed; raise the limit"
            f" (ulimit -n {needed}), or name fewer --workers"
        )


def _cause(error: BaseException) -> str:
    """Return what lies behind an error of Dask's, in a line."""
    while (deeper := error.__cause__ or error.__context__) is not None:
        error = deeper
    return (str(error) or type(error).__name__).splitlines()[0]


class _QuietWorker(WorkerPlugin):
    """Sends what TensorFlow and its friends print to a file instead of the terminal."""

    name = "quiet"

    def __init__(self, log: str) -> None:
        self.log = log

    def setup(self, worker: Any) -> None:
        """Point standard output and error at the file."""
        target = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(target, 1)
        os.dup2(target, 2)
        os.close(target)
        if isinstance(sys.stdout, io.TextIOWrapper):
            # A file is written to in blocks, and a worker that is killed never ends its last.
            sys.stdout.reconfigure(line_buffering=True)


def _tell_of_errors(
    work: Work, candidate: Candidate, dataset: Dataset, limits: list[Limit], rules: Rules
) -> tuple[Evaluation, dict[str, bytes]]:
    """Do the work; the whole trace of an error goes to the log, its last line to the study."""
    try:
        with _ONE_AT_A_TIME:
            return work(candidate, dataset, limits, rules)
    except Exception:
        traceback.print_exc()
        raise


def _keep_freed_memory() -> None:
    """Let new workers use freed memory again.

    Dask has them give it back at once, and with it every tensor above 128 KB: half of the time
    that a large network trains would go into getting zeroed pages anew.
    """
    for name, size in ALLOCATION.items():
        dask.config.set({f"distributed.nanny.pre-spawn-environ.{name}": size})


@contextmanager
def _ctrl_c_later() -> Iterator[None]:
    """Put Ctrl-C off until what is started meanwhile is there; the processes started ignore it."""
    resource_tracker.ensure_running()  # which would let Ctrl-C through again when it begins
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _local_cluster(workers: int) -> LocalCluster:
    return LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        host="127.0.0.1",
        # A free port: with none named Dask takes 8787, which another sweep may have.
        dashboard_address="127.0.0.1:0",
        scheduler_kwargs={"dashboard": False},
        silence_logs=logging.CRITICAL,
    )
