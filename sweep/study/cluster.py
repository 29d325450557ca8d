"""Dask schedulers and workers: started on this machine, or reached elsewhere."""

import asyncio
import logging
import resource
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import dask
from distributed import LocalCluster, Scheduler, Security, rpc
from distributed.comm import get_address_host
from distributed.utils import get_ip

from sweep import machine
from sweep.errors import SweepError
from sweep.scratch import Scratch
from sweep.study.nanny import LastingNanny, PatientNanny
from sweep.study.security import own_or_made, secured

ALLOCATION = {"MALLOC_MMAP_THRESHOLD_": 2**25, "MALLOC_TRIM_THRESHOLD_": 2**28}
"""From how many bytes on freed memory goes back to the system: one piece, and all together."""

_MEMORY = {f"distributed.nanny.pre-spawn-environ.{name}": size for name, size in ALLOCATION.items()}
"""Dask has workers give freed memory back at once, and with it every tensor above 128 KB: half of
the time that a large network trains would go into getting zeroed pages anew."""

_NO_PAGES: dict[str, Any] = {
    f"distributed.{part}.http.routes": [] for part in ("scheduler", "worker")
}
"""Dask's pages ask nobody for a key."""

_UNWATCHED: dict[str, Any] = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.low-level-log-length": 10,
    "distributed.admin.system-monitor.log-length": 10,
}
"""By default Dask profiles workers 100 times a second, checks its event loop 50 times, and keeps
the last 1000 messages of each connection; a message to a worker holds a candidate."""

_HANDLES, _HANDLES_A_WORKER = 64, 12
"""How many files a coordinator opens; 33 and 106 were measured with one worker and eight."""

_GREETING_IN_S = 15
_SILENCE_IN_S = 120
_RETURN_IN_S, _PAUSE_IN_S = 600, 1
_DEATHS_FORGIVEN = 1
_FOR_EVER_S = 10**8


def start_workers(processes: int) -> LocalCluster:
    """Start single-threaded worker processes on this machine, with a scheduler of their own.

    Raises:
        SweepError: if they cannot be started.
    """
    _check_file_handles(processes)
    try:
        scratch = Scratch()
        settings = _MEMORY | _NO_PAGES | _UNWATCHED | _scheduling() | _files_in(scratch)
        with dask.config.set(settings), _ctrl_c_later():
            return _LastingCluster(
                scratch,
                worker_class=LastingNanny,
                n_workers=processes,
                threads_per_worker=1,
                host="127.0.0.1",
                # A free port: with none named Dask takes 8787, which another sweep may have.
                dashboard_address="127.0.0.1:0",
                scheduler_kwargs={"dashboard": False},
                security=own_or_made(),
                silence_logs=logging.CRITICAL,
            )
    except (OSError, ValueError, RuntimeError) as error:
        raise SweepError(f"worker processes cannot be started: {_cause(error)}") from error


class _LastingCluster(LocalCluster):
    """A cluster that keeps its nannies: each restarts its worker, however often that dies.

    Dask gives a nanny up whose worker is dead again some seconds after it died.

    Args:
        scratch: where its files are; removed with it.
        options: Dask's.
    """

    def __init__(self, scratch: Scratch, **options: Any) -> None:
        self._scratch = scratch
        super().__init__(**options)

    async def _close(self) -> None:
        await super()._close()
        self._scratch.remove()

    def _update_worker_status(self, op: str, msg: Any) -> None:
        with dask.config.set({"distributed.deploy.lost-worker-timeout": _FOR_EVER_S}):
            super()._update_worker_status(op, msg)


def reach(scheduler: str, key: Path | None) -> tuple[str, Security]:
    """Return address and TLS settings of a scheduler, once it has answered.

    Raises:
        SweepError: if none answers, in time, or the key cannot be used.
    """
    address, security = secured(scheduler, key)
    # In a thread of its own: a notebook has an event loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(_greet(address, security))).result()
    return address, security


def serve_scheduler(host: str, port: int, key: Path | None, say: Callable[[str], None]) -> None:
    """Run a scheduler until interrupted.

    Args:
        host, port: where to listen.
        key: the key of the cluster; the user's own by default.
        say: told the address.

    Raises:
        SweepError: if it cannot listen there, or the key cannot be used.
    """
    _, security = secured(f"tls://{host}:{port}", key)

    async def serve() -> None:
        async with Scheduler(
            host=host,
            port=port,
            protocol="tls",
            security=security,
            dashboard=False,
            dashboard_address="127.0.0.1:0",
        ) as scheduler:
            say(scheduler.address)
            await scheduler.finished()

    try:
        with Scratch() as scratch:
            settings = _NO_PAGES | _UNWATCHED | _scheduling() | _files_in(scratch)
            with dask.config.set(settings):
                asyncio.run(serve())
    except (OSError, ValueError, RuntimeError) as error:
        raise SweepError(f"{host}:{port}: cannot listen there: {_cause(error)}") from error


