"""Cross-validation: speakers dealt into folds, each of which is held out once."""

from collections.abc import Collection
from dataclasses import replace

from sweep.audio.dataset import Dataset, read_splits
from sweep.audio.layout import Clip
from sweep.audio.splits import UNITS, groups
from sweep.errors import DataError


def deal(dataset: Dataset, folds: int) -> list[list[str]]:
    """Return the names of the clips that each fold holds out, of training and validation together.

    Whole speakers are dealt, in an order that only their names and clips decide; recordings, where
    too few speakers say a word.  Where the speakers are fewer than ``folds``, or only so many
    folds can have every word, there are fewer folds: the most is one for each speaker.

    Args:
        dataset: the clips.
        folds: how many folds are wanted, at least 2.

    Raises:
        DataError: if not even two folds can have clips of words held out.
    """
    names = [*dataset.names("training"), *dataset.names("validation")]
    words, spec = set(dataset.labels), dataset.spec
    clips = [spec.clip(name) for name in names]

    def words_held(fold: list[Clip]) -> set[str]:
        return {clip.label for clip in fold if spec.for_split(clip.name, "validation")}

    every = (groups(clips, unit, count) for unit in UNITS for count in range(folds, 1, -1))
    # Without held-out words, found at the latest for two folds of recordings.
    dealt = next(
        (
            some
            for some in every
            if len(some) > 1 and all(words_held(fold) == words for fold in some)
        ),
        None,
    )
    if dealt is None:
        raise DataError(
            "the clips of words held out are too few for folds; hold out more words"
            " (dataset.unknown.held_out), or none, or leave out folds"
        )
    return [[clip.name for clip in fold] for fold in dealt]


def with_folds(dataset: Dataset, folds: int) -> Dataset:
    """Return the dataset with its folds; see ``deal``."""
    held_out = [hold_out(dataset, held) for held in deal(dataset, folds)] if folds else []
    return replace(dataset, folds=tuple(held_out))


def hold_out(dataset: Dataset, held: Collection[str]) -> Dataset:
    """Return the same clips with some for validation and the others for training.

    Other words that are held out are never for training, and those trained on never held out.

    The testing clips stay where they are, unread.

    Args:
        dataset: the clips.
        held: names of the clips for validation; see ``deal``.
    """
    names = [*dataset.names("training"), *dataset.names("validation")]
    held = set(held)
    splits = {
        "training": [n for n in names if n not in held and dataset.spec.for_split(n, "training")],
        "validation": [n for n in names if n in held and dataset.spec.for_split(n, "validation")],
        "testing": dataset.listed["testing"],
    }
    return read_splits(dataset.spec, splits)
