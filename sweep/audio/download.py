"""Archives from the network: fetched whole or not at all, unpacked with care."""

import gzip
import http.client
import stat
import tarfile
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath

from sweep.audio.layout import SUFFIXES
from sweep.errors import DataError

LIMIT_BYTES = 2 * 1024**3
_CHUNK_BYTES = 1 << 18
_TEMPORARY = (408, 416, 429)
_LARGEST_MEMBER_BYTES = 2**26
_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    EOFError,
    RuntimeError,
    OSError,
    ValueError,
)

_Members = Generator[tuple[str, bytes, float], None, None]
"""Where each member is to be written, its content, and the share of the archive before it."""


def fetch(
    url: str,
    target: Path,
    progress: Callable[[str, float], None] | None = None,
    limit_bytes: int = LIMIT_BYTES,
    attempts: int = 5,
    pause_in_s: float = 1.0,
    timeout_in_s: float = 30.0,
) -> None:
    """Download ``url`` to the file ``target``.

    A connection that is cut is taken up where it ended if the server can, else from the start;
    each pause between attempts is twice as long as the one before.  What ``target`` holds from an
    earlier call is gone on with likewise.

    Raises:
        DataError: if the address is wrong, every attempt failed, or it is too large.
    """
    if not url.startswith(("http://", "https://", "file://")):
        raise DataError(f"{url}: not an address; it should begin with https://, http:// or file://")
    problem = "the connection was cut"
    for attempt in range(attempts):
        if attempt:
            time.sleep(pause_in_s * 2 ** (attempt - 1))
        try:
            if _continue(url, target, progress, limit_bytes, timeout_in_s):
                return
        except urllib.error.HTTPError as error:
            problem = f"{error.code} {error.reason}"
            if error.code < 500 and error.code not in _TEMPORARY:
                break
            if error.code == 416:
                target.unlink(missing_ok=True)
        except (OSError, http.client.HTTPException, ValueError) as error:
            problem = str(getattr(error, "reason", None) or error)
    raise DataError(f"{url}: download failed: {problem}")


def unpack(
    archive: Path,
    folder: Path,
    limit_bytes: int = LIMIT_BYTES,
    lists: Collection[str] = (),
    progress: Callable[[str, float], None] | None = None,
) -> None:
    """Write the recordings in an archive, ZIP or TAR with gzip, to ``folder``: ``<word>/<file>``.

    Args:
        archive: the file.
        folder: where to write to; what a damaged archive leaves there is the caller's to remove.
        limit_bytes: the most that all members together may take.
        lists: names of text files to write beside the words.
        progress: called with what is being done and the share of it that is done, 0 to 1.

    Raises:
        DataError: if the archive is damaged, too large, or holds a member that would be written
            outside the folder or is a link.
    """
    kind = _zip_members if zipfile.is_zipfile(archive) else _tar_members
    with closing(kind(archive, limit_bytes, lists)) as members:
        for name, content, done in members:
            if progress:
                progress("unpacking", done)
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)


def _zip_members(archive: Path, limit_bytes: int, lists: Collection[str]) -> _Members:
    """Yield what is wanted of a ZIP archive, once all its members are checked."""
    with _damage_told(), zipfile.ZipFile(archive) as opened:
        members, taken = opened.infolist(), 0
        for member in members:
            kind = stat.S_IFMT(member.external_attr >> 16)
            _check_member(member.filename, kind in (0, stat.S_IFREG, stat.S_IFDIR))
            taken += member.file_size
        _check_size(taken, limit_bytes)
        for i, member in enumerate(members):
            target = _target(member.filename, lists)
            if target is not None:
                # Reading a member to its end checks its CRC.
                yield target, opened.read(member), i / len(members)


def _tar_members(archive: Path, limit_bytes: int, lists: Collection[str]) -> _Members:
    """Yield what is wanted of a TAR archive with gzip, each member checked before it is read."""
    size, taken = archive.stat().st_size, 0
    with _damage_told(), open(archive, "rb") as packed, _BoundedGzip(fileobj=packed) as plain:
        with tarfile.open(fileobj=plain, mode="r:") as opened:
            for member in opened:
                _check_member(member.name, member.isreg() or member.isdir())
                taken += member.size + tarfile.BLOCKSIZE
                _check_size(taken, limit_bytes)
                target = _target(member.name, lists) if member.isreg() else None
                if target is not None:
                    content = opened.extractfile(member)
                    assert content is not None
                    yield target, content.read(), packed.tell() / size
                # It keeps every member, a kilobyte each.
                opened.members.clear()  # type: ignore[attr-defined]  # typeshed lacks it
        # The checksum of all of it stands at its end.
        while rest := plain.read(_CHUNK_BYTES):
            taken += len(rest)
            _check_size(taken, limit_bytes)


class _BoundedGzip(gzip.GzipFile):
    """A gzip file of which nothing large is read at once, as a header can ask for."""

    def read(self, size: int | None = -1) -> bytes:
        """Return up to ``size`` bytes."""
        if size is None or not 0 <= size <= _LARGEST_MEMBER_BYTES:
            raise DataError(f"the archive holds a member above {_LARGEST_MEMBER_BYTES >> 20} MB")
        return super().read(size)


@contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    # zipfile raises a RuntimeError for a compression it does not know or an encrypted member,
    # and an OSError or ValueError where an offset points outside the file.
    except _DAMAGE as error:
        raise DataError(f"the archive is not a whole ZIP or TAR.GZ file ({error})") from error


def _continue(
    url: str,
    target: Path,
    progress: Callable[[str, float], None] | None,
    limit_bytes: int,
    timeout_in_s: float,
) -> bool:
    """Fetch what is missing of ``target``; tell whether it is complete."""
    done = target.stat().st_size if target.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "tinysweep"})
    if done:
        request.add_header("Range", f"bytes={done}-")
    with urllib.request.urlopen(request, timeout=timeout_in_s) as response:
        resumed = (response.headers.get("Content-Range") or "").startswith(f"bytes {done}-")
        done = done if resumed else 0
        length = response.headers.get("Content-Length")
        total = done + int(length) if length else None
        with open(target, "ab" if resumed else "wb") as file:
            while chunk := response.read(_CHUNK_BYTES):
                file.write(chunk)
                done += len(chunk)
                if done > limit_bytes:
                    raise DataError(f"{url}: larger than {limit_bytes / 1024**3:g} GB")
                if progress and total:
                    progress("downloading", done / total)
    return total is None or done == total


def _check_member(name: str, plain: bool) -> None:
    path = PurePosixPath(name)
    inside = not path.is_absolute() and ".." not in path.parts
    if not inside or any(c in name for c in "\\:\0"):
        raise DataError(f"the archive holds {name!r}, which points outside it")
    if not plain:
        raise DataError(f"the archive holds {name!r}, which is not a plain file")


def _check_size(taken: int, limit_bytes: int) -> None:
    if taken > limit_bytes:
        raise DataError(f"the archive holds more than {limit_bytes / 1024**3:g} GB")


def _target(name: str, lists: Collection[str]) -> str | None:
    """Return where a member is to be written, below the folder; None if it is not wanted."""
    path = PurePosixPath(name)
    if path.name in lists:
        return path.name
    hidden = path.name.startswith(".") or "__MACOSX" in path.parts
    if hidden or len(path.parts) < 2 or path.suffix.lower() not in SUFFIXES:
        return None
    return f"{path.parent.name}/{path.name}"
