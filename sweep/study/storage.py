"""Where a study lives: its folder, its database, its models."""

import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import optuna
import sqlalchemy
from filelock import FileLock, Timeout
from optuna.artifacts import FileSystemArtifactStore, upload_artifact
from optuna.storages import RDBStorage

from sweep import registry
from sweep.errors import SpecError, StudyError
from sweep.metrics import Metric
from sweep.space import Space
from sweep.study import RESULTS
from sweep.study.finalist import Finalist
from sweep.study.records import StudyRecord
from sweep.study.trials import OBJECTIVES, no_collection, trial_records

_LOCK_PATIENCE_IN_S = 60
"""How long a write waits for another program that holds the SQLite file."""

_PASSWORD = re.compile(r"((?<=://)[^:/@\s]*:)[^@\s]+(?=@)|(?<=password=)[^&\s'\"]+")
_READ_ONLY = {True: "mode=ro", False: "immutable=1"}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SPACE, _ABOUT, _FILES = "space", "about", "files"
FORMAT = 2
"""What a study looks like in the storage; another number for whatever cannot be read as this is."""

_FORMAT, _FINALISTS, _TESTED = "format", "finalists", "tested"

_STORAGE_ERRORS = (
    sqlalchemy.exc.SQLAlchemyError,
    optuna.exceptions.OptunaError,
    ImportError,  # the driver of another database than SQLite
    OSError,
)

_NOT_UNDERSTOOD = (LookupError, TypeError, ValueError, AttributeError, AssertionError)

optuna.logging.set_verbosity(optuna.logging.WARNING)


