"""The Python API of a study; the commands call it too."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from sweep.audio.dataset import Dataset, open_dataset
from sweep.audio.sources.lookup import is_folder
from sweep.errors import SpecError, StudyError
from sweep.export import export_trial, same_clips
from sweep.relearning import Changed, relearn
from sweep.replay import Replay, replay
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
    """Receives the progress of long work."""

    def note(self, what: str, share: float) -> None:
        """Receive a step of preparation and the share of it that is done."""

    def say(self, text: str) -> None:
        """Receive a line of text to keep."""

    def show(self, progress: SearchProgress) -> None:
        """Receive the progress of a search, a few times per second."""

    def count(self, what: str, done: int, total: int) -> None:
        """Receive how many trainings of one sort are done."""


class Silent:
    """A watcher that prints nothing."""

    def note(self, what: str, share: float) -> None:
        """Ignore a step of preparation."""

    def say(self, text: str) -> None:
        """Ignore a line."""

    def show(self, progress: SearchProgress) -> None:
        """Ignore the progress of a search."""

    def count(self, what: str, done: int, total: int) -> None:
        """Ignore how many trainings are done."""


class Study:
    """A study on disk; every call reads it again.

    Args:
        folder: its folder.
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
        """One row per trial; see ``sweep.study.table.table``."""
        return table(self.record)

    def front(self) -> pd.DataFrame:
        """Return the Pareto front of the feasible trials, sorted by the first objective."""
        record = self.record
        trials = table(record)
        return front(trials[trials["outcome"] == "feasible"], record.space.file.objectives)

    def pick(self, criterion: str) -> pd.Series:
        """Return the row of the best trial by ``smallest``, ``fastest``, ``balanced``, ...

        Raises:
            NothingFeasible: if no trial is feasible.
            SpecError: if there is no such criterion.
        """
        record = self.record
        return pick(table(record), criterion, record.space, record.confirmed())

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
        """Retrain the most promising trials and measure them on the test clips, once.

        Args:
            top: how many trials.
            seeds: how many trainings of each trial.
            folds: cross-validate four times as many trials over this many folds of speakers first;
                0 for none.
            data: the folder of recordings, if it was moved.
            workers: number of processes; by default one per processor core.
            watcher: receives the progress.
            opened: called with the data set at the end.

        Raises:
            NothingFeasible: if no trial is feasible.
            SweepError: for any other error the user can fix.
        """
        if folds == 1:
            raise SpecError("--folds: 1 leaves nobody to train on; write 2 or more, or 0 for none")
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
        """Measure a trial again and write it as a folder to deploy.

        Args:
            which: the number of a trial, or a criterion of ``pick``.
            out: the folder; named after study and trial by default.
            data: the folder of recordings, if it was moved.
            with_c: whether to write the front end as C, too.
            watcher: receives the progress.

        Returns:
            The content of ``metadata.json``.

        Raises:
            NothingFeasible: if no trial is feasible.
            SweepError: for any other error the user can fix.
        """
        number = which if isinstance(which, int) else int(self.pick(which)["trial"])
        target = Path(out) if out is not None else Path(f"{self.name}-{number}")
        source = None if data is None else str(data)
        note = watcher.note
        return export_trial(self.folder, self.record, number, source, target, note, with_c)

    def replay(
        self, trial: int, *, data: str | Path | None = None, watcher: Watcher = Silent()
    ) -> Replay:
        """Train a trial again from its record alone, and compare.

        Args:
            trial: its number.
            data: the folder of recordings, if it was moved.
            watcher: receives the progress.

        Raises:
            SweepError: if it was not trained to its end, or for any error the user can fix.
        """
        source = None if data is None else str(data)
        return replay(self.folder, self.record, trial, source, watcher.note)

    def relearn(
        self,
        trial: int,
        clips: str | Path,
        *,
        trainings: int = 3,
        data: str | Path | None = None,
        workers: int | None = None,
        watcher: Watcher = Silent(),
    ) -> list[Changed]:
        """Train a trial again without and with clips that ``sweep data mine`` cut out.

        Args:
            trial: its number.
            clips: the folder they were written to.
            trainings: of each.
            data: the folder of recordings, if it was moved.
            workers: number of processes; by default one per processor core.
            watcher: receives the progress.

        Raises:
            SweepError: if it cannot be trained, or for any error the user can fix.
        """
        return relearn(
            self.folder,
            self.record,
            trial,
            Path(clips),
            trainings=trainings,
            workers=workers or processor_cores(),
            source=None if data is None else str(data),
            progress=watcher.note,
        )

    def report(self) -> Path:
        """Write the report of the study; return its path."""
        from sweep.report.page import write

        return write(self.record, self.folder.report)


def load(study: str | Path, results: str | Path = RESULTS, storage: str | None = None) -> Study:
    """Open an existing study.

    Args:
        study: its name, or its folder.
        results: the folder of studies.
        storage: an Optuna storage URL, if the study is not SQLite in its folder.

    Raises:
        StudyError: if there is no such study.
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
    measure_on: str | None = None,
    storage: str | None = None,
    warm_start: str | None = None,
    results: str | Path = RESULTS,
    watcher: Watcher = Silent(),
    opened: Callable[[Dataset], None] = lambda dataset: None,
    **search: Any,
) -> Study:
    """Run a search, or resume it.

    Args:
        space: a search space, its file, or the name of a built-in one.
        study: the study's name; the file's by default.
        data: the folder of recordings, or the name of a source, in place of the file's.
        lists: prefix of the lists that split the clips; see ``Space.with_data``.
        workers: number of processes; by default one per processor core.
        scheduler: the address of a Dask scheduler to use instead.
        key: the file with the key of that scheduler.
        measure_on: the model of processor on which latencies count; this machine's by default.
        storage: an Optuna storage URL instead of SQLite in the study's folder.
        warm_start: a study whose front is tried first.
        results: the folder of studies.
        watcher: receives the progress.
        opened: called with the data set before the search starts.
        search: keys of ``search:`` in the file, such as ``trials`` or ``timeout``.

    Raises:
        SweepError: for any error the user can fix.
    """
    wanted = space if isinstance(space, Space) else Space.load(space)
    wanted = wanted.with_search(**search).with_data(None if data is None else str(data), lists)
    # Before clips are downloaded: the sampler may not support the space.
    make_sampler(wanted, wanted.file.search.sampler, wanted.file.search.seed)
    folder = StudyFolder(Path(results), study or study_name(Path(wanted.origin)), storage)
    wanted = folder.spelled(wanted)
    made_with = folder.about().get("source")
    if made_with and is_folder(made_with) and not is_folder(wanted.file.dataset.source):
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
        measure_on=measure_on,
        listen=watcher.show,
        say=watcher.say,
    )
    return Study(folder)


def processor_cores() -> int:
    """Return how many processor cores this process may use."""
    from dask.system import CPU_COUNT

    return int(CPU_COUNT)
