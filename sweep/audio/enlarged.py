"""A dataset with more clips to train on; what it is measured on stays as it is."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from sweep.audio.clips import examine, read_clip
from sweep.audio.dataset import Dataset
from sweep.audio.layout import UNKNOWN
from sweep.audio.reading import read
from sweep.candidate import digest
from sweep.errors import DataError


@dataclass(frozen=True)
class Enlarged(Dataset):
    """A dataset whose training split has further clips of ``_unknown_``, at its end.

    Attributes:
        more: the files of these clips.
    """

    more: tuple[str, ...] = ()

    @classmethod
    def of(cls, dataset: Dataset, folder: Path, names: Sequence[str]) -> "Enlarged":
        """Return a dataset with recordings below a folder.

        Raises:
            DataError: if it has no label ``_unknown_``, or none of them can be used.
        """
        if UNKNOWN not in dataset.labels:
            raise DataError(
                f"{dataset.spec.source}: has no {UNKNOWN}, which more clips could be of"
            )
        found = read(folder, names, lambda path: examine(path).note)
        if not found.names:
            raise DataError(f"{folder}: has no clip that can be used")
        same = {field.name: getattr(dataset, field.name) for field in fields(dataset)}
        same["fingerprint"] = digest([dataset.fingerprint, found.content])
        return cls(**same, more=tuple(str(folder / name) for name in found.names))

    def targets(self, split: str) -> np.ndarray:
        """Return the place of each clip's word in ``labels``, int64 [clips]."""
        known = super().targets(split)
        if split != "training":
            return known
        unknown = np.full(len(self.more), self.labels.index(UNKNOWN))
        return np.concatenate([known, unknown])

    def waveforms(self, split: str, rate: int) -> np.ndarray:
        """Return the clips of a split at ``rate`` Hz: int16 [clips, samples], of equal length."""
        known = super().waveforms(split, rate)
        if split != "training":
            return known
        more = [read_clip(Path(name), rate, known.shape[1]) for name in self.more]
        return np.concatenate([known, *(clip[None] for clip in more)])
