"""A study and its trials as plain records, read back from storage."""

import shlex
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sweep.audio.balance import Balance
from sweep.audio.speakers import Speakers
from sweep.c.cores import Target
from sweep.c.estimate import ESTIMATED
from sweep.candidate import Candidate
from sweep.evaluation import OUTCOMES, Evaluation
from sweep.metrics import ACCURACY, Measured
from sweep.space import Space
from sweep.study.finalist import Finalist


@dataclass(frozen=True)
class TrialRecord:
    """A finished trial: its candidate, its evaluation, and when it ran."""

    number: int
    candidate: Candidate
    evaluation: Evaluation
    started: datetime
    finished: datetime


@dataclass(frozen=True)
class StudyRecord:
    """A study as stored.

    Attributes:
        name: the study's name.
        space: its search space.
        trials: its finished trials, oldest first.
        about: how the study was made: command, versions, seed, clips per split, speakers, number
            of folds, data fingerprint, source of the clips.
        finalists: the trials that were retrained and tested.
        tested: every trial that was ever measured on the test clips.
        folder: its path, unless it is in ``results`` in the working directory.
        storage: the Optuna storage URL without its password, unless it is SQLite in the folder.
    """

    name: str
    space: Space
    trials: tuple[TrialRecord, ...]
    about: dict[str, Any] = field(default_factory=dict)
    finalists: tuple[Finalist, ...] = ()
    folder: str = ""
    storage: str = ""
    tested: tuple[int, ...] = ()

    @property
    def argument(self) -> str:
        """The study as an argument of commands: its name, or its folder if that is elsewhere."""
        named = shlex.quote(self.folder or self.name)
        return f"{named} --storage {shlex.quote(self.storage)}" if self.storage else named

    @property
    def speaker_caution(self) -> str:
        """Why the accuracies may not apply to new speakers; see ``Speakers.caution``."""
        speakers = self.about.get("speakers")
        return Speakers.from_json(speakers).caution if speakers else ""

    @property
    def balance_caution(self) -> str:
        """A caution if some labels have many more clips than others; else empty.

        It counts the feasible trials that may be no better than a network that always predicts the
        most frequent label: the 95 % interval of their accuracy includes that label's share.
        """
        trained = [trial.evaluation for trial in self.trials if trial.evaluation.confusion]
        labels = self.about.get("labels")
        if not trained or not labels:
            return ""
        balance = Balance.of_confusion(labels, trained[0].confusion)
        if not balance.unequal:
            return ""
        told = f"{balance.commonest} is {balance.share:.0%} of the {self.judged_on}"
        feasible = [one for one in trained if one.outcome == "feasible"]
        doubtful = sum(not _beats(one, balance.share) for one in feasible)
        if not doubtful:
            return told
        count = f"{doubtful} of {len(feasible)} feasible trials"
        return f"{told}; {count} are not shown to be better than always predicting it"

    @property
    def voice_caution(self) -> str:
        """A caution if all clips are synthetic; else empty."""
        if self.about.get("source") != "synthetic":
            return ""
        return "all clips are synthetic speech; recorded speech may be misclassified"

    @property
    def cautions(self) -> list[str]:
        """Cautions about the results, a sentence each."""
        told = (self.voice_caution, self.speaker_caution, self.balance_caution)
        of_clips = [text for text in told if text]
        of_core = [ESTIMATED] if self.target and not self.target.counted else []
        return of_clips + of_core + self.space.cautions

    @property
    def target(self) -> Target | None:
        """The core that its candidates are for."""
        if self.space.target is None:
            return None
        return Target(self.space.target, not self.about.get("estimated"))

    @property
    def tested_on(self) -> str:
        """The clips that finalists are measured on, in words; see ``Finalist.tested_on``."""
        return next((one.tested_on for one in self.finalists), "test clips")

    @property
    def judged_on(self) -> str:
        """The clips that trials are measured on, in words."""
        folds = self.about.get("folds")
        if not folds:
            return "validation clips"
        return f"clips of {folds} folds, each answered by a network trained without its fold"

    def confirmed(self) -> dict[int, Finalist]:
        """Return the finalists that meet every limit, by trial."""
        return {one.trial: one for one in self.finalists if one.holds(self.space.limits)}

    def funnel(self) -> dict[str, int]:
        """Return the number of trials of each outcome, in the order of ``OUTCOMES``."""
        counts: Counter[str] = Counter(trial.evaluation.outcome for trial in self.trials)
        return {outcome: counts[outcome] for outcome in OUTCOMES}


def _beats(evaluation: Evaluation, share: float) -> bool:
    """Return whether the 95 % interval of the accuracy is above ``share``."""
    found = Measured({}, evaluation.confusion)
    name = ACCURACY.name
    return ACCURACY.interval(found[name], found.exposures()[name])[0] > share