class StudyFolder:
    """``results/STUDY``: the one place that knows what lies where.

    Args:
        results: the folder of studies.
        name: the study's name.
        storage: an Optuna storage URL; by default SQLite in the folder.

    Raises:
        SpecError: if the name could lead out of the results folder.
    """

    def __init__(self, results: Path, name: str, storage: str | None = None) -> None:
        if not _NAME.fullmatch(name):
            raise SpecError(f"{name!r} cannot name a study; use letters, digits, '.', '_' and '-'")
        self.path = results / name
        self.name = name
        self.database = self.path / "study.db"
        self.report = self.path / "report.html"
        self.worker_log = self.path / "worker.log"
        self.retrainings = self.path / "retrainings"
        self._artifact_folder = self.path / "artifacts"
        self._inside = storage is None
        self._url = storage or sqlite_url(self.database)
        self._storage: RDBStorage | None = None

    @classmethod
    def find(cls, study: str, results: Path, storage: str | None = None) -> "StudyFolder":
        """Return the folder of a study given by name or by path.

        Raises:
            StudyError: if there is none.
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
        """Be the only coordinator of this study.

        Raises:
            StudyError: if another process is, or the folder cannot be written.
        """
        with ExitStack() as held:
            for file in self._locks():
                try:
                    file.parent.mkdir(parents=True, exist_ok=True)
                    held.enter_context(FileLock(file, timeout=0))
                except Timeout as error:
                    raise StudyError(
                        f"{self.path}: another sweep run is at work on this study"
                    ) from error
                except OSError as error:
                    raise StudyError(
                        f"{file.parent}: cannot be written: {error.strerror}"
                    ) from error
            held.callback(self.close)
            held.enter_context(self._owned_in_server())
            yield

    def _locks(self) -> Iterator[Path]:
        """Yield what a coordinator locks: its folder, and a database file that lies elsewhere."""
        yield self.path / ".lock"
        if self._file is not None and not self._own:
            yield self._file.with_name(f".{self._file.name}.{self.name}.lock")

    @contextmanager
    def _owned_in_server(self) -> Iterator[None]:
        """Hold a lock in the PostgreSQL server, if there is one: it is seen by other machines."""
        if not self._url.startswith("postgresql"):
            yield
            return
        with ExitStack() as held:
            with readable_errors(self.path):
                engine = sqlalchemy.create_engine(self._url, isolation_level="AUTOCOMMIT")
                held.callback(engine.dispose)
                key = sqlalchemy.func.hashtext(f"sweep run {self.name}")
                asked = sqlalchemy.select(sqlalchemy.func.pg_try_advisory_lock(key))
                free = held.enter_context(engine.connect()).scalar(asked)
            if not free:
                raise StudyError(
                    f"{self.path}: another sweep run is at work on this study, from another folder"
                    " or machine; lend it this one with sweep worker"
                )
            yield

    def create(
        self, space: Space, sampler: optuna.samplers.BaseSampler, about: Mapping[str, Any]
    ) -> optuna.Study:
        """Open the study for writing, and make it if it is new.

        Raises:
            StudyError: if it was made for another space or other clips; says what differs.
        """
        directions = list(space.file.objectives.values())
        with readable_errors(self.path):
            study = optuna.create_study(
                study_name=self._stored_name(),
                storage=self._connect(),
                sampler=sampler,
                directions=directions,
                load_if_exists=True,
            )
            if _SPACE not in study.user_attrs:
                study.set_user_attr(OBJECTIVES, list(space.file.objectives))
                study.set_user_attr(_ABOUT, dict(about))
                study.set_user_attr(_FORMAT, FORMAT)
                study.set_user_attr(_SPACE, space.text())
                return study
            _check_format(self.path, study.user_attrs)
            stored = self._stored_space(study.user_attrs)
        _refuse_difference(self.path, stored.comparable(), space.comparable())
        if study.user_attrs[_ABOUT].get("fingerprint") != about["fingerprint"]:
            raise StudyError(
                f"{self.path}: the study was made with other clips; name another --study to start"
                " anew"
            )
        return study

    def made_with(self) -> str | None:
        """Return the source or the folder of the study's clips; None if it was never begun."""
        source: str | None = self._attributes().get(_ABOUT, {}).get("source")
        return source

    def spelled(self, space: Space) -> Space:
        """Return a space to go on with: its choices and labels in the order the study has them.

        What it leaves to the recordings is what they told when the study began.

        Raises:
            StudyError: if the study was made for another space; says what differs.
        """
        attributes = self._attributes()
        if _SPACE not in attributes:
            return space
        known = self._stored_space(attributes)
        space = space.with_clip_length(known.clip_length_in_s)
        _refuse_difference(self.path, known.comparable(), space.comparable())
        return space.spelled_like(known)

    def _stored_space(self, attributes: Mapping[str, Any]) -> Space:
        """Return the space a study was made for; what it names is looked for where it was."""
        about = attributes[_ABOUT]
        for folder in about.get("plugin_folders", ()) if isinstance(about, Mapping) else ():
            registry.search_in(folder)
        return Space.parse(attributes[_SPACE], str(self.path))

    def _attributes(self) -> Mapping[str, Any]:
        """Return the attributes of the study; none if it was never begun."""
        if self._inside and not self.database.is_file():
            return {}
        with self._reading():
            names = optuna.get_all_study_names(self._connect())
            found = self.load().user_attrs if self._stored_name() in names else {}
            if _SPACE in found:
                _check_format(self.path, found)
            return found

    def load(self) -> optuna.Study:
        """Open the study for reading; ``close`` when done.

        Raises:
            StudyError: if it is not there or cannot be read.
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
            _check_format(self.path, attributes)
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
        """Return the path that leads here, if the name alone does not."""
        if self.path.absolute().parent == RESULTS.absolute():
            return ""
        return str(self.path) if os.sep in str(self.path) else f".{os.sep}{self.path}"

    def keep_finalists(self, finalists: Iterable[Finalist]) -> None:
        """Keep what retraining gave, in place of what was kept before; all that was ever tested."""
        with self._reading():
            study, kept = self.load(), [one.to_json() for one in finalists]
            tested = {*tested_of(study.user_attrs), *(one["trial"] for one in kept)}
            study.set_user_attr(_TESTED, sorted(tested))
            study.set_user_attr(_FINALISTS, kept)

    def keep_files(self, trial: optuna.Trial, files: Mapping[str, bytes]) -> None:
        """Put files into the artifact store, as those of a trial."""
        kept = {}
        self._artifact_folder.mkdir(exist_ok=True)
        for name, content in files.items():
            with tempfile.TemporaryDirectory(dir=self.path) as scratch:
                file = Path(scratch) / name
                file.write_bytes(content)
                kept[name] = upload_artifact(
                    artifact_store=self._artifacts(), file_path=str(file), study_or_trial=trial
                )
        trial.set_user_attr(_FILES, kept)

    def read_file(self, trial: int, name: str) -> bytes:
        """Return a file that was kept for a trial.

        Raises:
            StudyError: if none was, or it is gone.
        """
        with self._reading():
            trials = self.load().get_trials(deepcopy=False)
        kept: dict[str, str] = next(
            (t.user_attrs.get(_FILES, {}) for t in trials if t.number == trial), {}
        )
        if name not in kept:
            raise StudyError(f"{self.path}: trial {trial} kept no model; only feasible trials do")
        if not self._artifact_folder.is_dir():
            raise StudyError(
                f"{self._artifact_folder}: not here; the models lie where the sweep ran, name that"
                " folder with --results"
            )
        try:
            with self._artifacts().open_reader(kept[name]) as file:
                return file.read()
        except optuna.artifacts.exceptions.ArtifactNotFound as error:
            raise StudyError(f"{self.path}: {name} of trial {trial} is gone") from error
        except OSError as error:
            raise StudyError(
                f"{self.path}: {name} of trial {trial} cannot be read: {error.strerror}"
            ) from error

    def close(self) -> None:
        """Let go of the database; the next use connects anew."""
        if self._storage is not None:
            self._storage.engine.dispose()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Let go of the database in the end, and tell what it is if it cannot be understood."""
        try:
            with readable_errors(self.path):
                yield
        except _NOT_UNDERSTOOD as error:
            raise StudyError(
                f"{self.path}: the study cannot be understood, it is damaged or of another version"
                f" ({type(error).__name__})"
            ) from error
        finally:
            self.close()

    def _stored_name(self) -> str:
        """Return what the storage calls the study: a folder may have been renamed or copied."""
        if self._own:
            names = optuna.get_all_study_names(self._connect())
            return names[0] if len(names) == 1 else self.name
        return self.name

    def _artifacts(self) -> FileSystemArtifactStore:
        return FileSystemArtifactStore(str(self._artifact_folder))

    def _connect(self) -> RDBStorage:
        if self._storage is None:
            url = self._url
            if self._inside and self.database.is_file() and not os.access(self.path, os.W_OK):
                url = read_only(self.database)
            patience = {"timeout": _LOCK_PATIENCE_IN_S} if self._file else {}
            try:
                self._storage = RDBStorage(url, engine_kwargs={"connect_args": patience})
            except (RuntimeError, AssertionError) as error:
                raise StudyError(
                    f"{self.path}: the storage is damaged or of another version of Optuna"
                ) from error
            if self._file and not any(way in url for way in _READ_ONLY.values()):
                sqlalchemy.event.listen(self._storage.engine, "connect", _set_pragmas)
                self._storage.engine.dispose()
        return self._storage


