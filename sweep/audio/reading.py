"""Reading many recordings: which are usable, and a digest of their content."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from sweep.audio.sources.base import Progress
from sweep.errors import DataError


@dataclass(frozen=True)
class Reading:
    """The result of reading recordings.

    Attributes:
        names: the usable recordings.
        skipped: one line for each unusable recording, with the reason.
        noted: one line for each of ``names`` that was changed when it was read.
        content: a digest of ``names`` and files.
    """

    names: tuple[str, ...]
    skipped: tuple[str, ...]
    noted: tuple[str, ...]
    content: str


def read(
    folder: Path,
    names: Iterable[str],
    use: Callable[[Path], str | None],
    progress: Progress | None = None,
) -> Reading:
    """Call ``use`` on each recording; a text it returns is a note, a ``DataError`` skips it."""
    names = list(names)
    kept, skipped, noted, content = [], [], [], hashlib.sha256()
    for done, name in enumerate(names):
        if progress and done % 100 == 0:
            progress("reading clips", done / len(names))
        try:
            note = use(folder / name)
        except DataError as error:
            skipped.append(name + str(error).removeprefix(str(folder / name)))
            continue
        if note is not None:
            noted.append(f"{name}: {note}")
        kept.append(name)
        with open(folder / name, "rb") as file:
            digest_of_file = hashlib.file_digest(file, "sha256").hexdigest()
        content.update(f"{name} {digest_of_file}\n".encode())
    return Reading(tuple(kept), tuple(skipped), tuple(noted), content.hexdigest())
