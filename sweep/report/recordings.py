"""The sounds that a served page can play: misclassified clips, and parts of streams."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import soundfile

from sweep import cache
from sweep.audio.layout import SUFFIXES
from sweep.audio.location import linked, locate
from sweep.audio.streams import is_kept, sound_of
from sweep.errors import SweepError
from sweep.report.figures.finalists import retrained
from sweep.study.records import StudyRecord

_LARGEST_BYTES = 2**25
_LONGEST_STRETCH_IN_S = 60


def listed_clip(record: StudyRecord, owner: str, number: int, place: int) -> Path | None:
    """Return a recording from a list of misclassified clips; None if it is not on this machine.

    Only listed names are looked up, and only in the folder of the study's recordings.

    Args:
        record: the study.
        owner: the owner of the list: ``trial`` or ``finalist``.
        number: the trial.
        place: the position in the list.
    """
    names = LISTS[owner](record, number)
    return recordings_of(record).path(names[place]) if place < len(names) else None


def _of_trial(record: StudyRecord, number: int) -> Sequence[str]:
    found = (one.evaluation.mistakes for one in record.trials if one.number == number)
    return next(found, ())


def _of_finalist(record: StudyRecord, number: int) -> Sequence[str]:
    found = (retrained(one).worst for one in record.finalists if one.trial == number)
    return [name for name, _ in next(found, ())]


LISTS = {"trial": _of_trial, "finalist": _of_finalist}
"""The lists of clips that are served, by owner."""


def stretch(record: StudyRecord, number: int, start_in_s: int, end_in_s: int) -> bytes | None:
    """Return a part of the stream that a finalist was run over, as a WAV file.

    Args:
        record: the study.
        number: the finalist's trial.
        start_in_s, end_in_s: which part; at most a minute of it.

    Returns:
        None if the stream is not on this machine, or has no such part.
    """
    found = next((one.listening for one in record.finalists if one.trial == number), None)
    if found is None or not is_kept(found.sound):
        return None
    end_in_s = min(end_in_s, start_in_s + _LONGEST_STRETCH_IN_S)
    samples = sound_of(found.sound)[start_in_s * found.rate : end_in_s * found.rate]
    if not len(samples):
        return None
    content = BytesIO()
    soundfile.write(content, samples, found.rate, format="WAV")
    return content.getvalue()


@dataclass(frozen=True)
class Recordings:
    """The folder of a study's recordings, if it is on this machine.

    Attributes:
        folder: the folder.
        linked: other folders that links in it may point to.
    """

    folder: Path | None
    linked: tuple[Path, ...] = ()

    def path(self, name: str) -> Path | None:
        """Return a recording in the folder; None if it cannot be played."""
        if self.folder is None:
            return None
        path = (self.folder / name).resolve()
        places = [place.resolve() for place in (self.folder, *self.linked)]
        inside = any(path.is_relative_to(place) for place in places)
        known = inside and path.suffix.lower() in SUFFIXES
        return path if known and path.is_file() and path.stat().st_size <= _LARGEST_BYTES else None

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.path(name) is not None


def recordings_of(record: StudyRecord) -> Recordings:
    """Return the recordings of a study if they exist; nothing is synthesized or downloaded."""
    try:
        spec = record.space.with_data(record.about.get("source"), None).file.dataset.spec()
        with cache.only_reading():
            return Recordings(locate(spec), linked(spec))
    except (SweepError, OSError):
        return Recordings(None)
