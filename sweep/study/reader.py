"""Repeated reading of growing studies, without writing and without blocking the writer."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import optuna
from optuna.storages import RDBStorage

from sweep.errors import SpecError, StudyError
from sweep.study.database import read_only_url, readable_errors
from sweep.study.records import StudyRecord
from sweep.study.storage import StudyFolder, finalists_of, tested_of
from sweep.study.trials import trial_records

_PATIENCE_IN_S = 1.0


class StudyReader:
    """A study that is read again only if its storage has changed.

    A SQLite file at rest is opened as immutable and one with a write-ahead log as read-only, so
    that reading creates no file.

    Args:
        folder: where the study lives.
        storage: the Optuna storage URL, if it is not the SQLite file in the folder.
    """

    def __init__(self, folder: StudyFolder, storage: str | None = None) -> None:
        self.path, self.name = folder.path, folder.name
        self._database, self._storage = folder.database, storage
        self._lock = threading.Lock()
        self._opened: object = None
        self._stamp: object = None
        self._folder = folder
        self._study: optuna.Study | None = None
        self._record: StudyRecord | None = None

    def record(self) -> StudyRecord:
        """Return the current record: the same object until another trial has finished.

        Raises:
            StudyError: if it is gone or cannot be read.
        """
        with self._lock:
            stamp = self._now()
            if self._record is None or stamp != self._stamp:
                try:
                    self._record = self._read()
                except StudyError:
                    self._record = None
                    raise
                self._stamp = stamp
            return self._record

    def read_file(self, trial: int, name: str) -> bytes:
        """Return a file of a trial.

        Raises:
            StudyError: if the trial has no such file, or it is gone.
        """
        return StudyFolder(self.path.parent, self.name, self._address()).read_file(trial, name)

    def _now(self) -> object:
        """Return a value that differs after the storage has changed."""
        if self._storage is not None:
            return time.monotonic() // _PATIENCE_IN_S
        try:
            return [
                (file.stat().st_mtime_ns, file.stat().st_size)
                for file in (self._database, self._log)
                if file.exists()
            ]
        except OSError:
            return None

    @property
    def _log(self) -> Path:
        return self._database.with_name(self._database.name + "-wal")

    def _address(self) -> str:
        if self._storage is not None:
            return self._storage
        if not self._database.is_file():
            raise StudyError(f"no study at {self.path}")
        return read_only_url(self._database)

    def _read(self) -> StudyRecord:
        address = self._address()
        source = address, self._storage or self._database.stat().st_ino
        if self._study is None or self._record is None or source != self._opened:
            self._folder = StudyFolder(self.path.parent, self.name, address)
            self._opened, self._study = source, self._folder.load()
            return self._folder.record()
        try:
            with readable_errors(self.path):
                trials = self._study.get_trials(deepcopy=False)
                attributes = self._study.user_attrs
        finally:
            self._folder.close()
        known = {trial.number for trial in self._record.trials}
        finalists = finalists_of(attributes, self._record.space.metrics)
        tested = tested_of(attributes)
        new = trial_records(self._record.space, (t for t in trials if t.number not in known))
        if not new and finalists == self._record.finalists:
            return self._record
        grown = sorted((*self._record.trials, *new), key=lambda trial: trial.number)
        return replace(self._record, trials=tuple(grown), finalists=finalists, tested=tested)


class Studies:
    """The studies that a server shows.

    Args:
        results: the folder of studies.
        storage: the Optuna storage URL that holds them, if they are not SQLite files in folders.
        only: the only study to show; all by default.
    """

    def __init__(self, results: Path, storage: str | None = None, only: str | None = None) -> None:
        self._results, self._storage, self.only = results, storage, only
        self._readers: dict[str, StudyReader] = {}

    @classmethod
    def find(cls, study: str | None, results: Path, storage: str | None = None) -> "Studies":
        """Return one study, given by name or path, or all studies.

        Raises:
            StudyError: if there is no such study.
        """
        if study is None:
            return cls(results, storage)
        folder = StudyFolder.find(study, results, storage)
        return cls(folder.path.parent, storage, folder.name)

    def names(self) -> list[str]:
        """Return the names of the studies, sorted.

        Raises:
            StudyError: if the storage cannot be read.
        """
        if self.only is not None:
            return [self.only]
        if self._storage is None:
            return sorted(file.parent.name for file in self._results.glob("*/study.db"))
        with readable_errors(self._results):
            storage = RDBStorage(self._storage)
            try:
                return sorted(optuna.get_all_study_names(storage))
            finally:
                storage.engine.dispose()

    def study(self, name: str) -> StudyReader:
        """Return a study.

        Raises:
            StudyError: if there is none of that name.
        """
        if name not in self._readers:
            if name not in self.names():
                raise StudyError(f"there is no study {name!r} here")
            try:
                folder = StudyFolder(self._results, name, self._storage)
            except SpecError as error:
                raise StudyError(str(error)) from error
            self._readers[name] = StudyReader(folder, self._storage)
        return self._readers[name]
