"""The specification of a data set: source, labels, split, clip length."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sweep.audio import layout
from sweep.audio.open_set import SilenceSpec, StreamSpec, UnknownSpec, outputs
from sweep.audio.splits import SplitRule

CLIP_LENGTHS_IN_S = (0.25, 4.0)
"""The shortest and the longest clip."""


@dataclass(frozen=True)
class DatasetSpec:
    """Which clips to learn from, and how they are split.

    Attributes:
        source: the name of a source, such as ``"synthetic"``, or a folder of recordings.
        labels: the words to tell apart, in the order of the network's outputs.
        split: ``"speaker"``, ``"folders"`` or a text file for each split; see ``split_clips``.  For
            ``"speaker"``, recordings that come with official lists are split by these.
        label_from: where the word of a recording is, for a folder only; see ``find_clips``.
        clip_length_in_s: length of a clip; ``"auto"`` goes by the recordings, see
            ``typical_length``.
        parameters: those of the source itself, such as ``clips_per_label`` of synthetic speech.
        seed: of synthetic speech, and of what ``unknown`` and ``silence`` draw.
        unknown: what the label ``_unknown_`` is made of; None to do without.
        silence: what the label ``_silence_`` is made of; None to do without.
        streams: what streams are made of; None to measure clips only.
    """

    source: str
    labels: tuple[str, ...]
    split: SplitRule = "speaker"
    label_from: layout.LabelFrom = "folder"
    clip_length_in_s: float | Literal["auto"] = 1.0
    parameters: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    unknown: UnknownSpec | None = None
    silence: SilenceSpec | None = None
    streams: StreamSpec | None = None

    @property
    def outputs(self) -> tuple[str, ...]:
        """The labels in the order of the network's outputs; ``_unknown_``, ``_silence_`` last."""
        return outputs(self.labels, self.unknown, self.silence)

    @property
    def none_of_these(self) -> list[str]:
        """What is no keyword here, a line for each label; once the data set is opened."""
        background = f"{layout.SILENCE}: background recordings at many levels"
        return [*map(str, filter(None, [self.unknown])), *([background] if self.silence else [])]

    def clip(self, name: str) -> layout.Clip:
        """Return the clip of a name; its label is one of ``outputs``."""
        clip = layout.clip_of(name, self.label_from)
        is_other = self.unknown is not None and clip.label not in self.outputs
        return replace(clip, label=layout.UNKNOWN) if is_other else clip

    def for_split(self, name: str, split: str) -> bool:
        """Tell whether a clip may be in a split: of other words, some are kept out of training."""
        is_other = self.unknown is not None and self.clip(name).label == layout.UNKNOWN
        if not is_other or self.unknown is None:
            return True
        return layout.label_of(name, self.label_from) in self.unknown.words_in(split)
