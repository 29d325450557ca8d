"""Measure in a process whose memory settings are a worker's."""

import os
import sys

from sweep.study.cluster import ALLOCATION


def use_worker_env() -> None:
    """Restart this process with a worker's memory settings, unless it has them."""
    wanted = {name: str(size) for name, size in ALLOCATION.items()}
    if not wanted.items() <= os.environ.items():
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | wanted)
