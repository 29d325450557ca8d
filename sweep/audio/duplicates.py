"""Recordings that are there more than once, where each should be once."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from sweep.audio.confounds import Finding
from sweep.audio.layout import Clip

_MIDDLE_BYTES = 4096


def find_duplicates(
    groups: Iterable[Sequence[str]], clips: Iterable[Clip], split_of: Mapping[str, str]
) -> list[Finding]:
    """Return what is wrong with recordings that are there more than once.

    Args:
        groups: the names of recordings that are the same.
        clips: the clips of those names.
        split_of: the split of each name that is in one.
    """
    groups, label_of = list(groups), {clip.name: clip.label for clip in clips}
    found = []
    for sides, side_of, advice in (
        ("words", label_of, "keep it in the folder of what is said, delete the others"),
        ("splits", split_of, "delete all but one of each: what was trained on is no test"),
    ):
        shared = [g for g in groups if len({side_of[name] for name in g if name in side_of}) > 1]
        if shared:
            words = sorted({label_of[name] for group in shared for name in group})
            figures = (
                f"{len(shared)} of the recordings of {', '.join(words)} are in several {sides}, as"
                f" {' = '.join(shared[0])}"
            )
            found.append(Finding("duplicates", tuple(words), figures, advice))
    return found


def same_files(folder: Path, names: Iterable[str]) -> list[list[str]]:
    """Return groups of names whose files are the same, byte for byte."""
    alike = [list(names)]
    for digest in (_middle, _whole):
        alike = [same for group in alike for same in _grouped(folder, group, digest)]
    return alike


def _grouped(
    folder: Path, names: Iterable[str], digest: Callable[[Path], bytes]
) -> list[list[str]]:
    groups: dict[bytes, list[str]] = defaultdict(list)
    for name in names:
        groups[digest(folder / name)].append(name)
    return [group for group in groups.values() if len(group) > 1]


def _middle(path: Path) -> bytes:
    """Return size and some bytes of a file; few files share them, so most are read no further."""
    with open(path, "rb") as file:
        size = file.seek(0, 2)
        file.seek(size // 2)
        return size.to_bytes(8) + file.read(_MIDDLE_BYTES)


def _whole(path: Path) -> bytes:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
