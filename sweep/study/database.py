"""The SQL database of a study: its URL, its connection, and its errors in one line."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import optuna
import sqlalchemy
from optuna.storages import RDBStorage

from sweep.errors import StudyError
from sweep.study.server import ServerStorage

_LOCK_PATIENCE_IN_S = 60
"""How long a connection waits for another program's lock on the SQLite file."""

_PASSWORD = re.compile(r"((?<=://)[^:/@\s]*:)[^@\s]+(?=@)|(?<=password=)[^&\s'\"]+")
_READ_ONLY = {True: "mode=ro", False: "immutable=1"}

_ERRORS = (
    sqlalchemy.exc.SQLAlchemyError,
    optuna.exceptions.OptunaError,
    ImportError,  # the driver of another database than SQLite
    OSError,
)


def sqlite_url(database: Path, mode: str = "mode=rwc") -> str:
    """Return the URL of a SQLite file; any characters in its path are escaped."""
    url = sqlalchemy.URL.create(
        "sqlite", database=f"file:{quote(os.fsencode(database.absolute()))}"
    )
    return url.update_query_string(f"{mode}&uri=true").render_as_string()


def read_only_url(database: Path) -> str:
    """Return the URL that reads a SQLite file without creating files next to it.

    A file with a write-ahead log may be growing; one without is opened as immutable.
    """
    return sqlite_url(database, _READ_ONLY[database.with_name(f"{database.name}-wal").exists()])


def sqlite_file(url: str) -> Path | None:
    """Return the file of a SQLite URL; None for a server or a database in memory.

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


def without_password(text: str) -> str:
    """Return a text, such as a storage URL, with asterisks in place of passwords."""
    return _PASSWORD.sub(r"\1***", text)


def connect(url: str) -> RDBStorage:
    """Open a database as an Optuna storage.

    Raises:
        RuntimeError, AssertionError: if its tables are damaged or of another Optuna version.
    """
    if sqlite_file(url) is None:
        return ServerStorage(url)
    patience = {"timeout": _LOCK_PATIENCE_IN_S}
    storage = RDBStorage(url, engine_kwargs={"connect_args": patience})
    if not any(mode in url for mode in _READ_ONLY.values()):
        sqlalchemy.event.listen(storage.engine, "connect", _set_pragmas)
        storage.engine.dispose()
    return storage


@contextmanager
def readable_errors(path: Path) -> Iterator[None]:
    """Turn an error of the database into one line that names the study.

    Raises:
        StudyError: for a full disk, a damaged or foreign file, an unreachable server.
    """
    try:
        yield
    except _ERRORS as error:
        cause = getattr(error, "orig", None) or error.__cause__ or error
        message = str(getattr(cause, "orig", None) or cause).strip() or type(cause).__name__
        first = message.splitlines()[0]
        if "database is locked" in first:
            first += f" by another program for {_LOCK_PATIENCE_IN_S} s; run the same command again"
        raise StudyError(f"{path}: the study's storage fails: {first}") from error


def _set_pragmas(connection: Any, _: Any) -> None:
    # With a write-ahead log, one writer and several readers do not block each other.
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
