"""The search loop: ask the sampler, submit to the workers, tell the study."""

import time
from collections.abc import Callable
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from sweep import distributions
from sweep.candidate import Candidate
from sweep.errors import ManyFailures
from sweep.evaluation import Evaluation
from sweep.space import MOST_DRAWS, Space
from sweep.stopping import Experience
from sweep.study.database import readable_errors
from sweep.study.progress import SearchProgress
from sweep.study.samplers.successive_halving import EPOCHS
from sweep.study.storage import StudyFolder
from sweep.study.task import Rules
from sweep.study.trials import (
    ask,
    begin,
    drop,
    finish,
    nearest_stopped,
    repeated,
    stored_evaluation,
)
from sweep.study.workers import Result

_ATTEMPTS = 20
_VALUES_TRIED = 8
_LISTED = 20_000
_TICK_IN_S = 0.25
_FAILURES = 8
"""Number of failures, all from the start, after which the search is given up."""

_SECOND_CHANCES = 3
"""How many stopped trials a search without feasible trials trains to the end."""


class Workers(Protocol):
    """What a search needs of its workers."""

    @property
    def capacity(self) -> int:
        """How many candidates can be evaluated at once."""

    @property
    def busy(self) -> int:
        """How many submitted candidates have no result yet."""

    def submit(self, number: int, candidate: Candidate, rules: Rules) -> None:
        """Start to evaluate a candidate; ``rules`` say when to stop its training."""

    def wait(self, timeout: float) -> Result | None:
        """Return the next result; None if there is none within ``timeout`` seconds."""


