"""Locks that keep a second coordinator away from a study."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import sqlalchemy
from filelock import FileLock, Timeout

from sweep.errors import StudyError
from sweep.study.database import readable_errors


@contextmanager
def locked(study: Path, files: Iterable[Path]) -> Iterator[None]:
    """Hold lock files.

    Args:
        study: the study's folder, for messages.
        files: the lock files; their folders are created.

    Raises:
        StudyError: if another process holds one, or one cannot be written.
    """
    with ExitStack() as held:
        for file in files:
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                held.enter_context(FileLock(file, timeout=0))
            except Timeout as error:
                raise StudyError(f"{study}: another sweep run is at work on this study") from error
            except OSError as error:
                raise StudyError(f"{file.parent}: cannot be written: {error.strerror}") from error
        yield


@contextmanager
def locked_in_server(study: Path, url: str) -> Iterator[None]:
    """Hold an advisory lock in the study's PostgreSQL server, which other machines see.

    Args:
        study: the study's folder; its name is the lock's.
        url: the storage URL; other databases are not locked.

    Raises:
        StudyError: if another process holds the lock.
    """
    if not url.startswith("postgresql"):
        yield
        return
    with ExitStack() as held:
        with readable_errors(study):
            engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
            held.callback(engine.dispose)
            key = sqlalchemy.func.hashtext(f"sweep run {study.name}")
            query = sqlalchemy.select(sqlalchemy.func.pg_try_advisory_lock(key))
            free = held.enter_context(engine.connect()).scalar(query)
        if not free:
            raise StudyError(
                f"{study}: another sweep run is at work on this study, from another folder or"
                " machine; to help it, start sweep worker on this machine"
            )
        yield
