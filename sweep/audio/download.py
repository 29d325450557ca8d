"""Archives from the network: fetched whole or not at all, unpacked with care."""

import http.client
import stat
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from sweep.audio.layout import SUFFIXES
from sweep.errors import DataError

LIMIT_BYTES = 2 * 1024**3
_CHUNK_BYTES = 1 << 18
_TEMPORARY = (408, 416, 429)


def fetch(
    url: str,
    target: Path,
    progress: Callable[[str, float], None] | None = None,
    attempts: int = 5,
    pause_in_s: float = 1.0,
    timeout_in_s: float = 30.0,
) -> None:
    """Download ``url`` to the file ``target``.

    A connection that is cut is taken up where it ended if the server can, else from the start;
    each pause between attempts is twice as long as the one before.

    Raises:
        DataError: if the address is wrong or every attempt failed.
    """
    if not url.startswith(("http://", "https://", "file://")):
        raise DataError(f"{url}: not an address; it should begin with https://, http:// or file://")
    problem = "the connection was cut"
    for attempt in range(attempts):
        if attempt:
            time.sleep(pause_in_s * 2 ** (attempt - 1))
        try:
            if _continue(url, target, progress, timeout_in_s):
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


def unpack(archive: Path, folder: Path) -> None:
    """Write the recordings in a ZIP archive to ``folder`` as ``<word>/<file>``.

    Raises:
        DataError: if the archive is damaged, too large, or holds a member that would be written
            outside the folder or is a link.
    """
    with _damage_told():
        opened = zipfile.ZipFile(archive)
    with opened:
        members = opened.infolist()
        for member in members:
            _check_member(member)
        if sum(member.file_size for member in members) > LIMIT_BYTES:
            raise DataError(f"the archive holds more than {LIMIT_BYTES / 1024**3:g} GB")
        for member in members:
            path = PurePosixPath(member.filename)
            if _is_recording(path):
                with _damage_told():
                    # Reading a member to its end checks its CRC.
                    content = opened.read(member)
                target = folder / path.parent.name / path.name
                target.parent.mkdir(exist_ok=True)
                target.write_bytes(content)


@contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    # zipfile raises a RuntimeError for a compression it does not know or an encrypted member,
    # and an OSError or ValueError where an offset points outside the file.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError, ValueError) as error:
        raise DataError(f"the archive is not a whole ZIP file ({error})") from error


def _continue(
    url: str, target: Path, progress: Callable[[str, float], None] | None, timeout_in_s: float
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
                if done > LIMIT_BYTES:
                    raise DataError(f"{url}: larger than {LIMIT_BYTES / 1024**3:g} GB")
                if progress and total:
                    progress("downloading", done / total)
    return total is None or done == total


def _check_member(member: zipfile.ZipInfo) -> None:
    path = PurePosixPath(member.filename)
    kind = stat.S_IFMT(member.external_attr >> 16)
    inside = not path.is_absolute() and ".." not in path.parts
    if not inside or any(c in member.filename for c in "\\:"):
        raise DataError(f"the archive holds {member.filename!r}, which points outside it")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise DataError(f"the archive holds {member.filename!r}, which is not a plain file")


def _is_recording(path: PurePosixPath) -> bool:
    hidden = path.name.startswith(".") or "__MACOSX" in path.parts
    return not hidden and len(path.parts) > 1 and path.suffix.lower() in SUFFIXES
