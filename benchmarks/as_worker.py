"""Measure in a process that treats its memory as a worker does."""

import os
import sys

from sweep.study.cluster import ALLOCATION


def as_worker() -> None:
    """Begin this process anew with a worker's settings of memory, unless it has them."""
    wanted = {name: str(size) for name, size in ALLOCATION.items()}
    if not wanted.items() <= os.environ.items():
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | wanted)
