"""Which machine this is, and which others are as fast."""

import platform
import socket
from functools import cache
from pathlib import Path

_PROCESSORS = Path("/proc/cpuinfo")
_MOST_CHARS = 100


def name() -> str:
    """Return the host name."""
    return socket.gethostname()


@cache
def processor() -> str:
    """Return architecture and model of the processor: latencies of one model compare."""
    try:
        lines = _PROCESSORS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2] for line in lines if line.startswith("model name"))
    model = next(models, platform.processor())
    return " ".join(f"{platform.machine()} {model}".split())[:_MOST_CHARS]
