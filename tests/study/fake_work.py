"""The work of the workers in the workers' tests; a candidate's seed selects what happens."""

import errno
import hashlib
import os
import resource
import signal
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

from sweep.audio.dataset import Dataset
from sweep.audio.travel import at_hand
from sweep.candidate import Candidate
from sweep.errors import SweepError
from sweep.evaluation import Evaluation

FINE, DIES_ONCE, DIES, RAISES, DISK_FULL, SLEEPS, ALLOCATES, ALONE, FREEZES, SICK, LITTERS = range(
    11
)

_alone = threading.Lock()


def work(
    candidate: Candidate, dataset: object, limits: object, rules: object, folder: Path
) -> tuple[Evaluation, dict[str, bytes]]:
    """Do what the seed says, after writing the process id to a file named by seed and epochs."""
    attempts = folder / f"{candidate.seed}-{candidate.training.epochs}"
    with attempts.open("a") as file:
        file.write(f"{os.getpid()}\n")
    tried = len(attempts.read_text().splitlines())
    if candidate.seed == DIES or (candidate.seed == DIES_ONCE and tried == 1):
        os.kill(os.getpid(), signal.SIGKILL)
    if candidate.seed == FREEZES and tried == 1:
        os.kill(os.getpid(), signal.SIGSTOP)
    if candidate.seed == SICK:
        _fail_if_first(folder / "sick")
    if candidate.seed == LITTERS:
        tempfile.mkstemp(prefix="__autograph_generated_file")
    if candidate.seed == RAISES:
        raise ValueError("the first line\nthe second line")
    if candidate.seed == DISK_FULL:
        raise SweepError("cache: No space left on device")
    if candidate.seed == SLEEPS:
        time.sleep(600)
    if candidate.seed == ALLOCATES:
        return Evaluation("infeasible"), {"faults": b"%d" % _page_faults()}
    if candidate.seed == ALONE:
        assert _alone.acquire(blocking=False), "not alone"
        time.sleep(0.1)
        _alone.release()
    print("said by a library")
    return Evaluation("infeasible", f"attempt {tried}"), {"pid": b"%d" % os.getpid()}


def listen(
    candidate: Candidate, dataset: Dataset, limits: object, rules: object
) -> tuple[Evaluation, dict[str, bytes]]:
    """Read the clips, and say which they are."""
    clips = at_hand(dataset).waveforms("training", 8000)
    return Evaluation("infeasible", hashlib.sha256(clips.tobytes()).hexdigest()), {}


def _fail_if_first(mark: Path) -> None:
    """Fail in the process that comes first, whatever the candidate; be slower than it elsewhere."""
    with suppress(FileExistsError), mark.open("x") as file:
        file.write(str(os.getpid()))
    if mark.read_text() == str(os.getpid()):
        raise OSError(errno.EMFILE, "Too many open files")
    time.sleep(0.3)


def _page_faults(times: int = 100, size: int = 2**20) -> int:
    """Return how many pages the system had to find while memory was taken and freed."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(times):
        bytearray(os.urandom(16) * (size // 16))
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