class Search:
    """One run of a study.

    Args:
        space: the search space.
        study: a new or existing study; interrupted trials are run again.
        folder: stores the files of feasible trials.
        workers: evaluate its candidates.
        timeout_s: the search ends after this many seconds; the next run repeats trials that were
            running. None for no limit.
        listen: called after every change, and a few times per second.
    """

    def __init__(
        self,
        space: Space,
        study: optuna.Study,
        folder: StudyFolder,
        workers: Workers,
        timeout_s: float | None = None,
        listen: Callable[[SearchProgress], None] = lambda progress: None,
    ) -> None:
        self.space, self.study, self.folder, self.workers = space, study, folder, workers
        self.progress = SearchProgress(
            space.file.search.trials, dict(space.file.objectives), timeout_s=timeout_s
        )
        self._deadline = None if timeout_s is None else time.monotonic() + timeout_s
        self._listen = listen
        self._taken: set[str] = set()
        self._trials: dict[int, optuna.Trial] = {}
        self._repeats: dict[int, int] = {}
        self._experience = Experience(space.limits)
        self._enqueued: list[dict[str, Any]] = []
        self._rng = np.random.default_rng(space.file.search.seed)
        self._exhausted = False
        self._failures = 0

    def run(self) -> SearchProgress:
        """Run trials until the budget is spent; return the final progress.

        Raises:
            StudyError: if the study's storage fails.
            SweepError: if a worker had an error that the user must fix.
            ManyFailures: if all of the first trials fail.
        """
        begin = time.monotonic()
        with readable_errors(self.folder.path):
            self._pick_up()
            while True:
                while self._may_ask():
                    self._ask()
                if self._time_is_up() or not (self.workers.busy or self._repeat_nearest()):
                    break
                result = self.workers.wait(_TICK_IN_S)
                if result is not None:
                    self._tell(result)
                self.progress.running = self.workers.busy
                self.progress.seconds = time.monotonic() - begin
                self._listen(self.progress)
        self.progress.ended = self._how_it_ended()
        if self.progress.ended:
            self._listen(self.progress)
        return self.progress

    def _pick_up(self) -> None:
        """Count the finished trials of earlier runs, and resume interrupted ones.

        Failed trials do not count and may be repeated: the cause may be fixed.
        """
        running = []
        for frozen in self.study.get_trials(deepcopy=False):
            evaluation = stored_evaluation(frozen)
            if evaluation is not None and evaluation.outcome != "failed":
                self._taken.add(self.space.candidate(frozen.params).key())
                stopped = repeated(frozen)
                self.progress.add(evaluation, repeats=stopped is not None)
                self._experience.add(evaluation)
                if stopped is not None:
                    self._repeats[frozen.number] = stopped
            if frozen.state == TrialState.RUNNING:
                running.append((frozen, evaluation))
        for frozen, evaluation in running:
            self._resume(frozen, evaluation)
        rng = np.random.default_rng(self.space.file.search.seed)
        for values in self.space.file.search.enqueue:
            complete = self.space.completed(self._first | values, rng)
            self._enqueued += [] if complete is None else [complete]

    def _resume(self, frozen: FrozenTrial, evaluation: Evaluation | None) -> None:
        trial, stopped = optuna.Trial(self.study, frozen._trial_id), repeated(frozen)
        if evaluation is not None:
            finish(self.study, trial, evaluation)
        elif stopped is not None:
            self._repeat(trial, stopped)
        elif set(frozen.params) != set(self.space.distributions):
            drop(self.study, trial)
        else:
            self._consider(trial)

    def _may_ask(self) -> bool:
        wanted = self._left() > 0 and not self._reason_to_end()
        return wanted and self.workers.busy < self.workers.capacity

    def _time_is_up(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    def _left(self) -> int:
        return self.progress.budget - self.progress.done - self.workers.busy

    def _reason_to_end(self) -> str:
        """Return why the search ends before its budget is spent; empty if it does not."""
        search, progress = self.space.file.search, self.progress
        if progress.reaches(search.goal):
            return "the goal is reached"
        if search.patience is not None and progress.idle >= search.patience:
            return f"the front has not changed for {search.patience} trials"
        if self._time_is_up():
            cut = f"; interrupted trials: {self.workers.busy}" if self.workers.busy else ""
            return f"time is up{cut}"
        if not self._exhausted:
            return ""
        if self._combinations is not None:
            return "every combination has been tried"
        return f"no new allowed combination in {MOST_DRAWS:,} random draws"

    def _how_it_ended(self) -> str:
        """Return how the search ended, if not by spending its budget; else an empty string."""
        progress, told = self.progress, []
        if self._left() > 0 or self.workers.busy:
            told.append(self._reason_to_end())
        elif not progress.finished_now:
            told.append(f"the budget of {progress.budget} was spent before; --trials raises it")
        if progress.repeating:
            told.append(
                f"nothing was feasible, so of the stopped trials the nearest {progress.repeating}"
                f" were trained to the end: {progress.outcomes['feasible']} feasible"
            )
        return "; ".join(told)

    def _repeat_nearest(self) -> bool:
        """Train the best stopped trials to the end, if no trial is feasible.

        Returns:
            Whether any has been submitted.
        """
        if self.progress.outcomes["feasible"]:
            return False
        nearest = nearest_stopped(self.study, _SECOND_CHANCES)
        left = [trial for trial in nearest if trial.number not in self._repeats.values()]
        for stopped in left:
            trial = begin(self.study, self.space, stopped.params, repeats=stopped.number)
            self._repeat(trial, stopped.number)
        return bool(left)

    def _repeat(self, trial: optuna.Trial, stopped: int) -> None:
        """Submit a trial that trains a stopped one to the end."""
        self._repeats[trial.number] = stopped
        self.progress.repeating += 1
        self._submit(trial, self.space.candidate(trial.params), ())

    def _ask(self) -> None:
        """Ask until a candidate is allowed and new, and submit it; enqueued ones first."""
        while self._enqueued:
            parameters = self._enqueued.pop(0)
            if self._is_new(parameters):
                self._consider(begin(self.study, self.space, parameters))
                return
        for _ in range(_ATTEMPTS):
            trial = ask(self.study, self.space)
            if self._consider(trial):
                return
            if not self._is_new(trial.params):
                break
        fresh = self._untried(trial.params)
        if fresh is None:
            self._exhausted = True
            return
        self._consider(begin(self.study, self.space, fresh))

    def _consider(self, trial: optuna.Trial) -> bool:
        """Submit a trial's candidate if it is allowed and new; return whether it was."""
        candidate = self.space.candidate(trial.params)
        objection = self.space.objection(candidate)
        if objection is not None:
            invalid = Evaluation("invalid", objection)
            finish(self.study, trial, invalid)
            self.progress.add(invalid)
            return False
        if candidate.key() in self._taken:
            drop(self.study, trial)
            return False
        self._taken.add(candidate.key())
        self._submit(trial, candidate, self._experience.rules(candidate.training.epochs))
        return True

    def _submit(self, trial: optuna.Trial, candidate: Candidate, rules: Rules) -> None:
        self._trials[trial.number] = trial
        self.workers.submit(trial.number, candidate, rules)

    def _untried(self, near: dict[str, Any]) -> dict[str, Any] | None:
        """Return an allowed, new combination; None if none is left.

        It differs from ``near`` in one parameter, if there is such a one; else it is any.  With
        promotion it is one of the fewest epochs.
        """
        first = self._first
        changed = [
            near | {name: value} | first
            for name, distribution in self.space.distributions.items()
            for value in distributions.values(distribution, _VALUES_TRIED)
        ]
        self._rng.shuffle(changed)
        for parameters in changed:
            if self._is_new(parameters) and self.space.allows(parameters):
                return parameters
        if self._combinations is not None:
            left = [
                combination
                for key, combination in self._combinations
                if key not in self._taken and first.items() <= combination.items()
            ]
            return left[self._rng.integers(len(left))] if left else None
        draws = (self.space.draw(self._rng) | first for _ in range(MOST_DRAWS))
        return next((c for c in draws if self.space.allows(c) and self._is_new(c)), None)

    @cached_property
    def _first(self) -> dict[str, Any]:
        """Values that every new combination has."""
        promoted = self.space.file.search.promotion and EPOCHS in self.space.distributions
        return {EPOCHS: min(self.space.values(EPOCHS))} if promoted else {}

    def _is_new(self, parameters: dict[str, Any]) -> bool:
        return self.space.candidate(parameters).key() not in self._taken

    @cached_property
    def _combinations(self) -> list[tuple[str, dict[str, Any]]] | None:
        """Every allowed combination with its key; None if they are too many."""
        size = self.space.size()
        if size is None or size > _LISTED:
            return None
        return [(self.space.candidate(c).key(), c) for c in self.space.combinations()]

    def _tell(self, result: Result) -> None:
        trial = self._trials.pop(result.number)
        if result.files:
            self.folder.keep_files(trial, result.files)
        finish(self.study, trial, result.evaluation)
        self.progress.add(result.evaluation, repeats=trial.number in self._repeats)
        self._experience.add(result.evaluation)
        self.progress.finished_now += 1
        # With promotion a finished trial may be promoted.
        self._exhausted = self._exhausted and not self._first
        self._failures = self._failures + 1 if result.evaluation.outcome == "failed" else 0
        if self._failures == self.progress.finished_now == _FAILURES:
            raise ManyFailures(f"the first {_FAILURES} trials failed: {result.evaluation.reason}")
