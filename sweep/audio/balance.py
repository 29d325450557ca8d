"""How unequal the words of a data set are in number, and what that does to an accuracy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sweep.statistics import Confusion

_UNEQUAL = 1.5


@dataclass(frozen=True)
class Balance:
    """How many clips each word has."""

    clips: Mapping[str, int]

    @classmethod
    def of_targets(cls, labels: Sequence[str], targets: np.ndarray) -> "Balance":
        """Count the clips of each label; ``targets`` are indices of labels."""
        counts = np.bincount(targets, minlength=len(labels)).tolist()
        return cls(dict(zip(labels, counts, strict=True)))

    @classmethod
    def of_confusion(cls, labels: Sequence[str], counts: Confusion) -> "Balance":
        """Count the clips of each label that were classified."""
        return cls({label: sum(row) for label, row in zip(labels, counts, strict=True)})

    @property
    def commonest(self) -> str:
        """The word with the most clips."""
        return max(self.clips, key=self.clips.__getitem__)

    @property
    def share(self) -> float:
        """The share of clips of the commonest word: the accuracy of always predicting it."""
        return self.clips[self.commonest] / max(sum(self.clips.values()), 1)

    @property
    def unequal(self) -> bool:
        """Whether the commonest word has half as many clips again as equal shares would give it."""
        return self.share * len(self.clips) > _UNEQUAL

    @property
    def caution(self) -> str:
        """What to know before an accuracy is limited; empty where the words are about equal."""
        if not self.unequal:
            return ""
        return (
            f"{self.commonest} is {self.share:.0%} of the clips, so always predicting it has an"
            f" accuracy of {self.share:.3f}; limit worst_recall or balanced_accuracy too, and let"
            " the search choose class_weight: [none, balanced]"
        )