def serve_worker(
    scheduler: str,
    processes: int,
    key: Path | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> None:
    """Run single-threaded worker processes for a scheduler until interrupted.

    They listen on the address by which this machine reaches the scheduler, and on no other. A
    scheduler that goes away is waited for.

    Args:
        scheduler: its address.
        processes: how many to run.
        key: the key of the cluster; the user's own by default.
        say: told in a line what happens.

    Raises:
        SweepError: if no scheduler answers at the address, or for long no more; if it lets these
            workers go; if the key cannot be used.
    """
    address, security = secured(scheduler, key)

    async def serve() -> None:
        known = await _greet(address, security)
        say(f"{address}: working, with processor {machine.processor()}")
        while True:
            await _work(address, security, processes)
            again = await _return(address, security, say)
            if again == known:
                raise SweepError(f"{address}: its scheduler let this worker go; see what it says")
            say(f"{address}: working again")
            known = again

    try:
        with Scratch() as scratch, dask.config.set(_files_in(scratch)):
            asyncio.run(serve())
    except (OSError, ValueError, RuntimeError) as error:
        raise SweepError(f"worker processes cannot be started: {_cause(error)}") from error


async def _work(address: str, security: Security, processes: int) -> None:
    """Run worker processes until the scheduler goes away, or lets them go."""
    host = get_ip(get_address_host(address))
    with dask.config.set(_MEMORY | _NO_PAGES | _UNWATCHED):
        nannies = [
            PatientNanny(
                address,
                nthreads=1,
                host=host,
                security=security,
                silence_logs=logging.CRITICAL,
            )
            for _ in range(processes)
        ]
    try:
        for nanny in nannies:
            await nanny
        await asyncio.gather(*(nanny.finished() for nanny in nannies))
    finally:
        await asyncio.gather(*(nanny.close(timeout=1) for nanny in nannies))


async def _return(address: str, security: Security, say: Callable[[str], None]) -> str:
    """Return the identity of the scheduler, waiting until it is back.

    Raises:
        SweepError: if it stays away.
    """
    end = time.monotonic() + _RETURN_IN_S
    told = False
    while True:
        try:
            return await _greet(address, security)
        except SweepError:
            if time.monotonic() > end:
                raise
        if not told:
            say(f"{address}: the scheduler is gone; waiting for it")
            told = True
        await asyncio.sleep(_PAUSE_IN_S)


async def _greet(address: str, security: Security) -> str:
    """Return the identity of a scheduler; Dask by itself would try to reach it for minutes.

    Raises:
        SweepError: if none does, in time.
    """
    try:
        async with asyncio.timeout(_GREETING_IN_S):
            settings = security.get_connection_args("client")
            async with rpc(address, connection_args=settings) as scheduler:
                return str((await scheduler.identity())["id"])
    except Exception as error:  # whatever listens there may answer anything
        raise SweepError(f"{address}: no Dask scheduler answers there") from error


def _files_in(scratch: Scratch) -> dict[str, Any]:
    """Return settings by which Dask's own files are in a folder."""
    return {"temporary-directory": str(scratch.path)}


def _scheduling() -> dict[str, Any]:
    """Return how a scheduler deals with deaths.

    A trial that kills its worker is run again once, then given up; a worker that is silent for
    long is replaced, which counts as its death.
    """
    return {
        "distributed.scheduler.allowed-failures": _DEATHS_FORGIVEN,
        "distributed.scheduler.worker-ttl": _SILENCE_IN_S,
    }


def _check_file_handles(workers: int) -> None:
    """Raise if this process may not open as many files as its workers need.

    Raises:
        SweepError: if the limit is too low; Dask would try for ever.
    """
    needed = _HANDLES + workers * _HANDLES_A_WORKER
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
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


@contextmanager
def _ctrl_c_later() -> Iterator[None]:
    """Put Ctrl-C off until what is started meanwhile is there; the processes started ignore it."""
    resource_tracker.ensure_running()  # which would let Ctrl-C through again when it begins
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
