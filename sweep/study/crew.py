"""The workers of a search: who takes part, who is sick, who lacks recordings."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import suppress
from functools import partial
from pathlib import Path

from distributed import Client, Future, LocalCluster, WorkerPlugin

from sweep import registry
from sweep.audio import travel
from sweep.audio.dataset import Dataset
from sweep.errors import SweepError
from sweep.study.cluster import reach, start_workers
from sweep.study.health import Health
from sweep.study.task import PluginFolders, QuietWorker, SameKind, difference, kind

_PATIENCE_IN_S = 30
_DESERTED_IN_S = 600
_FAREWELL_IN_S = 3
_GRACE_IN_S = 1


class Crew:
    """Workers, by way of their scheduler.

    Args:
        workers: how many processes to start on this machine.
        scheduler: address of a Dask scheduler to use instead of starting any.
        log: file that takes what the libraries of the workers print.
        key: the key of that scheduler.
        processor: the model of processor that workers have to have; any if empty.
        say: told in a line what happens to workers.

    Attributes:
        client: Dask's, to submit work by.

    Raises:
        SweepError: if the scheduler cannot be reached, or no worker joins it.
    """

    def __init__(
        self,
        workers: int,
        scheduler: str | None,
        log: Path,
        key: Path | None,
        processor: str,
        say: Callable[[str], None],
    ) -> None:
        self._say, self._health = say, Health()
        self._cluster: LocalCluster | None = None
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        if scheduler is None:
            self._cluster = start_workers(workers)
            self.client = Client(self._cluster, timeout=_PATIENCE_IN_S)
            self._register(QuietWorker(str(log.absolute())))
        else:
            address, security = reach(scheduler, key)
            self.client = Client(address, security=security, timeout=_PATIENCE_IN_S)
            self._await_worker(scheduler)
            self._admit(scheduler, kind(processor))
        self._register(PluginFolders(registry.folders()))
        self._supplied: set[str] = set()
        self._seen, self._told = time.monotonic(), False

    def _register(self, plugin: WorkerPlugin) -> None:
        # A worker that freezes or dies meanwhile is replaced, by one that gets it when it joins.
        with suppress(OSError):
            self.client.register_plugin(plugin)

    def _await_worker(self, scheduler: str) -> None:
        try:
            self.client.wait_for_workers(1, timeout=_PATIENCE_IN_S)
        except TimeoutError as error:
            self.client.close(timeout=_FAREWELL_IN_S)
            raise SweepError(
                f"{scheduler}: has no workers; start some with sweep worker {scheduler}"
            ) from error

    def _admit(self, scheduler: str, expected: dict[str, str]) -> None:
        """Let only those workers take part that have what is expected.

        Raises:
            SweepError: if none is left.
        """
        found = self.client.run(difference, expected, on_error="return")
        strange = {address: told for address, told in found.items() if told}
        for address, told in strange.items():
            self._say(f"worker {address}: {told}".splitlines()[0])
        self._register(SameKind(expected))
        if len(strange) == len(found):
            self.client.close(timeout=_FAREWELL_IN_S)
            told = next(iter(strange.values()))
            raise SweepError(f"{scheduler}: no worker is left; {told}".splitlines()[0])

    def close(self, unfinished: list[Future]) -> None:
        """End the workers that were started; take back from others what they have not finished."""
        # What has not stopped by then dies with this process.
        with suppress(TimeoutError, CancelledError):
            if self._cluster is not None:
                self._cluster.sync(self._stop_workers, self._cluster)
            else:
                self.client.cancel(unfinished, force=True)
            self.client.close(timeout=_FAREWELL_IN_S)
            if self._cluster is not None:
                self._cluster.close(timeout=_FAREWELL_IN_S)

    @staticmethod
    async def _stop_workers(cluster: LocalCluster) -> None:
        # A cluster by itself lets a worker that is busy go on for many seconds.
        nannies = cluster.workers.values()
        await asyncio.gather(*(nanny.close(timeout=_GRACE_IN_S) for nanny in nannies))

    def size(self) -> int:
        """Return how many workers there are now."""
        return len(self.client.nthreads())

    def nannies(self) -> dict[str, str | None]:
        """Return the nanny of each worker, both by their addresses."""
        known = self.client.scheduler_info(n_workers=-1)["workers"]
        return {address: told["nanny"] for address, told in known.items()}

    def check(self) -> None:
        """Check that there are workers.

        Raises:
            SweepError: if there have been none for long.
        """
        now = time.monotonic()
        if self.size():
            self._seen, self._told = now, False
        elif now - self._seen > _DESERTED_IN_S:
            raise SweepError(
                f"no worker has been left for {_DESERTED_IN_S} s; run the same command again"
            )
        elif now - self._seen > _PATIENCE_IN_S and not self._told:
            self._say("no worker is left; waiting for one")
            self._told = True

    def supply(self, worker: str, dataset: Dataset) -> bool:
        """Send the recordings to a machine that lacks them; tell whether that is new to it.

        Raises:
            SweepError: if they are too many, or the machine cannot keep them.
        """
        if worker in self._supplied:
            return False
        self._supplied.add(worker)
        tell = partial(self.client.run, workers=[worker])
        with suppress(OSError):  # the worker dies meanwhile
            if tell(travel.begin, dataset).get(worker):
                self._say(f"worker {worker}: has no {dataset.spec.source}: recordings are sent")
                for part in travel.parts(dataset):
                    tell(travel.receive, part)
                tell(travel.accept, dataset)
        return True

    def blame(self, worker: str) -> None:
        """Note that a worker failed what another finished.

        The process of one that does so repeatedly is replaced; one that is sick again is set aside.
        """
        if not self._health.is_sick(worker):
            return
        nannies = self.nannies()
        nanny = nannies.get(worker)
        if nanny is not None and self._health.may_be_cured(nanny):
            self._say(f"worker {worker} fails what others finish: its process is replaced")
            self.client.restart_workers([worker], timeout=_PATIENCE_IN_S, raise_for_error=False)
        elif worker in nannies and len(nannies) > 1:
            self._say(f"worker {worker} fails what others finish: it is set aside")
            self.client.retire_workers([worker], close_workers=True)
