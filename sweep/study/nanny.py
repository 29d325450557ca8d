"""Nannies: each starts a worker process, and another where that one ends."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import dask
from distributed import Nanny
from distributed.core import Status

_STILL_IN_S, _STARTS = 60, 2
_STAT_TIMES = slice(11, 13)
"""User and system time among the fields of ``/proc/PID/stat`` that follow the name."""
_CONNECTION_LOST = "worker-handle-scheduler-connection-broken"


class PatientNanny(Nanny):
    """A nanny that replaces a worker process that freezes while it starts.

    Dask waits for ever for it.  A process is frozen that uses no processor time; on a busy machine
    one may take minutes to start.

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
            RuntimeError: if it freezes, and so does the next.
        """
        for _ in range(_STARTS):
            watching = asyncio.create_task(self._end_if_frozen())
            status = await super().instantiate()
            watching.cancel()
            if status == Status.running or self.status == Status.running:
                return status
        raise RuntimeError("worker processes freeze or end while they start")

    async def _end_if_frozen(self) -> None:
        used = None
        while True:
            await asyncio.sleep(_STILL_IN_S)
            process = self.process.process if self.process is not None else None
            with suppress(OSError):
                stat = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii", errors="replace")
                before, used = used, stat.rpartition(")")[2].split()[_STAT_TIMES]
                if before == used and process is not None:
                    await process.kill()


class LastingNanny(PatientNanny):
    """A nanny that also replaces a worker process that has lost its connection.

    Dask ends the nanny of such a one, in case its scheduler is gone; here that is in this process.
    """

    def close_gracefully(self, reason: str = "") -> None:
        """Note that the process ends because it is to end."""
        if reason != _CONNECTION_LOST:
            super().close_gracefully(reason)
