"""Who speaks in each split, and so whether other speakers than those of training were tried."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sweep import strict_json
from sweep.audio.layout import SPEAKER_END, LabelFrom, clip_of
from sweep.audio.splits import SPLITS

_FEW = 5


@dataclass(frozen=True)
class Speakers:
    """How many people speak in the clips.

    Attributes:
        counts: number of speakers in each split whose names are known.
        shared: how many of those in validation or testing are in training too.
        new: how many of them are not.
        unnamed: number of clips whose file names give no speaker.
    """

    counts: Mapping[str, int]
    shared: int
    new: int
    unnamed: int

    @classmethod
    def of(cls, names: Mapping[str, Iterable[str]], label_from: LabelFrom = "folder") -> "Speakers":
        """Count the speakers of the clips of each split, by the names of the clips."""
        clips = {split: [clip_of(name, label_from) for name in names[split]] for split in SPLITS}
        named = {
            split: {clip.speaker for clip in some if SPEAKER_END in clip.stem}
            for split, some in clips.items()
        }
        held_out = named["validation"] | named["testing"]
        return cls(
            counts={split: len(some) for split, some in named.items()},
            shared=len(held_out & named["training"]),
            new=len(held_out - named["training"]),
            unnamed=sum(SPEAKER_END not in clip.stem for some in clips.values() for clip in some),
        )

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "Speakers":
        """Read what ``asdict`` made of one.

        Raises:
            ValueError: if it is of other types.
        """
        strict_json.check(cls, record)
        return cls(**record)

    @property
    def disjoint(self) -> bool:
        """Whether nobody who speaks in training is, or may be, in another split."""
        return not self.shared and not self.unnamed

    @property
    def few(self) -> bool:
        """Whether so few people speak in testing that their clips say little of others."""
        return self.disjoint and 0 < self.counts["testing"] < _FEW

    @property
    def caution(self) -> str:
        """What the accuracies do not tell about other speakers, in a sentence; empty for nothing.

        Intervals count clips as if each had a speaker of its own.
        """
        if self.shared and not self.new:
            return (
                "Other speakers were not tried: validation and test clips are by the speakers of"
                " training, and for anybody else the accuracy may be lower"
            )
        if self.shared:
            return (
                f"Of the speakers of validation and test clips, {self.shared} are in training too"
                f" and {self.new} are not: for anybody else the accuracy may be lower"
            )
        if self.unnamed:
            return (
                "Whether other speakers were tried is not known: clips without a speaker in their"
                f" names (ANNA{SPEAKER_END}0.wav): {self.unnamed}"
            )
        if self.few:
            tested = self.counts["testing"]
            return (
                f"The test clips are by {tested} speaker{'s' * (tested > 1)} only: how much"
                " speakers differ is in the intervals of finalists, and in no other"
            )
        return ""
