"""Which clips a folder holds: their names, their labels and, if its folders say so, their split."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sweep.errors import DataError

NOISE_FOLDER = "_background_noise_"
SPEAKER_END = "_nohash_"
SUFFIXES = tuple(".wav .flac .ogg .mp3 .aiff .aif .opus .au .w64 .rf64 .caf".split())
_COURSE = "msc-"
_SPLIT_FOLDERS = {
    "training": "training",
    "train": "training",
    "validation": "validation",
    "val": "validation",
    "testing": "testing",
    "test": "testing",
}


@dataclass(frozen=True)
class Clip:
    """A recording of a word.

    Attributes:
        name: path below the folder, with ``/`` between its parts.
        label: the word.
        stem: the file's own name, without extension and without the word in front of it.
        split: the split whose folder it lies in; None in a folder of words.
    """

    name: str
    label: str
    stem: str
    split: str | None = None

    @property
    def speaker(self) -> str:
        """Who speaks: the file name up to ``_nohash_``, all of it where that is missing."""
        return self.stem.split(SPEAKER_END)[0]


def find_clips(folder: Path) -> list[Clip]:
    """Return the clips of a folder, sorted by name.

    Three layouts are known: ``<word>/*``; a folder for each split (``training`` or ``train``,
    ``validation`` or ``val``, ``testing`` or ``test``) with ``<word>/*`` in it; and ``msc-train``,
    ``msc-val``, ``msc-test`` with files ``<word>_*``. Folders and files whose names begin with
    ``.`` or ``_`` are not looked at.

    Raises:
        DataError: if the folder is missing, cannot be read, or holds no clip.
    """
    clips = sorted(_walk(folder), key=lambda clip: clip.name)
    if not clips:
        raise DataError(
            f"{folder}: holds no clips ({', '.join(SUFFIXES)}); put recordings in a folder for each"
            f" word, for example {folder / 'go' / 'anna_nohash_0.wav'}"
        )
    return clips


def passed_over(folder: Path, clips: Iterable[Clip]) -> list[str]:
    """Return the names of files in folders of words that are no clips, sorted.

    They are of a format that is not read, or lie too deep.
    """
    known = {clip.name for clip in clips}
    names = []
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name[0] not in "._"]
        below = Path(place).relative_to(folder)
        if below.parts:
            names += [(below / name).as_posix() for name in files if name[0] not in "._"]
    return sorted(set(names) - known)


def noise_names(folder: Path) -> list[str]:
    """Return the names of the background recordings beside the words, sorted."""
    noise = folder / NOISE_FOLDER
    return [f"{NOISE_FOLDER}/{name}" for name in _recordings(noise)] if noise.is_dir() else []


def clip_of(name: str) -> Clip:
    """Return the clip that has a name below its folder."""
    path = PurePosixPath(name)
    label, stem, course = label_of(name), without_suffix(path.name), _course_split(path.parts[0])
    if course:
        return Clip(name, label, stem.removeprefix(f"{label}_"), course)
    # A folder called like a split may also be a word: then the clip lies in it itself.
    split = _SPLIT_FOLDERS.get(path.parts[0]) if len(path.parts) == 3 else None
    return Clip(name, label, stem, split)


def label_of(name: str) -> str:
    """Return the word that a clip of that name says."""
    path = PurePosixPath(name)
    if _course_split(path.parent.name):
        return path.name.split("_")[0]
    return path.parent.name


def without_suffix(name: str) -> str:
    """Return a name without the suffix of a recording."""
    root, suffix = os.path.splitext(name)
    return root if suffix.lower() in SUFFIXES else name


def check_label(label: str) -> str:
    """Return a label that can safely name a folder.

    Raises:
        DataError: if it is empty, begins with ``.`` or ``_``, or holds a separator.
    """
    if not label.strip() or label[0] in "._" or any(c in "/\\:" or c < " " for c in label):
        raise DataError(
            f"label {label!r} cannot name a folder; "
            "leave out / \\ : and do not begin with '.' or '_'"
        )
    return label


def _walk(folder: Path) -> Iterator[Clip]:
    for child in _folders(folder):
        split = _SPLIT_FOLDERS.get(child)
        # A folder of that name may also be a word: then it holds recordings itself.
        is_word = split is None or bool(_recordings(folder / child))
        words = [child] if is_word else [f"{child}/{word}" for word in _folders(folder / child)]
        for word in words:
            yield from (clip_of(f"{word}/{file}") for file in _recordings(folder / word))


def _course_split(name: str) -> str | None:
    is_course = name.startswith(_COURSE)
    return _SPLIT_FOLDERS.get(name.removeprefix(_COURSE)) if is_course else None


def _folders(folder: Path) -> list[str]:
    return [name for name in _listing(folder) if (folder / name).is_dir()]


def _recordings(folder: Path) -> list[str]:
    return [name for name in _listing(folder) if name.lower().endswith(SUFFIXES)]


def _listing(folder: Path) -> list[str]:
    try:
        names = sorted(name for name in os.listdir(folder) if name[0] not in "._")
    except FileNotFoundError as error:
        raise DataError(f"{folder}: no such folder") from error
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror})") from error
    for name in names:
        if any("\udc80" <= letter <= "\udcff" for letter in name):
            raise DataError(f"{folder}: the name {ascii(name)} is not UTF-8; rename it")
    return names
