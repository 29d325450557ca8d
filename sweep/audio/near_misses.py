"""Near misses: words that are none, made of recorded ones, for a network to learn to reject."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import permutations
from pathlib import Path

import numpy as np
import soundfile

from sweep.audio.clips import read_whole, to_int16
from sweep.audio.layout import SPEAKER_END, Clip, find_clips
from sweep.errors import DataError

_RATE = 16000
_FADE = 160
_A_SPEAKER = 8
"""At most so many spliced clips of one speaker, so that none outweighs the others."""


def make_near_misses(
    folders: Sequence[Path],
    keywords: Sequence[str],
    words: Sequence[str] | None,
    out: Path,
    seed: int = 0,
) -> dict[str, int]:
    """Write non-words spliced from recordings, and return how many clips each has.

    ``spliced-<word>`` has the first half of a word and the second half of another by the same
    speaker, cut where half of the energy has passed.  Speakers keep their names, so that clips are
    split as the recordings are.  A network that is trained to reject them has to go by a whole
    word; they do not tell how well words are rejected that people say.

    Args:
        folders: folders of words.
        keywords: words that none begins with: the second half of another can make them whole, as
            that of *up* does *stop*.
        words: the words to use, all if None; those that rejection is measured on are best left out.
        out: where the folders of words are written; other words may lie there.
        seed: decides which clips are spliced.

    Raises:
        DataError: if there are no clips of a word, or of none but keywords, one cannot be read, or
            there are near misses in ``out`` already.
    """
    clips = [(folder, clip) for folder in folders for clip in find_clips(folder)]
    words = sorted({clip.label for _, clip in clips}) if words is None else words
    by_word = {word: [(f, c) for f, c in clips if c.label == word] for word in words}
    where = ", ".join(map(str, folders))
    missing = [word for word in {**by_word, **dict.fromkeys(keywords)} if not by_word.get(word)]
    if missing:
        raise DataError(f"{where}: no clips of {', '.join(missing)}")
    counts = {f"spliced-{word}": 0 for word in words if word not in keywords}
    if not counts:
        raise DataError(f"{where}: no clips of other words than {', '.join(keywords)}")
    for name in counts:
        _make(out / name)
    for word, clip, samples in _spliced(by_word, keywords, np.random.default_rng(seed)):
        name = f"spliced-{word}"
        file = f"{clip.speaker}{SPEAKER_END}{counts[name]}.wav"
        soundfile.write(out / name / file, to_int16(samples), _RATE)
        counts[name] += 1
    return counts


def _spliced(
    by_word: dict[str, list[tuple[Path, Clip]]],
    keywords: Sequence[str],
    rng: np.random.Generator,
) -> Iterator[tuple[str, Clip, np.ndarray]]:
    """Yield the word that a spliced clip begins with, the clip of it, and the samples."""
    by_speaker: dict[str, dict[str, list[tuple[Path, Clip]]]] = defaultdict(dict)
    for word, found in by_word.items():
        for folder, clip in found:
            by_speaker[clip.speaker].setdefault(word, []).append((folder, clip))
    for _, said in sorted(by_speaker.items()):
        pairs = list(permutations(said, 2))
        drawn = (pairs[i] for i in rng.permutation(len(pairs))[:_A_SPEAKER])
        for pair in (one for one in drawn if one[0] not in keywords):
            first, second = (said[word][rng.integers(len(said[word]))] for word in pair)
            joined = _joined(_halves(_read(*first))[0], _halves(_read(*second))[1])
            if joined is not None:
                yield pair[0], first[1], joined


def _halves(clip: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    energy = np.cumsum(np.square(clip, dtype=np.float64))
    middle = int(np.searchsorted(energy, energy[-1] / 2))
    return clip[:middle], clip[middle:]


def _joined(first: np.ndarray, second: np.ndarray) -> np.ndarray | None:
    """Return one after the other, faded into each other; None where one is too short."""
    if min(len(first), len(second)) < _FADE:
        return None
    rising = np.linspace(0, 1, _FADE, dtype=np.float32)
    middle = first[-_FADE:] * (1 - rising) + second[:_FADE] * rising
    return np.concatenate([first[:-_FADE], middle, second[_FADE:]])


def _read(folder: Path, clip: Clip) -> np.ndarray:
    return read_whole(folder / clip.name, _RATE)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
    except FileExistsError as error:
        raise DataError(f"{folder}: is there already; remove it, or name another --out") from error
