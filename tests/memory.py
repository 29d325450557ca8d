"""How much memory this process takes up."""

import resource
from pathlib import Path


def resident_mb() -> float:
    """Return the resident memory of this process, in MB of 2^20 bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20
