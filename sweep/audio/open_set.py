"""None of these: which clips are of other words or silence, and what streams are made of."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, zip_longest
from math import ceil
from typing import Literal

from sweep.audio.layout import SILENCE, UNKNOWN, Clip
from sweep.errors import DataError

_FEWEST_WORDS = 3


@dataclass(frozen=True)
class UnknownSpec:
    """What the label ``_unknown_`` is made of.

    Attributes:
        words: the other words; ``"rest"`` for all that are no keywords.
        folder: a folder of other words, or of sounds, a folder each; None for those of the source.
        share: most clips, relative to those of the keywords in the same split.
        held_out: words never trained on, on which rejection is measured; or their number, or their
            share of the words, rounded up.  None for no words: then it is measured on other
            speakers of the words trained on.
    """

    words: tuple[str, ...] | Literal["rest"] = "rest"
    folder: str | None = None
    share: float = 0.5
    held_out: tuple[str, ...] | int | float = 0.25

    def settled(self, keywords: Sequence[str], found: Iterable[str], seed: int) -> "UnknownSpec":
        """Return the same with ``words`` and ``held_out`` by name.

        Args:
            keywords: the words that are no others.
            found: the words of the recordings.
            seed: decides which words are held out where only their number is given.

        Raises:
            DataError: if words are missing, or none is left for training.
        """
        there = sorted(set(found) - set(keywords))
        words = tuple(there) if self.words == "rest" else self.words
        missing = [word for word in words if word not in there]
        if missing or not words:
            what = ", ".join(missing) or "other words than the labels"
            raise DataError(
                f"dataset.unknown.words: no clips of {what}; there are: {', '.join(there) or '-'}"
            )
        held = self.held_out
        if not isinstance(held, tuple):
            count = held if isinstance(held, int) else ceil(held * len(words))
            held = tuple(sorted(words, key=lambda word: _draw(seed, word))[:count])
        strange = [word for word in held if word not in words]
        if strange:
            raise DataError(f"dataset.unknown.held_out: {', '.join(strange)}: not among the words")
        if len(held) >= len(words):
            raise DataError(
                f"dataset.unknown.held_out: leaves none of {', '.join(words)} for training; add"
                " words, or hold out fewer (held_out: 0 for none)"
            )
        return replace(self, words=words, held_out=held)

    def words_in(self, split: str) -> tuple[str, ...]:
        """Return the words of a split, of a spec that is ``settled``.

        Of several held-out words the first half is for validation and the others for testing; a
        single one is for both.
        """
        words, held = self.words, self.held_out
        assert isinstance(words, tuple) and isinstance(held, tuple)
        if split == "training":
            return tuple(word for word in words if word not in held)
        if len(held) < 2:
            return held or words
        half = ceil(len(held) / 2)
        return held[:half] if split == "validation" else held[half:]

    @property
    def caution(self) -> str:
        """A caution if the other words for training are too few; else empty.

        The spec is ``settled``.  With two for training and two held out, networks of
        ``keyword.yaml`` and ``always_on.yaml`` had accuracies of at most 0.75 on recorded clips.
        """
        count = len(self.words_in("training"))
        if count >= _FEWEST_WORDS:
            return ""
        return (
            f"{UNKNOWN}: {count} {'words' if count > 1 else 'word'} for training; use at least"
            f" {_FEWEST_WORDS}, or untrained words will often be classified as keywords"
            " (sweep data near-misses makes more)"
        )

    def __str__(self) -> str:
        told = [
            f"{split} {', '.join(self.words_in(split))}" for split in ("training", "validation")
        ]
        never = " (never trained on)" if self.held_out else ""
        return f"{UNKNOWN}: {'; '.join(told)}; testing {', '.join(self.words_in('testing'))}{never}"


@dataclass(frozen=True)
class SilenceSpec:
    """What the label ``_silence_`` is made of: background recordings; see ``silence.cut``.

    Attributes:
        share: most clips, relative to those of the keywords in the same split.
    """

    share: float = 0.25


FEWEST_KEYWORDS = 10
"""Fewer are not enough to count misses."""


@dataclass(frozen=True)
class StreamSpec:
    """What the streams hold on which detection is measured; see ``streams.stream_of``.

    Attributes:
        hours: length of each.
        words_per_hour: clips that are spoken in an hour, keywords and others.
        keyword_share: how many of them are keywords.
        snr_db: lowest and highest signal-to-noise ratio of a clip; uniform.
        seed: decides what is spoken when.
        recordings: a folder with a folder of long recordings for each split, which follow; None
            for none.
    """

    hours: float = 1.0
    words_per_hour: float = 600.0
    keyword_share: float = 0.4
    snr_db: tuple[float, float] = (0.0, 30.0)
    seed: int = 0
    recordings: str | None = None


def select(
    dealt: Mapping[str, Sequence[Clip]],
    words: Mapping[str, str],
    unknown: UnknownSpec | None,
    silence: SilenceSpec | None,
    slices: Mapping[str, Sequence[str]],
    seed: int,
) -> dict[str, list[str]]:
    """Return the names of the clips of each split: all of keywords, the others up to their shares.

    Args:
        dealt: the clips of each split, those of other words with the label ``_unknown_``.
        words: the word of each clip of another word, by name.
        unknown: which of them; settled.
        silence: how much of it.
        slices: the names of the slices of silence of each split.
        seed: decides which clips of a word are taken, and which slices.
    """
    names: dict[str, list[str]] = {}
    for split, clips in dealt.items():
        names[split] = [clip.name for clip in clips if clip.label != UNKNOWN]
        keywords = len(names[split])
        if unknown:
            wanted = unknown.words_in(split)
            others = (clip.name for clip in clips if words.get(clip.name) in wanted)
            most = ceil(unknown.share * keywords)
            names[split] += _evenly(others, words, most, seed)
        if silence:
            drawn = sorted(slices[split], key=lambda name: _draw(seed, name))
            names[split] += sorted(drawn[: ceil(silence.share * keywords)])
    return names


def outputs(
    labels: Sequence[str], unknown: object | None, silence: object | None
) -> tuple[str, ...]:
    """Return what a network answers with: the keywords, then what is none of them."""
    return (*labels, *([UNKNOWN] if unknown else []), *([SILENCE] if silence else []))


def _evenly(names: Iterable[str], words: Mapping[str, str], most: int, seed: int) -> list[str]:
    """Return at most so many names, of every word as many as of any other while there are some."""
    of_word: dict[str, list[str]] = defaultdict(list)
    for name in sorted(names, key=lambda name: _draw(seed, name)):
        of_word[words[name]].append(name)
    rounds = zip_longest(*(of_word[word] for word in sorted(of_word)))
    return sorted([name for name in chain.from_iterable(rounds) if name is not None][:most])


def _draw(seed: int, name: str) -> str:
    return hashlib.sha256(f"{seed} {name}".encode()).hexdigest()
