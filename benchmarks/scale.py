"""How many workers one coordinator keeps busy, with trials that only sleep.

    python benchmarks/scale.py [--workers 2 8] [--trials 1000] [--sleep 1.0] [--without-tls 0]

For each number of workers and each length of a trial: trials a second, the share of the workers'
time in which they had no trial, the processor time of the coordinator for a trial, and its resident
memory after a tenth of the trials and at the end.  With ``--without-tls 3`` the first of these is
run three times with TLS and three times over plain connections, which no sweep uses, in turn.
"""

import argparse
import resource
import statistics
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from unittest.mock import patch

from distributed import Security

from sweep.candidate import Candidate
from sweep.evaluation import Evaluation, Variant
from sweep.space import Space
from sweep.study import cluster
from sweep.study.progress import SearchProgress
from sweep.study.samplers import make_sampler
from sweep.study.search import Search
from sweep.study.storage import StudyFolder
from sweep.study.workers import DaskWorkers

SPACE = """
dataset: {labels: [stop, go]}
parameters:
  num_mel_bins: {low: 10, high: 40}
  alpha: {low: 0.08, high: 1.0, log: true}
  final_sparsity: {low: 0.0, high: 0.8}
limits: {size_kb: "< 25"}
objectives: {accuracy: maximize, size_kb: minimize}
search: {sampler: random, trials: 10}
"""


def sleep(
    candidate: Candidate, dataset: object, limits: object, rules: object, seconds: float
) -> tuple[Evaluation, dict[str, bytes]]:
    """Take the time of a trial, and nothing else."""
    time.sleep(seconds)
    size = 10 * candidate.network.values()["alpha"]
    result = Variant("float32", {"accuracy": 0.9, "size_kb": size}, violations={"size_kb": -0.5})
    return Evaluation("infeasible", "only slept", (result,), 0), {}


def resident_mb() -> float:
    """Return the resident memory of this process, in MB of 2^20 bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


@dataclass(frozen=True)
class Row:
    """Trials a second, idle share; of the coordinator ms a trial, and MB early and late."""

    rate: float
    idle: float
    processor_ms: float
    early_mb: float
    late_mb: float

    def __str__(self) -> str:
        memory = f"{self.early_mb:13.0f} {self.late_mb:7.0f}"
        return f"{self.rate:10.2f} {self.idle:8.1%} {self.processor_ms:10.1f} {memory}"


def measure(workers: int, trials: int, seconds: float) -> Row:
    """Run a search."""
    space = Space.parse(SPACE, "scale").with_search(trials=trials)
    memory: dict[int, float] = {}

    def note(progress: SearchProgress) -> None:
        for share in (trials // 10, trials):
            if progress.done >= share:
                memory.setdefault(share, resident_mb())

    with tempfile.TemporaryDirectory() as place:
        folder = StudyFolder(Path(place), "scale")
        with folder.owned():
            about = {"fingerprint": "none", "source": "none"}
            study = folder.create(space, make_sampler(space, "random", 0), about)
            job = partial(sleep, seconds=seconds)
            with DaskWorkers(None, space.limits, workers, None, folder.worker_log, job) as pool:
                begin, used = time.monotonic(), time.process_time()
                Search(space, study, folder, pool, None, note).run()
                taken, used = time.monotonic() - begin, time.process_time() - used
    idle = 1 - trials * seconds / (workers * taken)
    return Row(trials / taken, idle, 1000 * used / trials, memory[trials // 10], memory[trials])


def compare(workers: int, trials: int, seconds: float, times: int) -> None:
    """Print the throughput with TLS relative to that without, run in turn."""
    rates: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(2 * times):
        tls = turn % 4 in (0, 3)
        with ExitStack() as stack:
            if not tls:
                stack.enter_context(patch.object(cluster, "own_or_made", Security))
            rates[tls].append(measure(workers, trials, seconds).rate)
        print(f"{'TLS' if tls else 'plain':>5} {rates[tls][-1]:8.3f} trials a s", flush=True)
    with_tls, without = (statistics.median(rates[tls]) for tls in (True, False))
    print(f"TLS / plain, medians: {with_tls / without:.4f}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=int, nargs="+", default=[2, 8])
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--sleep", type=float, nargs="+", default=[1.0])
    parser.add_argument("--without-tls", type=int, default=0, metavar="TIMES")
    given = parser.parse_args()
    if given.without_tls:
        compare(given.workers[0], given.trials, given.sleep[0], given.without_tls)
        return
    print("workers  sleep s  trials a s     idle  ms a trial  MB at a tenth  at end")
    for workers in given.workers:
        for seconds in given.sleep:
            row = measure(workers, given.trials, seconds)
            print(f"{workers:7} {seconds:8g} {row}", flush=True)


if __name__ == "__main__":
    main()
