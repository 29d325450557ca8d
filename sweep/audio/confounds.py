"""What tells the words of a data set apart without listening to the words, and may fool a search.

A network learns whatever tells labels apart.  Where one word was recorded louder, in another room
or at another rate, it may learn that; its accuracy is then high on these clips and nowhere else.
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sweep.audio.layout import Clip
from sweep.audio.traits import Traits, measure
from sweep.errors import DataError

MOST_CLIPS = 2000
MOST_CLIPS_A_WORD = 200
FEWEST_CLIPS_A_WORD = 40
"""As many clips of each word are measured as ``MOST_CLIPS`` allow between the other two."""

LEAST_SHARE = 0.75
"""The share of two words' clips that one number must tell apart to be reported; half is chance.

Among the words of Speech Commands, loudness, length and noise floor reach 0.65, and bandwidth 0.70,
as an s is brighter than an o.
"""
LEAST_SHARE_OF_KIND = 0.6
"""The same for what a word has no influence on: rate and format."""
_CHANCE = 1.95
"""Kolmogorov and Smirnov's factor for a difference that chance brings once in a thousand times."""

Value = float | str


@dataclass(frozen=True)
class Pair:
    """Two words, and the share of their clips that a trait tells apart; see ``told_apart``."""

    words: tuple[str, str]
    share: float


@dataclass(frozen=True)
class Finding:
    """Something that may fool a search.

    Attributes:
        what: the trait, or ``duplicates``; see ``find_duplicates``.
        words: the words it is about; of several pairs, the pair that it separates best.
        figures: what was measured, as a text.
        advice: what to do.
        pairs: all pairs of words that the trait tells apart, best first.
    """

    what: str
    words: tuple[str, ...]
    figures: str
    advice: str
    pairs: tuple[Pair, ...] = ()

    def __str__(self) -> str:
        return f"{self.what}: {self.figures}; {self.advice}"


@dataclass(frozen=True)
class _Trait:
    """How a trait is called, found and written, and what to do where it tells words apart.

    Medians less than ``step`` from each other are alike, however the clips spread about them.
    """

    name: str
    of: Callable[[Traits], Value]
    text: str
    advice: str
    step: float = 0.0


_TRAITS = (
    _Trait(
        "sampling rate",
        lambda traits: f"{traits.rate_hz} Hz",
        "{}",
        "record all words alike, or search with downsampling_rate at the lowest",
    ),
    _Trait(
        "file format",
        lambda traits: traits.form,
        "{}",
        "convert all words from their originals in one way",
    ),
    _Trait(
        "bandwidth",
        lambda traits: traits.bandwidth_hz,
        "{:.0f} Hz",
        "record all words alike, or search with upper_frequency below the narrowest",
        250.0,
    ),
    _Trait(
        "length",
        lambda traits: traits.length_in_s,
        "{:.2f} s",
        "cut all words to one length, unless the words themselves are that unlike",
        0.05,
    ),
    _Trait(
        "loudness",
        lambda traits: traits.level_dbfs,
        "{:.0f} dB",
        "record all words alike, or search with normalization: per_clip and with gain_db",
        2.0,
    ),
    _Trait(
        "noise floor",
        lambda traits: traits.floor_dbfs,
        "{:.0f} dB",
        "record all words in the same places, or search with noise_snr_db",
        3.0,
    ),
)


def find_confounds(folder: Path, clips: Iterable[Clip]) -> list[Finding]:
    """Measure clips of each word, and return the traits that separate two words."""
    names: dict[str, list[str]] = defaultdict(list)
    for clip in clips:
        names[clip.label].append(clip.name)
    each = MOST_CLIPS // max(1, len(names))
    each = min(MOST_CLIPS_A_WORD, max(FEWEST_CLIPS_A_WORD, each))
    traits = {word: list(_measured(folder, _spread(names[word], each))) for word in sorted(names)}
    return compare({word: found for word, found in traits.items() if found})


def compare(traits: Mapping[str, Sequence[Traits]]) -> list[Finding]:
    """Return what tells words apart, by the traits of their clips."""
    findings: list[Finding] = []
    known: dict[str, set[tuple[str, str]]] = {}
    for trait in _TRAITS:
        values = {word: [trait.of(one) for one in found] for word, found in traits.items()}
        every = (
            Pair((one, other), told_apart(values[one], values[other]))
            for one, other in itertools.combinations(values, 2)
        )
        pairs = [pair for pair in every if _differ(trait, pair, values)]
        if trait.name == "bandwidth":
            pairs = [pair for pair in pairs if pair.words not in known["sampling rate"]]
        known[trait.name] = {pair.words for pair in pairs}
        if pairs:
            findings.append(_finding(trait, sorted(pairs, key=lambda pair: -pair.share), values))
    return findings


def told_apart(one: Sequence[Value], other: Sequence[Value]) -> float:
    """Return the share of values that the best rule puts on their side; each side counts half.

    Of numbers, the rule is a threshold, and the share (1 + D) / 2 with the statistic D of
    Kolmogorov and Smirnov.  Of kinds, it is the side on which each kind is commoner.
    """
    if isinstance(one[0], str):
        counts, others = Counter(one), Counter(other)
        kinds = counts.keys() | others.keys()
        distance = sum(abs(counts[k] / len(one) - others[k] / len(other)) for k in kinds) / 2
        return 0.5 + distance / 2
    every = [*one, *other]
    below = np.searchsorted(np.sort(one), every, "right") / len(one)
    below_other = np.searchsorted(np.sort(other), every, "right") / len(other)
    return 0.5 + float(np.max(np.abs(below - below_other))) / 2


def _finding(trait: _Trait, pairs: list[Pair], values: Mapping[str, Sequence[Value]]) -> Finding:
    best = pairs[0]
    one, other = (f"{word} ({_typical(trait, values[word])})" for word in best.words)
    figures = f"it alone tells {best.share:.0%} of the clips of {one} and {other} apart"
    if len(pairs) > 1:
        figures += f", and {len(pairs) - 1} more pairs of words"
    return Finding(trait.name, best.words, figures, trait.advice, tuple(pairs))


def _typical(trait: _Trait, values: Sequence[Value]) -> str:
    """Return the median of numbers, the commonest of kinds."""
    if isinstance(values[0], str):
        return str(Counter(values).most_common(1)[0][0])
    return trait.text.format(np.median(np.array(values, float)))


def _differ(trait: _Trait, pair: Pair, values: Mapping[str, Sequence[Value]]) -> bool:
    """Tell whether a trait separates two words by more than chance, and more than other words."""
    one, other = (np.array(values[word]) for word in pair.words)
    # Few clips are often unlike.
    chance = 0.5 + _CHANCE * (1 / len(one) + 1 / len(other)) ** 0.5 / 2
    if one.dtype.kind == "U":
        return pair.share >= max(chance, LEAST_SHARE_OF_KIND)
    apart = abs(np.median(one) - np.median(other))
    return bool(pair.share >= max(chance, LEAST_SHARE) and apart >= trait.step)


def _measured(folder: Path, names: Iterable[str]) -> Iterator[Traits]:
    for name in names:
        try:
            yield measure(folder / name)
        except DataError:
            continue


def _spread(names: Sequence[str], most: int) -> list[str]:
    """Return at most so many of some names, evenly spread."""
    places = np.linspace(0, len(names) - 1, min(most, len(names))).round().astype(int)
    return [names[place] for place in places]
