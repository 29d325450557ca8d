"""Nannies: each starts a worker process, and another where that one ends."""

import asyncio
from typing import Any

import dask
from distributed import Nanny
from distributed.core import Status

_START_IN_S, _STARTS = 120, 2
_CONNECTION_LOST = "worker-handle-scheduler-connection-broken"


class PatientNanny(Nanny):
    """A nanny that replaces a worker process that does not join in time.

    Dask waits for ever for one that freezes while it starts.

    Args:
        scheduler: its address.
        options: Dask's.
    """

    def __init__(self, scheduler: str, **options: Any) -> None:
        # TensorFlow leaves temporary files even where its process ends as it should.
        place = {"TMPDIR": dask.config.get("temporary-directory")}
        super().__init__(scheduler, env=place, **options)

    async def instantiate(self) -> Status:
        """Start the process.

        Raises:
            RuntimeError: if it has not joined in time, nor the next.
        """
        limit_s = _START_IN_S
        for _ in range(_STARTS):
            overdue = asyncio.create_task(self._end_process(limit_s))
            status = await super().instantiate()
            overdue.cancel()
            if status == Status.running or self.status == Status.running:
                return status
        raise RuntimeError(f"no worker process has joined within {limit_s:g} s")

    async def _end_process(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        if self.process is not None and self.process.process is not None:
            await self.process.process.kill()


class LastingNanny(PatientNanny):
    """A nanny that also replaces a worker process that has lost its connection.

    Dask ends the nanny of such a one, in case its scheduler is gone; here that is in this process.
    """

    def close_gracefully(self, reason: str = "") -> None:
        """Note that the process ends because it is to end."""
        if reason != _CONNECTION_LOST:
            super().close_gracefully(reason)
