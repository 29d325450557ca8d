"""Where candidates are evaluated: Dask workers, each a process with one thread."""

import queue
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from distributed import Future, KilledWorker

from sweep.audio.dataset import Dataset
from sweep.candidate import Candidate
from sweep.errors import SweepError
from sweep.evaluation import Evaluation
from sweep.limits import Limit
from sweep.study.crew import Crew
from sweep.study.patience import Patience
from sweep.study.task import Report, Rules, Work, evaluate_candidate, packed, run_trial


@dataclass(frozen=True)
class Result:
    """What came of a candidate; ``files`` are those of a feasible result, by name."""

    number: int
    evaluation: Evaluation
    files: dict[str, bytes]


@dataclass
class _Job:
    """A candidate on its way.

    Attributes:
        future: of its latest attempt.
        attempts: how often it was sent.
        begun: when a worker began with it, by the monotonic clock; None until one does.
        failure: how it failed, by an error or by taking too long; None if it has not.
        failed_on: the worker on which it did.
        others: the workers that may try it again.
    """

    candidate: Candidate
    rules: Rules
    dataset: Dataset
    future: Future | None = None
    attempts: int = 0
    begun: float | None = None
    failure: Evaluation | None = None
    failed_on: str = ""
    others: list[str] | None = None


class DaskWorkers:
    """Workers that evaluate candidates.

    Args:
        dataset: the clips, known to every worker.
        limits: the limits a candidate is held to.
        count: how many processes to start on this machine.
        scheduler: address of a Dask scheduler to use instead of starting any.
        log: file that takes what the libraries of the workers print.
        work: what a worker does with a candidate.
        key: the key of that scheduler.
        trial_timeout_s: how long a trial may take; learnt from those that have ended if None.
        processor: the model of processor that workers have to have; any if empty.
        say: told in a line what happens to workers.

    Raises:
        SweepError: if the scheduler cannot be reached, or no worker joins it.
    """

    def __init__(
        self,
        dataset: Dataset,
        limits: list[Limit],
        count: int,
        scheduler: str | None,
        log: Path,
        work: Work = evaluate_candidate,
        key: Path | None = None,
        trial_timeout_s: float | None = None,
        processor: str = "",
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._dataset, self._limits, self._work = dataset, limits, work
        self._patience = Patience(trial_timeout_s)
        self._done: queue.Queue[tuple[int, Future]] = queue.Queue()
        # Dask runs tasks of equal keys once, even if different clients submit them.
        self._token = uuid4().hex
        self._jobs: dict[int, _Job] = {}
        self._crew = Crew(count, scheduler, log, key, processor, say)
        self._client = self._crew.client
        self._client.subscribe_topic(self._token, self._note_beginning)

    def __enter__(self) -> "DaskWorkers":
        return self

    def __exit__(self, *error: object) -> None:
        self._crew.close([job.future for job in self._jobs.values() if job.future])

    @property
    def capacity(self) -> int:
        """How many candidates can be evaluated at once, now."""
        return max(1, self._crew.size())

    @property
    def busy(self) -> int:
        """How many candidates have been submitted and have no result yet."""
        return len(self._jobs)

    def submit(
        self,
        number: int,
        candidate: Candidate,
        rules: Rules = (),
        dataset: Dataset | None = None,
    ) -> None:
        """Send a candidate to a worker.

        Args:
            number: what its result will be called.
            candidate: what to evaluate.
            rules: when to stop its training; without any it is trained to its end.
            dataset: other clips than those of the workers.
        """
        self._jobs[number] = _Job(candidate, rules, dataset or self._dataset)
        self._send(number)

    def wait(self, timeout: float) -> Result | None:
        """Return the next result, or None if there is none within ``timeout`` seconds.

        A candidate that a worker fails is tried again on another, if there is one.

        Raises:
            SweepError: if workers met something the user has to mend, such as a full disk, if the
                scheduler is gone, or all workers are for long.
        """
        self._give_up()
        try:
            number, future = self._done.get(timeout=timeout)
        except queue.Empty:
            self._crew.check()
            return None
        job = self._jobs[number]
        try:
            report: Report = future.result()
        except CancelledError as error:
            if job.failure is None:
                raise SweepError(
                    "the Dask scheduler is gone; run the same command again"
                ) from error
            return self._end(number, job.failure)
        except KilledWorker as error:
            deaths = error.allowed_failures + 1
            return self._end(number, Evaluation("failed", f"killed its worker {deaths} times"))
        except Exception as error:  # of Dask's own, on the way
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            return self._end(number, Evaluation("failed", reason))
        if report.lacking and self._crew.supply(report.worker, job.dataset):
            self._send(number)
            return None
        if report.evaluation.outcome == "failed":
            job.others = [worker for worker in self._crew.nannies() if worker != report.worker]
            if job.others and job.failure is None:
                job.failure, job.failed_on, job.begun = report.evaluation, report.worker, None
                self._send(number)
                return None
            if report.mend:
                raise SweepError(report.mend)
        else:
            if job.failed_on:
                self._crew.blame(job.failed_on)
            if job.begun is not None:
                self._patience.learn(time.monotonic() - job.begun)
        return self._end(number, report.evaluation, report.files)

    def _end(
        self, number: int, evaluation: Evaluation, files: dict[str, bytes] | None = None
    ) -> Result:
        del self._jobs[number]
        return Result(number, evaluation, files or {})

    def _send(self, number: int) -> None:
        job = self._jobs[number]
        job.attempts += 1
        job.future = self._client.submit(
            run_trial,
            self._token,
            number,
            packed(self._work, job.candidate, job.dataset, self._limits, job.rules),
            key=f"trial-{number}-{job.attempts}-{self._token}",
            pure=False,
            workers=job.others,
        )
        job.future.add_done_callback(lambda done: self._done.put((number, done)))

    def _note_beginning(self, event: tuple[float, dict[str, Any]]) -> None:
        job = self._jobs.get(event[1]["number"])
        if job is not None:
            job.begun = time.monotonic()

    def _give_up(self) -> None:
        """Cancel what takes too long, and what no worker is left to try again."""
        limit_s = self._patience.limit_s
        waiting = any(job.others and job.begun is None for job in self._jobs.values())
        alive = set(self._crew.nannies()) if waiting else set()
        for job in self._jobs.values():
            if job.begun is not None and time.monotonic() - job.begun > limit_s:
                job.begun = None
                reason = f"took longer than {limit_s:g} s (search.trial_timeout)"
                job.failure = Evaluation("failed", reason)
                # The worker sees it, and ends its process.
                self._client.cancel([job.future], force=True)
            elif job.begun is None and job.others and not alive & set(job.others):
                job.others = None
                self._client.cancel([job.future], force=True)
