"""A study from Python: the same walk as the commands, without a shell."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from sweep.audio.dataset import Dataset, open_dataset
from sweep.audio.sources import SOURCES
from sweep.errors import SpecError, StudyError
from sweep.export import export_trial, same_clips
from sweep.space import Space
from sweep.study import RESULTS
from sweep.study.confirm import confirm
from sweep.study.finalist import Finalist
from sweep.study.launch import launch
from sweep.study.picks import pick
from sweep.study.progress import SearchProgress
from sweep.study.records import StudyRecord
from sweep.study.samplers import make_sampler
from sweep.study.storage import StudyFolder, study_name
from sweep.study.table import best_candidates, front, table


class Watcher(Protocol):
    """Whom a long piece of work tells how it stands."""

    def note(self, what: str, share: float) -> None:
        """Take note of a step of preparation and the share of it that is done."""

    def say(self, text: str) -> None:
        """Take a line that stays."""

    def show(self, progress: SearchProgress) -> None:
        """Take how a search stands, a few times a second."""

    def count(self, what: str, done: int, total: int) -> None:
        """Take how many trainings of a kind are done."""


class Silent:
    """A watcher that says nothing."""

    def note(self, what: str, share: float) -> None:
        """Pass over a step of preparation."""

    def say(self, text: str) -> None:
        """Pass over a line."""

    def show(self, progress: SearchProgress) -> None:
        """Pass over how a search stands."""

    def count(self, what: str, done: int, total: int) -> None:
        """Pass over how many trainings are done."""


class Study:
    """A study on disk; what is asked of it is read anew each time.

    Args:
        folder: where it lives.
    """

    def __init__(self, folder: StudyFolder) -> None:
        self.folder = folder

    @property
    def name(self) -> str:
        """The study's name."""
        return self.folder.name

    @property
    def record(self) -> StudyRecord:
        """The study as plain records.

        Raises:
            StudyError: if it cannot be read.
        """
        return self.folder.record()

    @property
    def trials(self) -> pd.DataFrame:
        """One row a trial; see ``sweep.table``."""
        return table(self.record)

    def front(self) -> pd.DataFrame:
        """Return the feasible trials that none dominates, the best in the first objective first."""
        record = self.record
        trials = table(record)
        return front(trials[trials["outcome"] == "feasible"], record.space.file.objectives)

    def pick(self, word: str) -> pd.Series:
        """Return the row of the trial that ``smallest``, ``fastest``, ... stands for.

        Raises:
            NothingFeasible: if no trial is feasible.
            SpecError: if there is no such word.
        """
        record = self.record
        return pick(table(record), word, record.space, record.confirmed())

    def finalists(
        self,
        top: int = 5,
        seeds: int = 5,
        folds: int = 5,
        *,
        data: str | Path | None = None,
        workers: int | None = None,
        watcher: Watcher = Silent(),
        opened: Callable[[Dataset], None] = lambda dataset: None,
    ) -> list[Finalist]:
        """Train the likely best trials again and measure them on the test clips, once.

        Args:
            top: how many trials.
            seeds: how many trainings of each.
            folds: by how many folds of speakers four times as many are judged first; 0 for none.
            data: the folder of recordings, if it has moved.
            workers: processes; as many as there are processor cores by default.
            watcher: told how it stands.
            opened: given the data set in the end.

        Raises:
            NothingFeasible: if no trial is feasible.
            SweepError: for what else the user can act on.
        """
        if folds == 1:
            raise SpecError("--folds: 1 holds everybody out; name 2 or more, or 0 for none")
        record = self.record
        dataset = same_clips(record, None if data is None else str(data), watcher.note)
        found = confirm(
            record,
            dataset,
            self.folder,
            top=top,
            seeds=seeds,
            folds=folds,
            workers=workers or processor_cores(),
            listen=watcher.count,
            say=watcher.say,
        )
        opened(dataset)
        return found

    def export(
        self,
        which: str | int = "smallest",
        out: str | Path | None = None,
        *,
        data: str | Path | None = None,
        with_c: bool = False,
        watcher: Watcher = Silent(),
    ) -> dict[str, Any]:
        """Write a trial as a folder to deploy, measured again.

        Args:
            which: the number of a trial, or a word for one: see ``pick``.
            out: the folder; named after study and trial by default.
            data: the folder of recordings, if it has moved.
            with_c: whether the front end is written as C, too.
            watcher: told how it stands.

        Returns:
            What ``metadata.json`` holds.

        Raises:
            NothingFeasible: if no trial is feasible.
            SweepError: for what else the user can act on.
        """
        number = which if isinstance(which, int) else int(self.pick(which)["trial"])
        target = Path(out) if out is not None else Path(f"{self.name}-{number}")
        source = None if data is None else str(data)
        note = watcher.note
        return export_trial(self.folder, self.record, number, source, target, note, with_c)

    def report(self) -> Path:
        """Write the page of the study; return where it is."""
        from sweep.report.page import write

        return write(self.record, self.folder.report)


