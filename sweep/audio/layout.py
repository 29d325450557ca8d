"""Which clips a folder holds: their names, their labels and, if its folders say so, their split."""

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal

from sweep.errors import DataError

LabelFrom = Literal["folder", "name"]
"""Where the word of a clip is: the name of its folder, or the beginning of its own."""

NOISE_FOLDER = "_background_noise_"
UNKNOWN, SILENCE = "_unknown_", "_silence_"
"""The labels of what is no keyword, as Speech Commands names them."""

SPEAKER_END = "_nohash_"
SUFFIXES = tuple(".wav .flac .ogg .mp3 .aiff .aif .opus .au .w64 .rf64 .caf".split())
SPLIT_FOLDERS = {
    "training": ("training", "train"),
    "validation": ("validation", "valid", "val", "dev"),
    "testing": ("testing", "test"),
}
"""What folders of each split are called, in any case."""

_COURSE = "msc-"
_SPLIT_OF = {name: split for split, names in SPLIT_FOLDERS.items() for name in names}
_FEWEST_CLIPS_A_WORD = 2


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


def find_clips(folder: Path, label_from: LabelFrom = "folder") -> list[Clip]:
    """Return the clips of a folder, sorted by name.

    Three layouts are known: ``<word>/*``; a folder for each split, named as ``SPLIT_FOLDERS`` has
    it, with ``<word>/*`` in it; and ``msc-train``, ``msc-val``, ``msc-test`` with files
    ``<word>_*``. With ``label_from="name"`` the clips lie in the folder itself, or in those of the
    splits, as ``<word>.*``, ``<word>_*``, ``<word>-*``, ``<word> *`` or ``<word><number>``.
    Folders and files whose names begin with ``.`` or ``_`` are not looked at.

    Raises:
        DataError: if the folder is missing, cannot be read, or holds no clip.
    """
    walk = _walk_words if label_from == "folder" else _walk_names
    clips = sorted(walk(folder), key=lambda clip: clip.name)
    if not clips:
        raise DataError(f"{folder}: holds no clips ({', '.join(SUFFIXES)}); {_advice(folder)}")
    return clips


def words_in_names(folder: Path) -> list[str]:
    """Return the words with which the files begin that lie in no folder of a word.

    There are none where the names do not look as if they began with words: most words are there
    more than once.
    """
    words = Counter(clip.label for clip in _walk_names(folder))
    several = sum(count >= _FEWEST_CLIPS_A_WORD for count in words.values())
    return sorted(words) if len(words) > 1 and 2 * several > len(words) else []


def reserved_folders(folder: Path) -> dict[str, int]:
    """Return the number of recordings in each folder that begins with ``_``, but for noise."""
    places = [place for below in ("_*", "*/_*") for place in sorted(folder.glob(below))]
    found = {place: len(_recordings(place)) for place in places if place.is_dir()}
    found.pop(folder / NOISE_FOLDER, None)
    return {p.relative_to(folder).as_posix(): count for p, count in found.items() if count}


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


def clip_of(name: str, label_from: LabelFrom = "folder") -> Clip:
    """Return the clip that has a name below its folder."""
    *folders, file = name.split("/")
    first, last = (folders[0], folders[-1]) if folders else ("", "")
    stem = normal(without_suffix(file))
    if first == SILENCE:
        return Clip(name, SILENCE, stem)
    course = _course_split(first)
    if label_from == "name" or course:
        label = _beginning(stem)
        stem = stem.removeprefix(label).lstrip("._- ") or stem
        return Clip(name, label, stem, course or split_named(last))
    # A folder called like a split may also be a word: then the clip lies in it itself.
    return Clip(name, normal(last), stem, split_named(first) if len(folders) == 2 else None)


def label_of(name: str, label_from: LabelFrom = "folder") -> str:
    """Return the word that a clip of that name says."""
    return clip_of(name, label_from).label


def without_suffix(name: str) -> str:
    """Return a name without the suffix of a recording."""
    root, suffix = os.path.splitext(name)
    return root if suffix.lower() in SUFFIXES else name


def split_named(folder: str) -> str | None:
    """Return the split for which a folder of that name is; None if for none."""
    return _SPLIT_OF.get(folder.casefold())


def check_label(label: str) -> str:
    """Return a label that can safely name a folder, in its ``normal`` form.

    Raises:
        DataError: if it is empty, begins with ``.`` or ``_``, or holds a separator.
    """
    if label in (UNKNOWN, SILENCE):
        key = label.strip("_")
        raise DataError(f"label {label!r} cannot name a folder; it comes with {key}: {{}}")
    if not label.strip() or label[0] in "._" or any(c in "/\\:" or c < " " for c in label):
        raise DataError(
            f"label {label!r} cannot name a folder; "
            "leave out / \\ : and do not begin with '.' or '_'"
        )
    return normal(label)


def normal(text: str) -> str:
    """Return a text in the one Unicode form in which names are compared (NFC).

    Archives from macOS have letters and accents apart.
    """
    return unicodedata.normalize("NFC", text)


def _beginning(stem: str) -> str:
    """Return the word that a file's name begins with.

    It ends before the first dot, else before the first ``_``, ``-`` or space, else before digits.
    """
    if "." in stem:
        return stem.split(".")[0]
    word, *rest = re.split(r"[_\- ]", stem)
    return word if rest else word.rstrip("0123456789") or word


def _walk_words(folder: Path) -> Iterator[Clip]:
    for child in _folders(folder):
        # A folder called like a split may also be a word: then it holds recordings itself.
        is_word = split_named(child) is None or bool(_recordings(folder / child))
        words = [child] if is_word else [f"{child}/{word}" for word in _folders(folder / child)]
        for word in words:
            yield from (clip_of(f"{word}/{file}") for file in _recordings(folder / word))


def _walk_names(folder: Path) -> Iterator[Clip]:
    yield from (clip_of(file, "name") for file in _recordings(folder))
    for child in filter(split_named, _folders(folder)):
        yield from (clip_of(f"{child}/{file}", "name") for file in _recordings(folder / child))


def _advice(folder: Path) -> str:
    """Return what to do with a folder in which no clip was found."""
    words = words_in_names(folder)
    if words:
        return (
            f"the names of its files begin with {', '.join(words[:8])}; where these are the words,"
            " write label_from: name in the dataset section (sweep data check --label-from name)"
        )
    below = passed_over(folder, ())
    deeper = next((name for name in below if name.lower().endswith(SUFFIXES)), None)
    if deeper:
        splits = ", ".join(chain.from_iterable(SPLIT_FOLDERS.values()))
        return (
            f"{deeper} lies too deep: folders of words lie in the folder itself, or in folders"
            f" named {splits}"
        )
    example = folder / "go" / "anna_nohash_0.wav"
    return f"put recordings in a folder for each word, for example {example}"


def _course_split(folder: str) -> str | None:
    name = folder.casefold()
    return _SPLIT_OF.get(name.removeprefix(_COURSE)) if name.startswith(_COURSE) else None


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
