"""Cross-validation: speakers dealt into folds, each of which is held out once."""

from collections.abc import Collection
from dataclasses import replace

from sweep.audio.dataset import Dataset, read_splits
from sweep.audio.layout import clip_of
from sweep.audio.splits import UNITS, groups


def deal(dataset: Dataset, folds: int) -> list[list[str]]:
    """Return the names of the clips that each fold holds out, of training and validation together.

    Whole speakers are dealt, in an order that only their names and clips decide; recordings, where
    too few speakers say a word.  Where the speakers are fewer than ``folds``, or only so many
    folds can have every word, there are fewer folds: the most is one for each speaker.

    Args:
        dataset: the clips.
        folds: how many folds are wanted, at least 2.
    """
    names = [*dataset.names("training"), *dataset.names("validation")]
    words, where = set(dataset.labels), dataset.spec.label_from
    clips = [clip_of(name, where) for name in names]
    every = (groups(clips, unit, count) for unit in UNITS for count in range(folds, 1, -1))
    # Found at the latest for two folds of recordings: training and validation have every word.
    dealt = next(
        some
        for some in every
        if len(some) > 1 and all({clip.label for clip in fold} == words for fold in some)
    )
    return [[clip.name for clip in fold] for fold in dealt]


def with_folds(dataset: Dataset, folds: int) -> Dataset:
    """Return the dataset with its folds; see ``deal``."""
    held_out = [hold_out(dataset, held) for held in deal(dataset, folds)] if folds else []
    return replace(dataset, folds=tuple(held_out))


def hold_out(dataset: Dataset, held: Collection[str]) -> Dataset:
    """Return the same clips with some for validation and the others for training.

    The testing clips stay where they are, unread.

    Args:
        dataset: the clips.
        held: names of the clips for validation; see ``deal``.
    """
    names = [*dataset.names("training"), *dataset.names("validation")]
    held = set(held)
    splits = {
        "training": [name for name in names if name not in held],
        "validation": [name for name in names if name in held],
        "testing": dataset.listed["testing"],
    }
    return read_splits(dataset.spec, splits)