def tested_of(attributes: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the trials that were ever measured on the test clips, from a study's attributes."""
    return tuple(attributes.get(_TESTED, ()))


def study_name(space: Path) -> str:
    """Return the name of a study that is called like its search-space file.

    Raises:
        SpecError: if that cannot name a study; advises one that can.
    """
    if _NAME.fullmatch(space.stem):
        return space.stem
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", space.stem).lstrip("._-")[:100] or "words"
    raise SpecError(f"{space}: {space.stem!r} cannot name a study; add --study {name}")


def sqlite_url(database: Path, mode: str = "mode=rwc") -> str:
    """Return the URL of a SQLite file, whatever characters its path has."""
    url = sqlalchemy.URL.create(
        "sqlite", database=f"file:{quote(os.fsencode(database.absolute()))}"
    )
    return url.update_query_string(f"{mode}&uri=true").render_as_string()


def sqlite_file(url: str) -> Path | None:
    """Return the file of a SQLite URL; None for the URL of a server or of a database in memory.

    Raises:
        SQLAlchemyError: if it is no URL.
    """
    parts = sqlalchemy.make_url(url)
    named = parts.database or ":memory:"
    if parts.get_backend_name() != "sqlite" or ":memory:" in named:
        return None
    if named.startswith("file:"):
        named = os.fsdecode(unquote_to_bytes(named.removeprefix("file:")))
    return Path(named).absolute()


def read_only(database: Path) -> str:
    """Return the URL by which a SQLite file is read so that no file is made beside it.

    One with a log beside it may be growing; one without is taken as it lies.
    """
    return sqlite_url(database, _READ_ONLY[database.with_name(f"{database.name}-wal").exists()])


def without_password(text: str) -> str:
    """Return a text, such as a storage URL, with stars for passwords."""
    return _PASSWORD.sub(r"\1***", text)


def finalists_of(
    attributes: Mapping[str, Any], metrics: Mapping[str, Metric]
) -> tuple[Finalist, ...]:
    """Return the trials that were trained again, if any were, from a study's attributes."""
    return tuple(Finalist.from_json(one, metrics) for one in attributes.get(_FINALISTS, ()))


@contextmanager
def readable_errors(path: Path) -> Iterator[None]:
    """Turn what a database says into one line that names the study.

    Raises:
        StudyError: for a full disk, a damaged or foreign file, a server out of reach.
    """
    try:
        yield
    except _STORAGE_ERRORS as error:
        cause = getattr(error, "orig", None) or error.__cause__ or error
        told = str(getattr(cause, "orig", None) or cause).strip() or type(cause).__name__
        first = told.splitlines()[0]
        if "database is locked" in first:
            first += f" by another program for {_LOCK_PATIENCE_IN_S} s; run the same command again"
        raise StudyError(f"{path}: the study's storage fails: {first}") from error


def _check_format(path: Path, attributes: Mapping[str, Any]) -> None:
    made = attributes.get(_FORMAT, 1)
    if made != FORMAT:
        raise StudyError(
            f"{path}: a study in format {made!r}, and this version reads format {FORMAT};"
            " use the version that made it, or name another --study to start anew"
        )


def _refuse_difference(path: Path, known: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    before, now = _flat(known), _flat(wanted)
    for place in sorted(before.keys() | now.keys()):
        if before.get(place) != now.get(place):
            raise StudyError(
                f"{path}: the study was made with {place} = {before.get(place)!r},"
                f" now it is {now.get(place)!r}; name another --study to start anew"
            )


def _flat(tree: Any, place: str = "") -> dict[str, Any]:
    if not isinstance(tree, Mapping):
        return {place: tree}
    return {
        key: value
        for name, branch in tree.items()
        for key, value in _flat(branch, f"{place}.{name}" if place else str(name)).items()
    }


def _set_pragmas(connection: Any, _: Any) -> None:
    # One writer and several readers: a write-ahead log lets them not wait for each other.
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
