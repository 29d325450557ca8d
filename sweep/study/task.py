"""What a worker does with a trial, and what it sends back."""

import ctypes
import io
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from distributed import WorkerPlugin, get_worker
from distributed.protocol import pickle

from sweep import machine, registry
from sweep.audio.dataset import Dataset
from sweep.audio.travel import Lacking, at_hand
from sweep.c.cores import Target
from sweep.candidate import Candidate, digest
from sweep.errors import SweepError
from sweep.evaluation import Evaluation, Variant
from sweep.latency import Clock, ThisMachine
from sweep.limits import Limit
from sweep.metrics import metrics_named, metrics_of
from sweep.stopping import StopRule

Rules = tuple[StopRule, ...]
Work = Callable[[Candidate, Dataset, list[Limit], Rules], tuple[Evaluation, dict[str, bytes]]]

_PACKAGES = ("tinysweep", "tensorflow", "ai-edge-litert", "ai-edge-quantizer", "numpy")
_PROCESSOR = "processor"
_PR_SET_PDEATHSIG = 1
_TICK_IN_S = 1.0
_TRACEBACK_CHARS = 4000

_ONE_AT_A_TIME = threading.Lock()
"""Held by a worker at work: one that was started with several threads shares its graphs."""


@dataclass(frozen=True)
class Report:
    """What a worker sends back.

    Attributes:
        worker: the address of the worker.
        evaluation: what the candidate measured, or that it failed.
        files: those of a feasible result, by name.
        mend: what the user has to mend, such as a full disk; empty if nothing.
        lacking: whether the machine lacks the recordings.
    """

    worker: str
    evaluation: Evaluation
    files: dict[str, bytes]
    mend: str = ""
    lacking: bool = False


def evaluate_candidate(
    candidate: Candidate,
    dataset: Dataset,
    limits: list[Limit],
    rules: Rules,
    metrics: Sequence[str] = (),
    measure_on: str = "",
    target: Target | None = None,
    clock: Clock = ThisMachine(),
) -> tuple[Evaluation, dict[str, bytes]]:
    """Evaluate a candidate, on a worker.

    Args:
        candidate, dataset, limits, rules, target, clock: as for ``stages.evaluate``.
        metrics: the names of those from outside.
        measure_on: the model of processor on which latencies are measured; any if empty.
    """
    # Imported here: the coordinator has no use for TensorFlow.
    from sweep.stages.evaluate import evaluate

    built_in = metrics_of(dataset.labels, dataset.spec.streams, target.core if target else None)
    measured = {**built_in, **metrics_named(metrics)}
    timed = measure_on in ("", machine.processor())
    return evaluate(
        candidate, at_hand(dataset), limits, rules, measured, clock if timed else None, target
    )


def packed(
    work: Work, candidate: Candidate, dataset: Dataset, limits: list[Limit], rules: Rules
) -> bytes:
    """Return what ``run_trial`` is sent of a trial.

    Dask ends a worker that cannot unpickle what it is sent; so the worker's task does it itself.
    """
    content: bytes = pickle.dumps((work, candidate, dataset, limits, rules))
    return content


def run_trial(topic: str, number: int, content: bytes) -> Report:
    """Do the work of a trial; an error is sent back with its traceback, and goes to the log.

    The coordinator is told on ``topic`` when the work begins.
    """
    worker = get_worker()
    try:
        with _ONE_AT_A_TIME, _gone_when_cancelled(worker):
            worker.log_event(topic, {"number": number})
            work, *given = pickle.loads(content)
            evaluation, files = work(*given)
    except SweepError as error:
        failed, lacking = Evaluation("failed", str(error)), isinstance(error, Lacking)
        return Report(worker.address, failed, {}, mend=str(error), lacking=lacking)
    except Exception as error:
        traceback.print_exc()
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        told = f"on {machine.name()}:\n{traceback.format_exc()}"
        return Report(
            worker.address, Evaluation("failed", reason, traceback=told[-_TRACEBACK_CHARS:]), {}
        )
    where = replace(evaluation, machine=machine.name(), processor=machine.processor())
    return Report(worker.address, where, files)


@contextmanager
def _gone_when_cancelled(worker: Any) -> Iterator[None]:
    """End this process if the trial is cancelled meanwhile: nothing else can stop a training.

    So it is when its coordinator ends or is killed, or when the trial takes too long.  Its nanny
    starts another.
    """
    if worker.nanny is None:  # Nobody would start another.
        yield
        return
    key, done = worker.get_current_task(), threading.Event()

    def watch() -> None:
        while not done.wait(_TICK_IN_S):
            task = worker.state.tasks.get(key)
            if task is None or task.state == "cancelled":
                os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        done.set()


def kind(processor: str = "") -> dict[str, str]:
    """Return what workers and coordinator have to have in common, so that numbers compare.

    Args:
        processor: its model, where latencies have to compare, too.
    """
    travelling = (Candidate, Evaluation, Variant, Dataset, Report)
    names = [[field.name for field in fields(one)] for one in travelling]
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    found = {"python": python, "records": digest(names)}
    if processor:
        found[_PROCESSOR] = processor
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):  # a coordinator trains nothing itself
            found[package] = version(package)
    return found


def difference(expected: Mapping[str, str]) -> str:
    """Return in a line in what this process differs from a kind; empty if in nothing."""
    own = kind(machine.processor())
    told = [
        f"{name} {own.get(name, 'missing')} instead of {wanted}"
        for name, wanted in expected.items()
        if own.get(name) != wanted
    ]
    if not told:
        return ""
    if len(told) == 1 and expected.get(_PROCESSOR, own[_PROCESSOR]) != own[_PROCESSOR]:
        return f"this worker has {told[0]}, so latencies do not compare; see --measure-on"
    return f"this worker has {', '.join(told)}; install the same versions"


class SameKind(WorkerPlugin):
    """Sends away workers that do not have what the coordinator has, as they are or as they join."""

    name = "same-kind"

    def __init__(self, expected: Mapping[str, str]) -> None:
        self.expected = expected

    def setup(self, worker: Any) -> None:
        """Close the worker, and its nanny, where there is a difference."""
        told = difference(self.expected)
        if told:
            print(f"sweep: refused by a sweep: {told}", file=sys.stderr)
            worker.loop.add_callback(worker.close, nanny=True, reason="another version")


class PluginFolders(WorkerPlugin):
    """Lets a worker find the modules that a search space names."""

    name = "plugin-folders"

    def __init__(self, folders: list[str]) -> None:
        self.folders = folders

    def setup(self, worker: Any) -> None:
        """Search in the folders too."""
        for folder in self.folders:
            registry.search_in(folder)


class QuietWorker(WorkerPlugin):
    """Sends what TensorFlow and its friends print to a file; ends with the coordinator."""

    name = "quiet"

    def __init__(self, log: str) -> None:
        self.log = log

    def setup(self, worker: Any) -> None:
        """Point standard output and error at the file."""
        # By the kernel: a worker that is stopped would outlive a coordinator that is killed.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        target = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(target, 1)
        os.dup2(target, 2)
        os.close(target)
        if isinstance(sys.stdout, io.TextIOWrapper):
            # A file is written to in blocks, and a worker that is killed never ends its last.
            sys.stdout.reconfigure(line_buffering=True)
