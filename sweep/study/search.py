"""The search: ask, submit, tell, until the budget is spent; everything kept as it comes."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from sweep.candidate import Evaluation
from sweep.space import Space
from sweep.study.engine import Answer, Engine
from sweep.study.storage import StudyFolder, finish, readable_errors, stored_evaluation

_REPEATS_ENDURED = 20
_DRAWS = 2000
_TICK_IN_S = 0.25


@dataclass
class SearchProgress:
    """How a search stands; trials of earlier runs count too.

    Attributes:
        budget: how many trials there may be, the invalid not counted.
        objectives: ``{metric: "maximize" or "minimize"}``.
        outcomes: how many trials ended how.
        best: the best value of each objective among feasible trials.
        running: how many are being evaluated.
        finished_now: how many this run has finished, and ``seconds`` how long it took.
    """

    budget: int
    objectives: dict[str, str]
    outcomes: Counter[str] = field(default_factory=Counter)
    best: dict[str, float] = field(default_factory=dict)
    running: int = 0
    finished_now: int = 0
    seconds: float = 0.0

    @property
    def done(self) -> int:
        """Trials that count towards the budget."""
        return self.outcomes.total() - self.outcomes["invalid"]

    @property
    def seconds_left(self) -> float | None:
        """Time the rest of the budget will take at the pace so far; None before there is one."""
        if self.finished_now == 0:
            return None
        return (self.budget - self.done) * self.seconds / self.finished_now

    def add(self, evaluation: Evaluation) -> None:
        """Count one more finished trial."""
        self.outcomes[evaluation.outcome] += 1
        if evaluation.outcome == "feasible":
            for metric, way in self.objectives.items():
                value = getattr(evaluation.result, metric)
                better = max if way == "maximize" else min
                self.best[metric] = better(value, self.best.get(metric, value))


class Search:
    """One run of a study; it owns the study until it ends.

    Args:
        space: what to search.
        study: the study, new or begun; trials that were cut short are run again.
        folder: where files of feasible trials go.
        engine: the workers.
        timeout_s: after how many seconds to ask for no more trials; None for never.
        listen: called whenever something has changed, and a few times a second besides.
    """

    def __init__(
        self,
        space: Space,
        study: optuna.Study,
        folder: StudyFolder,
        engine: Engine,
        timeout_s: float | None = None,
        listen: Callable[[SearchProgress], None] = lambda progress: None,
    ) -> None:
        self.space, self.study, self.folder, self.engine = space, study, folder, engine
        self.progress = SearchProgress(space.file.search.trials, dict(space.file.objectives))
        self._deadline = None if timeout_s is None else time.monotonic() + timeout_s
        self._listen = listen
        self._taken: set[str] = set()
        self._trials: dict[int, optuna.Trial] = {}
        self._rng = np.random.default_rng(space.file.search.seed)
        self._exhausted = False

    def run(self) -> SearchProgress:
        """Spend the budget; return how the search ended.

        Raises:
            StudyError: if the study's storage fails.
            SweepError: if a worker met something the user has to mend.
        """
        begin = time.monotonic()
        with readable_errors(self.folder.path):
            self._pick_up()
            while True:
                while self._may_ask():
                    self._ask()
                if not self.engine.busy:
                    break
                answer = self.engine.wait(_TICK_IN_S)
                if answer is not None:
                    self._tell(answer)
                self.progress.running = self.engine.busy
                self.progress.seconds = time.monotonic() - begin
                self._listen(self.progress)
        return self.progress

    def _pick_up(self) -> None:
        """Count what is finished, and take what was cut short back to work."""
        trials = self.study.get_trials(deepcopy=False)
        if not trials:
            for parameters in self.space.file.search.enqueue:
                self.study.enqueue_trial(parameters)
        for frozen in trials:
            evaluation = stored_evaluation(frozen)
            if frozen.state == TrialState.RUNNING:
                self._resume(frozen, evaluation)
            elif evaluation is not None:
                self.progress.add(evaluation)
                self._taken.add(self.space.candidate(frozen.params).key())

    def _resume(self, frozen: FrozenTrial, evaluation: Evaluation | None) -> None:
        trial = optuna.Trial(self.study, frozen._trial_id)
        if evaluation is not None:
            finish(self.study, trial, evaluation)
            self.progress.add(evaluation)
        elif set(frozen.params) != set(self.space.varying):
            self.study.tell(trial, state=TrialState.FAIL)
        else:
            self._consider(trial)

    def _may_ask(self) -> bool:
        left = self.progress.budget - self.progress.done - self.engine.busy
        in_time = self._deadline is None or time.monotonic() < self._deadline
        room = self.engine.busy < self.engine.capacity
        return left > 0 and in_time and room and not self._exhausted

    def _ask(self) -> None:
        """Ask until a candidate is worth evaluating, and send it off."""
        for _ in range(_REPEATS_ENDURED):
            if self._consider(self.study.ask(self.space.varying)):
                return
        fresh = self._untried()
        if fresh is None:
            self._exhausted = True
            return
        self.study.enqueue_trial(fresh)
        self._consider(self.study.ask(self.space.varying))

    def _consider(self, trial: optuna.Trial) -> bool:
        """Submit a trial's candidate if it is allowed and new; tell whether it was."""
        candidate = self.space.candidate(trial.params)
        objection = self.space.objection(candidate)
        if objection is not None:
            invalid = Evaluation("invalid", objection)
            finish(self.study, trial, invalid)
            self.progress.add(invalid)
            return False
        if candidate.key() in self._taken:
            self.study.tell(trial, state=TrialState.FAIL)
            return False
        self._taken.add(candidate.key())
        self._trials[trial.number] = trial
        self.engine.submit(trial.number, candidate)
        return True

    def _untried(self) -> dict[str, object] | None:
        """Return a combination that is allowed and new, drawn at random; None if none is left."""
        size = self.space.size()
        if size is not None and size <= _DRAWS:
            combinations = list(self.space.combinations())
            self._rng.shuffle(combinations)
        else:
            combinations = [self.space.draw(self._rng) for _ in range(_DRAWS)]
        for parameters in combinations:
            candidate = self.space.candidate(parameters)
            if candidate.key() not in self._taken and self.space.objection(candidate) is None:
                return parameters
        return None

    def _tell(self, answer: Answer) -> None:
        trial = self._trials.pop(answer.number)
        if answer.files:
            self.folder.keep_files(trial, answer.files)
        finish(self.study, trial, answer.evaluation)
        self.progress.add(answer.evaluation)
        self.progress.finished_now += 1
