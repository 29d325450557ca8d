"""Folders for a while: gone with what made them, or with the next that is made."""

import fcntl
import os
import shutil
import tempfile
import weakref
from pathlib import Path
from types import TracebackType
from typing import Self

_PREFIX = "tinysweep-"
_ATTEMPTS = 3


class Scratch:
    """A folder below that of temporary files, which ``$TMPDIR`` names.

    It is locked by this process; the folders of processes that were killed are locked by nobody,
    and are removed when the next one is made.

    Attributes:
        path: the folder.

    Raises:
        OSError: if it cannot be made.
    """

    def __init__(self) -> None:
        for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
            _remove_if_left(left)
        for _ in range(_ATTEMPTS):
            self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
            handle = _lock(self.path)
            if handle is not None:  # else another process took it to be left
                break
        self._end = weakref.finalize(self, _remove, self.path, handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.remove()

    def remove(self) -> None:
        """Remove the folder, and all that is in it; at the latest the process's end does."""
        self._end()


def _remove_if_left(folder: Path) -> None:
    handle = _lock(folder)
    if handle is not None:
        _remove(folder, handle)


def _remove(folder: Path, handle: int | None) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if handle is not None:
        os.close(handle)


def _lock(folder: Path) -> int | None:
    """Lock a folder of this user's and return its handle; None if that is not to be had."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        found = os.fstat(handle)
        if found.st_uid == os.geteuid() and found.st_nlink:
            return handle
    except OSError:
        pass
    os.close(handle)
    return None
