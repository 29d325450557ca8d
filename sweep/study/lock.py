"""Locks that keep a second coordinator away from a study."""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import sqlalchemy
from filelock import FileLock, Timeout

from sweep.errors import StudyError
from sweep.study.database import readable_errors


@contextmanager
def locked(study: Path, files: Iterable[Path]) -> Iterator[None]:
    """Hold lock files, and the study's folder: a lock file that is deleted lets nobody in.

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
                if file.parent == study:
                    held.callback(os.close, _lock_folder(study))
            except Timeout as error:
                raise StudyError(f"{study}: another sweep run is at work on this study") from error
            except OSError as error:
                raise StudyError(f"{file.parent}: cannot be written: {error.strerror}") from error
        yield


def _lock_folder(folder: Path) -> int:
    """Lock a folder itself, which nobody deletes by mistake; return its handle.

    Raises:
        Timeout: if another process has locked it.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise Timeout(str(folder)) from error
    except OSError:
        pass  # Network file systems cannot lock folders; there the lock file counts.
    return handle


class ServerLock:
    """The lock of a study in PostgreSQL, seen by other machines; lost where its connection drops.

    Args:
        url: of the storage.
        name: what is locked.
    """

    def __init__(self, url: str, name: str) -> None:
        # By this name the session is known that holds the lock.
        self._session = f"sweep {uuid4().hex}"
        self._engine = sqlalchemy.create_engine(
            url,
            isolation_level="AUTOCOMMIT",
            connect_args={"application_name": self._session},
            poolclass=sqlalchemy.NullPool,
        )
        self._key = sqlalchemy.func.hashtext(f"sweep run {name}")
        self._connection: sqlalchemy.Connection | None = None

    def take(self) -> bool:
        """Take the lock; tell whether it was free."""
        self._connection = self._engine.connect()
        try:
            return self._ask()
        except sqlalchemy.exc.SQLAlchemyError:
            self.release()
            raise

    def check(self) -> None:
        """Make sure that the lock is held; take it again if its connection has dropped.

        Raises:
            StudyError: if another coordinator has taken it meanwhile.
            SQLAlchemyError: if the server is out of reach.
        """
        if self._connection is not None:
            try:
                self._connection.scalar(sqlalchemy.select(1))
                return
            except sqlalchemy.exc.SQLAlchemyError:
                self.release()
        if not self.take() and not self._end_lost_session():
            raise StudyError(
                "the lock of the study was lost, and another sweep run has taken it; nothing more"
                " was written"
            )

    def release(self) -> None:
        """Let go of the lock."""
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def _end_lost_session(self) -> bool:
        """End our earlier session, which the server may not know to be dead; tell if it helped."""
        assert self._connection is not None
        ended = sqlalchemy.text(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE application_name = :name AND pid <> pg_backend_pid()"
        )
        self._connection.execute(ended, {"name": self._session}).all()
        return self._ask()

    def _ask(self) -> bool:
        assert self._connection is not None
        asked = sqlalchemy.select(sqlalchemy.func.pg_try_advisory_lock(self._key))
        return bool(self._connection.scalar(asked))


@contextmanager
def locked_in_server(study: Path, url: str) -> Iterator[ServerLock | None]:
    """Hold the lock of a study in its PostgreSQL server.

    Args:
        study: the study's folder; its name is the lock's.
        url: the storage URL; other databases are not locked, which yields None.

    Raises:
        StudyError: if another process holds the lock.
    """
    if not url.startswith("postgresql"):
        yield None
        return
    lock = ServerLock(url, study.name)
    try:
        with readable_errors(study):
            free = lock.take()
        if not free:
            raise StudyError(
                f"{study}: another sweep run is at work on this study, from another folder or"
                " machine; to help it, start sweep worker on this machine"
            )
        yield lock
    finally:
        lock.release()
