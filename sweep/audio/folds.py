"""Cross-validation: speakers dealt into folds, each of which is held out once."""

import hashlib

from sweep.audio import layout
from sweep.audio.dataset import Dataset, locate, read_splits
from sweep.errors import DataError


def hold_out(dataset: Dataset, fold: int, folds: int) -> Dataset:
    """Return the same clips with one fold of speakers for validation and the others for training.

    The speakers of the training and validation clips are dealt in an order that only their names
    decide.  The testing clips stay where they are, unread.

    Args:
        dataset: the clips.
        fold: which fold to hold out, from 0.
        folds: how many there are.

    Raises:
        DataError: if some word is not said in every fold.
    """
    speakers = {clip.name: clip.speaker for clip in layout.find_clips(locate(dataset.spec))}
    names = [*dataset.names("training"), *dataset.names("validation")]
    order = sorted({speakers[name] for name in names}, key=_shuffled)
    held = set(order[fold::folds])
    splits = {
        "training": [name for name in names if speakers[name] not in held],
        "validation": [name for name in names if speakers[name] in held],
        "testing": dataset.listed["testing"],
    }
    for said in (splits["training"], splits["validation"]):
        if {layout.label_of(name) for name in said} != set(dataset.labels):
            raise DataError(
                f"{dataset.spec.source}: {len(order)} speakers are too few for {folds} folds that "
                "all hear every word; ask for fewer with --folds, or for none with --folds 0"
            )
    return read_splits(dataset.spec, splits)


def _shuffled(speaker: str) -> str:
    return hashlib.sha256(speaker.encode()).hexdigest()
