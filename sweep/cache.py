"""Finished work kept on disk under a content key, shared by all processes and studies."""

import errno
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from sweep.errors import SweepError

DEFAULT_LIMIT_GB = 10.0
_TINY = ("latency", "counts")
_NEVER_TRIMMED = ("downloads", *_TINY)
"""What may be out of reach when it is wanted again, and what is too small to matter."""

_SCRATCH = ".building-"
_MANY = 200
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)
_SIZES_KEPT = 10_000

_building = ContextVar("building", default=True)


def root() -> Path:
    """Return the cache folder: ``tinysweep`` in ``$SWEEP_CACHE``, else where caches belong."""
    return Path(os.environ.get("SWEEP_CACHE") or platformdirs.user_cache_dir()) / "tinysweep"


def entry(kind: str, key: str, build: Callable[[Path], None]) -> Path:
    """Return the folder ``kind/key``, made by ``build(folder)`` if it is not there yet.

    Two processes that ask at once build it once. The folder appears under its name only when it is
    complete; what a killed build leaves goes with the next that is built. When the cache outgrows
    ``$SWEEP_CACHE_GB`` (10 by default), the entries used longest ago are removed; never downloads,
    nor latencies and counts.

    Raises:
        SweepError: if the cache folder cannot be written, or the entry is not there and this thread
            is ``only_reading``.
    """
    folder = root() / kind / key
    if not _use(folder):
        if not _building.get():
            raise SweepError(f"{folder}: is not in the cache")
        with locked(f"{kind}-{key}"):
            if not _use(folder):
                _build(folder, build)
                if kind not in _TINY:
                    _trim(keep=folder)
    return folder


@contextmanager
def readable(place: Path) -> Iterator[None]:
    """Turn what damaged files of an entry make their reader raise into one line.

    Raises:
        SweepError: naming what to remove.
    """
    try:
        yield
    except (OSError, ValueError, LookupError, TypeError, EOFError) as error:
        raise SweepError(f"{place}: damaged; remove it, and run the same command again") from error


@contextmanager
def only_reading() -> Iterator[None]:
    """Have ``entry`` raise in this thread rather than build what is not there."""
    before = _building.set(False)
    try:
        yield
    finally:
        _building.reset(before)


@contextmanager
def locked(name: str, timeout_s: float = -1) -> Iterator[None]:
    """Hold a machine-wide lock of that name; none where the cache folder is read-only.

    Raises:
        Timeout: if it is not to be had in that time; negative waits for ever.
        SweepError: if the disk of the cache folder is full, or fails.
    """
    lock = FileLock(root() / "locks" / f"{name}.lock")
    try:
        Path(lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout_s)
    except Timeout:
        raise
    except OSError as error:
        if error.errno not in _READ_ONLY:
            raise _unwritable(root(), error) from error
    try:
        yield
    finally:
        lock.release()


def _unwritable(place: Path, error: OSError) -> SweepError:
    return SweepError(
        f"{place}: cannot write the cache ({error.strerror or error}); set SWEEP_CACHE"
    )


def _use(folder: Path) -> bool:
    """Note that an entry is wanted; tell whether it is there."""
    with suppress(OSError):
        os.utime(folder)
    return folder.is_dir()


def _build(folder: Path, build: Callable[[Path], None]) -> None:
    scratch = folder.with_name(f"{_SCRATCH}{folder.name}")
    # What a killed build left; no other process builds here while the lock is held.
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        scratch.mkdir(parents=True)
        build(scratch)
        settle(scratch)
        scratch.rename(folder)
    except OSError as error:
        raise _unwritable(folder, error) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def settle(folder: Path, names: Iterable[str] | None = None) -> None:
    """Have files of a folder, by default all, on the disk: no power cut leaves them empty then."""
    files = folder.rglob("*") if names is None else (folder / name for name in names)
    paths = [*files, folder]
    if len(paths) > _MANY:
        # Everything that waits to be written is sooner done than thousands of files one by one.
        os.sync()
        return
    for path in paths:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _limit_gb() -> float:
    given = os.environ.get("SWEEP_CACHE_GB") or str(DEFAULT_LIMIT_GB)
    try:
        return float(given)
    except ValueError as error:
        raise SweepError(f"SWEEP_CACHE_GB: {given!r} is not a number of gigabytes") from error


def _trim(keep: Path) -> None:
    """Remove the entries used longest ago until the cache fits its limit."""
    limit = _limit_gb() * 1024**3
    for left in root().glob("*/.removing-*"):
        shutil.rmtree(left, ignore_errors=True)
    for left in root().glob(f"*/{_SCRATCH}*"):
        _remove_unless_building(left)
    entries = []
    for folder in root().glob("*/*"):
        if folder.parent.name not in _TINY and folder.is_dir() and not folder.name.startswith("."):
            with suppress(FileNotFoundError):
                entries.append((folder.stat().st_mtime, _size(folder), folder))
    total = sum(size for _, size, _ in entries)
    for used, size, folder in sorted(entries):
        if total <= limit:
            break
        if folder != keep and folder.parent.name not in _NEVER_TRIMMED:
            try:
                if folder.stat().st_mtime == used:  # Nobody has asked for it since.
                    _remove(folder)
                    total -= size
            except FileNotFoundError:  # Another process has made this room.
                total -= size
            except OSError:
                continue


@lru_cache(_SIZES_KEPT)
def _size(folder: Path) -> int:
    """Return the bytes of an entry, which never change; it may have a hundred thousand files.

    Raises:
        FileNotFoundError: if it is removed meanwhile.
    """
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    folder.stat()
    return size


def _remove_unless_building(scratch: Path) -> None:
    """Remove what a build has written so far, if it was killed: then nobody holds its lock."""
    key = scratch.name.removeprefix(_SCRATCH)
    with suppress(Timeout), locked(f"{scratch.parent.name}-{key}", timeout_s=0):
        shutil.rmtree(scratch, ignore_errors=True)


def _remove(folder: Path) -> None:
    """Remove an entry so that, whenever this is cut short, none of its name is there in part."""
    doomed = folder.with_name(f".removing-{folder.name}")
    folder.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)
