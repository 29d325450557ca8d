"""A study on disk: its folder, its database, its models."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import RDBStorage

from sweep import registry
from sweep.errors import SpecError, StudyError
from sweep.metrics import Metric
from sweep.space import Space
from sweep.study import RESULTS
from sweep.study.artifacts import Artifacts
from sweep.study.compatibility import (
    FORMAT,
    check_clips,
    check_format,
    check_processor,
    check_space,
)
from sweep.study.database import (
    connect,
    read_only_url,
    readable_errors,
    sqlite_file,
    sqlite_url,
    without_password,
)
from sweep.study.finalist import Finalist
from sweep.study.lock import locked, locked_in_server
from sweep.study.records import StudyRecord
from sweep.study.server import ServerStorage
from sweep.study.trials import OBJECTIVES, is_evaluated, no_collection, trial_records

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SPACE, _ABOUT, _FORMAT = "space", "about", "format"
_FINALISTS, _TESTED = "finalists", "tested"

_DAMAGED = (*(LookupError, TypeError, ValueError, AttributeError, AssertionError, ArithmeticError),)

optuna.logging.set_verbosity(optuna.logging.WARNING)


class StudyFolder:
    """The folder ``results/STUDY``; the only code that knows its layout.

    Args:
        results: the folder of studies.
        name: the study's name.
        storage: an Optuna storage URL; by default SQLite in the folder.

    Raises:
        SpecError: if the name is not a plain file name.
    """

    def __init__(self, results: Path, name: str, storage: str | None = None) -> None:
        if not _NAME.fullmatch(name):
            raise SpecError(f"{name!r} cannot name a study; use letters, digits, '.', '_' and '-'")
        self.path = results / name
        self.name = name
        self.database = self.path / "study.db"
        self.worker_log = self.path / "worker.log"
        self.retrainings = self.path / "retrainings"
        self._artifacts = Artifacts(self.path)
        self._inside = storage is None
        self._url = storage or sqlite_url(self.database)
        self._storage: RDBStorage | None = None

    @classmethod
    def find(cls, study: str, results: Path, storage: str | None = None) -> "StudyFolder":
        """Return the folder of a study given by name or by path.

        Raises:
            StudyError: if there is no such study.
        """
        if os.sep in study:
            results, study = Path(study).absolute().parent, Path(study).absolute().name
        folder = cls(results, study, storage)
        try:
            missing = storage is None and not folder.database.is_file()
        except OSError as error:
            raise StudyError(f"{folder.path}: cannot be read: {error.strerror}") from error
        if missing:
            known = sorted(file.parent.name for file in results.glob("*/study.db"))
            there = f"; {results} holds {', '.join(known)}" if known else ""
            raise StudyError(f"no study at {folder.path}{there}; sweep run makes one")
        return folder

    @property
    def report(self) -> Path:
        """Where the report is written: in the folder; in the current one if that is read-only."""
        read_only = self.path.is_dir() and not os.access(self.path, os.W_OK)
        return Path(f"{self.name}.html") if read_only else self.path / "report.html"

    @cached_property
    def _file(self) -> Path | None:
        """The SQLite file of the storage; None in a server."""
        with readable_errors(self.path):
            return sqlite_file(self._url)

    @property
    def _own(self) -> bool:
        return self._inside or self._file == self.database.absolute()

    @contextmanager
    def owned(self) -> Iterator[None]:
        """Be the only coordinator of this study; closes it at the end.

        Raises:
            StudyError: if another process is, or the folder cannot be written.
        """
        files = [self.path / ".lock"]
        if self._file is not None and not self._own:
            files.append(self._file.with_name(f".{self._file.name}.{self.name}.lock"))
        with locked(self.path, files):
            try:
                with locked_in_server(self.path, self._url) as lock:
                    storage = self._connect() if lock else None
                    if lock is not None and isinstance(storage, ServerStorage):
                        storage.before_write = lock.check
                    yield
            finally:
                self.close()
                self._storage = None

    def create(
        self, space: Space, sampler: optuna.samplers.BaseSampler, about: Mapping[str, Any]
    ) -> optuna.Study:
        """Open the study for writing; create it if it is new.

        Raises:
            StudyError: if it was made with another space or other clips, or measures on another
                model of processor; names the difference.
        """
        with readable_errors(self.path):
            study = optuna.create_study(
                study_name=self._stored_name(),
                storage=self._connect(),
                sampler=sampler,
                directions=list(space.file.objectives.values()),
                load_if_exists=True,
            )
            if _SPACE not in study.user_attrs:
                study.set_user_attr(OBJECTIVES, list(space.file.objectives))
                study.set_user_attr(_ABOUT, dict(about))
                study.set_user_attr(_FORMAT, FORMAT)
                study.set_user_attr(_SPACE, space.text())
                return study
            check_format(self.path, study.user_attrs.get(_FORMAT, 1))
            stored = self._stored_space(study.user_attrs)
        check_space(self.path, stored, space)
        check_clips(self.path, study.user_attrs[_ABOUT], about)
        check_processor(self.path, study.user_attrs[_ABOUT], about)
        self._artifacts.keep_only(filter(is_evaluated, study.get_trials(deepcopy=False)))
        return study

    def about(self) -> dict[str, Any]:
        """Return how the study was made; nothing if it does not exist yet."""
        about: dict[str, Any] = self._attributes().get(_ABOUT, {})
        return about

    def spelled(self, space: Space) -> Space:
        """Return a space with choices and labels in the study's order, and its clip length.

        Raises:
            StudyError: if the study was made with another space; names the difference.
        """
        attributes = self._attributes()
        if _SPACE not in attributes:
            return space
        known = self._stored_space(attributes)
        space = space.with_clip_length(known.clip_length_in_s)
        check_space(self.path, known, space)
        return space.spelled_like(known)

    def _stored_space(self, attributes: Mapping[str, Any]) -> Space:
        """Return the study's space; its plugins are searched in the folders stored with it."""
        about = attributes[_ABOUT]
        for folder in about.get("plugin_folders", ()) if isinstance(about, Mapping) else ():
            registry.search_in(folder)
        return Space.parse(attributes[_SPACE], str(self.path))

    def _attributes(self) -> Mapping[str, Any]:
        """Return the attributes of the study; none if it does not exist yet."""
        if self._inside and not self.database.is_file():
            return {}
        with self._reading():
            names = optuna.get_all_study_names(self._connect())
            found = self.load().user_attrs if self._stored_name() in names else {}
            if _SPACE in found:
                check_format(self.path, found.get(_FORMAT, 1))
            return found

    def load(self) -> optuna.Study:
        """Open the study for reading; call ``close`` when done.

        Raises:
            StudyError: if it does not exist or cannot be read.
        """
        try:
            with readable_errors(self.path):
                return optuna.load_study(study_name=self._stored_name(), storage=self._connect())
        except KeyError as error:
            raise StudyError(f"{self.path}: the storage holds no study {self.name!r}") from error

    def record(self) -> StudyRecord:
        """Return the study as plain records."""
        with self._reading(), no_collection():
            study = self.load()
            attributes = study.user_attrs
            if _SPACE not in attributes:
                raise StudyError(f"{self.path}: the study was never begun; run it again")
            check_format(self.path, attributes.get(_FORMAT, 1))
            space = self._stored_space(attributes)
            return StudyRecord(
                name=self.name,
                space=space,
                trials=trial_records(space, study.get_trials(deepcopy=False)),
                about=dict(attributes[_ABOUT]),
                finalists=finalists_of(attributes, space.metrics),
                tested=tested_of(attributes),
                folder=self._folder(),
                storage="" if self._own else without_password(self._url),
            )

    def _folder(self) -> str:
        """Return the path of the folder; empty if commands find the study by its name."""
        if self.path.absolute().parent == RESULTS.absolute():
            return ""
        return str(self.path) if os.sep in str(self.path) else f".{os.sep}{self.path}"

    def keep_finalists(self, finalists: Iterable[Finalist]) -> None:
        """Store the finalists in place of older ones; the list of tested trials only grows."""
        with self._reading():
            study, kept = self.load(), [one.to_json() for one in finalists]
            tested = {*tested_of(study.user_attrs), *(one["trial"] for one in kept)}
            study.set_user_attr(_TESTED, sorted(tested))
            study.set_user_attr(_FINALISTS, kept)

    def keep_files(self, trial: optuna.Trial, files: Mapping[str, bytes]) -> None:
        """Store files of a trial, by name."""
        self._artifacts.keep(trial, files)

    def read_file(self, trial: int, name: str) -> bytes:
        """Return a file of a trial.

        Raises:
            StudyError: if the trial has no such file, or it cannot be read.
        """
        with self._reading():
            trials = self.load().get_trials(deepcopy=False)
        return self._artifacts.read(trials, trial, name)

    def close(self) -> None:
        """Close the connections to the database; the next use opens new ones."""
        if self._storage is not None:
            self._storage.engine.dispose()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Close the database at the end; turn what it cannot contain into one line."""
        try:
            with readable_errors(self.path):
                yield
        except _DAMAGED as error:
            raise StudyError(
                f"{self.path}: the study cannot be understood, it is damaged or of another version"
                f" ({type(error).__name__})"
            ) from error
        finally:
            self.close()

    def _stored_name(self) -> str:
        """Return the study's name in the storage; its folder may have been renamed or copied."""
        if self._own:
            names = optuna.get_all_study_names(self._connect())
            return names[0] if len(names) == 1 else self.name
        return self.name

    def _connect(self) -> RDBStorage:
        if self._storage is None:
            url = self._url
            if self._inside and self.database.is_file() and not os.access(self.path, os.W_OK):
                url = read_only_url(self.database)
            try:
                self._storage = connect(url)
            except (RuntimeError, AssertionError) as error:
                raise StudyError(
                    f"{self.path}: the storage is damaged or of another version of Optuna"
                ) from error
        return self._storage


def tested_of(attributes: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the trials ever measured on the test clips, stored in a study's attributes."""
    return tuple(attributes.get(_TESTED, ()))


def study_name(space: Path) -> str:
    """Return the name of a search-space file as that of its study.

    Raises:
        SpecError: if a study cannot have that name; suggests another.
    """
    if _NAME.fullmatch(space.stem):
        return space.stem
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", space.stem).lstrip("._-")[:100] or "words"
    raise SpecError(f"{space}: {space.stem!r} cannot name a study; add --study {name}")


def finalists_of(
    attributes: Mapping[str, Any], metrics: Mapping[str, Metric]
) -> tuple[Finalist, ...]:
    """Return the finalists stored in a study's attributes."""
    return tuple(Finalist.from_json(one, metrics) for one in attributes.get(_FINALISTS, ()))
