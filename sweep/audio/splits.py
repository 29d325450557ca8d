"""Which clips are for training, which for validation and which for testing."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from sweep.audio.layout import Clip, without_suffix
from sweep.errors import DataError

SPLITS = ("training", "validation", "testing")
MAX_NUM_WAVS_PER_CLASS = 2**27 - 1
VALIDATION_PERCENTAGE = 10
TESTING_PERCENTAGE = 10

SplitRule = str | Mapping[str, str]


def split_clips(clips: Iterable[Clip], rule: SplitRule) -> dict[str, list[Clip]]:
    """Return the clips of each split, in the order given.

    Args:
        clips: what a folder holds.
        rule: ``"speaker"`` for the published hash rule; ``"folders"`` to go by the folder each
            clip lies in; or for each split a text file with one name a line. With lists for
            validation and testing only, training is every other clip.

    Raises:
        DataError: if the rule does not fit the clips.
    """
    clips = list(clips)
    if isinstance(rule, Mapping):
        split_of = _by_lists(clips, rule)
    elif rule == "speaker":
        split_of = {clip.name: speaker_split(clip.speaker) for clip in clips}
    elif rule == "folders":
        split_of = _by_folders(clips)
    else:
        raise DataError(f"unknown split {rule!r}; use speaker, folders or a file for each split")
    return {split: [clip for clip in clips if split_of.get(clip.name) == split] for split in SPLITS}


def speaker_split(speaker: str) -> str:
    """Return the split of everything a speaker says, by the rule of Speech Commands.

    The SHA-1 of the speaker's name decides, so a speaker never changes split when clips are
    added (P. Warden, "Speech Commands: A Dataset for Limited-Vocabulary Speech Recognition",
    2018).
    """
    number = int(hashlib.sha1(speaker.encode()).hexdigest(), 16)
    percentage = (number % (MAX_NUM_WAVS_PER_CLASS + 1)) * (100.0 / MAX_NUM_WAVS_PER_CLASS)
    if percentage < VALIDATION_PERCENTAGE:
        return "validation"
    if percentage < VALIDATION_PERCENTAGE + TESTING_PERCENTAGE:
        return "testing"
    return "training"


def _by_folders(clips: list[Clip]) -> dict[str, str]:
    split_of = {clip.name: clip.split for clip in clips if clip.split}
    if not split_of:
        raise DataError(
            "no folders named training, validation and testing hold the clips; "
            "use split: speaker, or a list for each split"
        )
    return split_of


def _by_lists(clips: list[Clip], lists: Mapping[str, str]) -> dict[str, str]:
    if set(lists) not in (set(SPLITS), {"validation", "testing"}):
        raise DataError(
            "name a list for training, validation and testing, "
            f"or for the last two only; not for {', '.join(lists) or 'none'}"
        )
    by_name = {without_suffix(clip.name): clip.name for clip in clips}
    by_name |= {clip.name: clip.name for clip in clips}
    split_of: dict[str, str] = {}
    place_of: dict[str, str] = {}
    for split, path in lists.items():
        for number, name in _lines(Path(path)):
            place = f"{path}:{number}"
            found = by_name.get(name) or by_name.get(without_suffix(name))
            if found is None:
                raise DataError(f"{place}: no clip named {name}")
            if found in split_of:
                raise DataError(f"{place}: {name} is listed already, at {place_of[found]}")
            split_of[found], place_of[found] = split, place
    if "training" not in lists:
        split_of |= {clip.name: "training" for clip in clips if clip.name not in split_of}
    return split_of


def _lines(path: Path) -> list[tuple[int, str]]:
    """Return the names in a list with their line numbers."""
    try:
        text = path.expanduser().read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not a text file") from error
    names = (line.strip().replace("\\", "/").removeprefix("./") for line in text.splitlines())
    return [(number, name) for number, name in enumerate(names, 1) if name]