def load(study: str | Path, results: str | Path = RESULTS, storage: str | None = None) -> Study:
    """Return a study that is there.

    Args:
        study: its name, or its folder.
        results: the folder of studies.
        storage: an Optuna storage URL, if it is not SQLite in its folder.

    Raises:
        StudyError: if there is none.
    """
    return Study(StudyFolder.find(str(study), Path(results), storage))


def run(
    space: str | Path | Space,
    *,
    study: str | None = None,
    data: str | Path | None = None,
    lists: str | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    key: str | Path | None = None,
    storage: str | None = None,
    warm_start: str | None = None,
    results: str | Path = RESULTS,
    watcher: Watcher = Silent(),
    opened: Callable[[Dataset], None] = lambda dataset: None,
    **search: Any,
) -> Study:
    """Search, or go on searching.

    Args:
        space: a search space, its file, or the name of one that comes along.
        study: the study's name; that of the file by default.
        data: the folder of recordings, or the name of a source, in place of the file's.
        lists: split by the lists that begin so; see ``Space.with_data``.
        workers: processes; as many as there are processor cores by default.
        scheduler: the address of a Dask scheduler to use instead.
        key: the file with the key of that scheduler.
        storage: an Optuna storage URL, in place of SQLite in the study's folder.
        warm_start: a study whose front is tried first.
        results: the folder of studies.
        watcher: told how it stands.
        opened: given the data set before the search begins.
        search: what else ``search:`` of a file takes, such as ``trials`` or ``timeout``.

    Raises:
        SweepError: or one of its children, for what the user can act on.
    """
    wanted = space if isinstance(space, Space) else Space.load(space)
    wanted = wanted.with_search(**search).with_data(None if data is None else str(data), lists)
    # Before any clip is fetched: a sampler may not suit the space.
    make_sampler(wanted, wanted.file.search.sampler, wanted.file.search.seed)
    folder = StudyFolder(Path(results), study or study_name(Path(wanted.origin)), storage)
    wanted = folder.spelled(wanted)
    made_with = folder.made_with()
    if wanted.file.dataset.source in SOURCES and made_with not in (None, *SOURCES):
        raise StudyError(
            f"{folder.path}: made with the clips of {made_with}; name them with --data, or another"
            " --study to start anew"
        )
    if warm_start is not None:
        known = StudyFolder.find(warm_start, Path(results), storage).record()
        wanted = wanted.beginning_with(best_candidates(known))
    dataset = open_dataset(wanted.file.dataset.spec(), watcher.note)
    opened(dataset)
    launch(
        wanted,
        dataset,
        folder,
        workers=workers or processor_cores(),
        scheduler=scheduler,
        key=None if key is None else Path(key),
        listen=watcher.show,
        say=watcher.say,
    )
    return Study(folder)


def processor_cores() -> int:
    """Return how many processor cores this process may use."""
    from dask.system import CPU_COUNT

    return int(CPU_COUNT)
