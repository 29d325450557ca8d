"""Which clips are for training, which for validation and which for testing."""

import hashlib
import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from pathlib import Path

import numpy as np

from sweep.audio.layout import SPLIT_FOLDERS, Clip, LabelFrom, label_of, normal, without_suffix
from sweep.errors import DataError

SPLITS = ("training", "validation", "testing")
MAX_NUM_WAVS_PER_CLASS = 2**27 - 1
VALIDATION_PERCENTAGE = 10
TESTING_PERCENTAGE = 10
_TENTHS = (8, 1, 1)
UNITS: tuple[Callable[[Clip], str], ...] = (attrgetter("speaker"), attrgetter("name"))
"""What stays together when clips are dealt: speakers; where they are too few, single recordings."""

SplitRule = str | Mapping[str, str]


def split_clips(
    clips: Iterable[Clip], rule: SplitRule, label_from: LabelFrom = "folder"
) -> dict[str, list[Clip]]:
    """Return the clips of each split, in the order given.

    Args:
        clips: what a folder holds of the words searched for.
        rule: ``"speaker"`` for the published hash rule, and for speakers dealt whole where it
            leaves a split without a word or far from its share; ``"folders"`` to go by the folder
            each clip lies in; or for each split a text file with one name a line. With lists for
            validation and testing only, training is every other clip. Lines for other words than
            those of ``clips`` are passed over.
        label_from: where the word is in a name of a list; see ``find_clips``.

    Raises:
        DataError: if the rule does not fit the clips.
    """
    clips = list(clips)
    if isinstance(rule, Mapping):
        split_of = _by_lists(clips, rule, label_from)
    elif rule == "speaker":
        split_of = _by_speaker(clips)
    elif rule == "folders":
        split_of = _by_folders(clips)
    else:
        raise DataError(f"unknown split {rule!r}; use speaker, folders or a file for each split")
    return {split: [clip for clip in clips if split_of.get(clip.name) == split] for split in SPLITS}


def advice(rule: SplitRule, split: str) -> str:
    """Return what to do where a rule gives a split no clip of some word."""
    if isinstance(rule, Mapping):
        return f"name some in {rule[split]}" if split in rule else "leave some out of the lists"
    if rule == "folders":
        return f"put some in a folder named {' or '.join(SPLIT_FOLDERS[split])}"
    return "record more, or name the clips of each split in lists"


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


def groups(clips: Iterable[Clip], unit: Callable[[Clip], str], count: int) -> list[list[Clip]]:
    """Return clips dealt into at most ``count`` groups that are alike.

    Units go round the groups: those that say the rarest words first, so that every group gets
    some; then those with the most clips.  Units alike in this go by a digest of their names.

    Args:
        clips: what to deal.
        unit: what stays together: one of ``UNITS``.
        count: how many groups; with fewer units, each is a group.
    """
    clips_of: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        clips_of[unit(clip)].append(clip)
    words_of = {name: {clip.label for clip in some} for name, some in clips_of.items()}
    frequency = Counter(word for words in words_of.values() for word in words)

    def place(name: str) -> tuple[tuple[int, str], int, str]:
        rarest = min((frequency[word], word) for word in words_of[name])
        return rarest, -len(clips_of[name]), hashlib.sha256(name.encode()).hexdigest()

    order = sorted(clips_of, key=place)
    return [
        [clip for name in order[i::count] for clip in clips_of[name]]
        for i in range(min(count, len(order)))
    ]


def _by_speaker(clips: list[Clip]) -> dict[str, str]:
    """Return the split of each clip.

    The published rule decides where it gives every split every word and half to twice its share of
    the clips.  Else whole speakers are dealt; and where they are too few, recordings.
    """
    published = {clip.name: speaker_split(clip.speaker) for clip in clips}
    if _complete(clips, published) and _near(Counter(published.values())):
        return published
    for unit in UNITS:
        dealt = _deal(groups(clips, unit, sum(_TENTHS)))
        if _complete(clips, dealt):
            return dealt
    return published


def _complete(clips: list[Clip], split_of: Mapping[str, str]) -> bool:
    """Tell whether every split has every word."""
    found = {(split_of[clip.name], clip.label) for clip in clips}
    return len(found) == len(SPLITS) * len({clip.label for clip in clips})


def _near(sizes: Mapping[str, int]) -> bool:
    """Tell whether every split has half to twice its tenths of the clips."""
    whole = sum(sizes.values())
    return all(
        tenths * whole <= 20 * sizes[split] <= 4 * tenths * whole
        for split, tenths in zip(SPLITS, _TENTHS, strict=True)
    )


def _deal(hands: list[list[Clip]]) -> dict[str, str]:
    """Return the split of each clip, the clips of a hand together.

    Of all ways to give the hands to the splits it is the one in which the fewest words are missing,
    and of these the one in which the words' counts come nearest to 8, 1 and 1 tenths.
    """
    # Whole numbers throughout: no machine rounds a tie its own way.
    ways = np.array(list(itertools.product(range(len(SPLITS)), repeat=len(hands))), np.int64)
    said = [Counter(clip.label for clip in hand) for hand in hands]
    missing, distance = np.zeros(len(ways), np.int64), np.zeros(len(ways), np.int64)
    for word in {clip.label for hand in hands for clip in hand}:
        counts = np.array([hand[word] for hand in said])
        for split, tenths in enumerate(_TENTHS):
            got = (ways == split) @ counts
            missing += got == 0
            distance += (10 * got - tenths * counts.sum()) ** 2
    best = ways[np.lexsort((distance, missing))[0]]
    pairs = zip(hands, best, strict=True)
    return {clip.name: SPLITS[split] for hand, split in pairs for clip in hand}


def _by_folders(clips: list[Clip]) -> dict[str, str]:
    split_of = {clip.name: clip.split for clip in clips if clip.split}
    if not split_of:
        raise DataError(
            "no folders named training, validation and testing hold the clips (or "
            f"{', '.join(name for names in SPLIT_FOLDERS.values() for name in names[1:])}); "
            "use split: speaker, or a list for each split"
        )
    return split_of


def _by_lists(clips: list[Clip], lists: Mapping[str, str], label_from: LabelFrom) -> dict[str, str]:
    if set(lists) not in (set(SPLITS), {"validation", "testing"}):
        raise DataError(
            "name a list for training, validation and testing, "
            f"or for the last two only; not for {', '.join(lists) or 'none'}"
        )
    by_name = {normal(without_suffix(clip.name)): clip.name for clip in clips}
    by_name |= {normal(clip.name): clip.name for clip in clips}
    words = {clip.label for clip in clips}
    split_of: dict[str, str] = {}
    place_of: dict[str, str] = {}
    for split, path in lists.items():
        for number, name in _lines(Path(path)):
            place = f"{path}:{number}"
            found = by_name.get(name) or by_name.get(without_suffix(name))
            word = label_of(name, label_from)
            if found is None and word and word not in words:
                continue
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
    lines = (normal(line.strip()) for line in text.splitlines())
    names = (line.replace("\\", "/").removeprefix("./") for line in lines)
    return [(number, name) for number, name in enumerate(names, 1) if name]
