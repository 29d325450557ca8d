"""Fake studies written to real storage, trial by trial, as a sweep does."""

from pathlib import Path

import optuna

from sweep.study.finalist import Finalist
from sweep.study.records import StudyRecord
from sweep.study.storage import StudyFolder
from sweep.study.trials import finish

from .fake_studies import with_finalists


class RunningSweep:
    """A running sweep: it keeps its study's database open.

    Args:
        results: the folder of studies.
        record: the fake study whose trials it will write.
        about: facts added to those of the record.
    """

    def __init__(self, results: Path, record: StudyRecord, **about) -> None:
        self.folder = StudyFolder(results, record.name)
        self.folder.path.mkdir(parents=True)
        facts = dict(record.about) | {"fingerprint": "made up"} | about
        self._study = self.folder.create(record.space, optuna.samplers.RandomSampler(0), facts)
        self._space, self._coming = record.space, list(record.trials)

    def end(self, trials: int = 1) -> int:
        """Finish the next trials; return the number of the last."""
        distributions = self._space.distributions
        for coming in [self._coming.pop(0) for _ in range(trials)]:
            parameters = coming.candidate.parameters()
            asked = {name: parameters[name] for name in distributions if name in parameters}
            self._study.enqueue_trial(asked)
            trial = self._study.ask(distributions)
            if coming.evaluation.outcome == "feasible":
                self.folder.keep_files(trial, {"model.tflite": model_of(trial.number)})
            finish(self._study, trial, coming.evaluation)
        return trial.number

    def train_again(self, top: int) -> list[Finalist]:
        """Retrain the best trials; return them as finalists."""
        finalists = with_finalists(self.folder.record(), top).finalists
        self.folder.keep_finalists(finalists)
        return list(finalists)

    def stop(self) -> None:
        """Close the database."""
        self.folder.close()


def model_of(number: int) -> bytes:
    """Return fake bytes of a trial's model."""
    return b"model of trial %d " % number * 50
