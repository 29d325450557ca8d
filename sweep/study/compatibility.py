"""Checks that a stored study fits the program, the search space and the clips of this run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sweep.errors import StudyError
from sweep.space import Space

FORMAT = 4
"""The format of stored studies; raise it with every change that cannot read older ones."""


def check_format(path: Path, stored: int) -> None:
    """Raise unless a study is stored in this version's format.

    Raises:
        StudyError: naming both formats.
    """
    if stored != FORMAT:
        raise StudyError(
            f"{path}: a study in format {stored!r}, and this version reads format {FORMAT};"
            " use the version that made it, or name another --study to start anew"
        )


def check_space(path: Path, stored: Space, wanted: Space) -> None:
    """Raise unless two search spaces are equal, however their files spell them.

    Raises:
        StudyError: naming the first difference.
    """
    before, now = _flat(stored.comparable()), _flat(wanted.comparable())
    for place in sorted(before.keys() | now.keys()):
        if before.get(place) != now.get(place):
            raise StudyError(
                f"{path}: the study was made with {place} = {before.get(place)!r},"
                f" now it is {now.get(place)!r}; name another --study to start anew"
            )


def check_clips(path: Path, stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Raise unless two descriptions of a study have the same fingerprint of clips.

    Raises:
        StudyError: if they differ.
    """
    if stored.get("fingerprint") != wanted["fingerprint"]:
        raise StudyError(
            f"{path}: the study was made with other clips; name another --study to start anew"
        )


def check_processor(path: Path, stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Raise unless two descriptions of a study measure latencies on one model of processor.

    Raises:
        StudyError: if they differ.
    """
    before, now = stored.get("measured_on"), wanted.get("measured_on")
    if before and now and before != now:
        raise StudyError(
            f"{path}: the study's latencies are measured on {before}, not on {now}; name another"
            " --study to start anew"
        )


def _flat(tree: Any, place: str = "") -> dict[str, Any]:
    if not isinstance(tree, Mapping):
        return {place: tree}
    return {
        key: value
        for name, branch in tree.items()
        for key, value in _flat(branch, f"{place}.{name}" if place else str(name)).items()
    }
