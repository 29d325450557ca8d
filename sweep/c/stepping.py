"""How a stream is cut into the steps of a network that keeps its frames; see ``classifier.h``."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sweep.frontends.mel import MelFrontend


@dataclass(frozen=True)
class Stepping:
    """The steps of a stream.

    Attributes:
        frontend: what makes frames of samples.
        frames: new ones of each step.
    """

    frontend: MelFrontend
    frames: int

    @property
    def stride(self) -> int:
        """Samples from one step to the next."""
        return self.frames * self.frontend.frame_step

    @property
    def samples(self) -> int:
        """The last samples that a step takes: its frames, and what of a clip is of no frame."""
        frontend, clip_frames = self.frontend, self.frontend.shape[0]
        unused = (clip_frames - min(clip_frames, self.frames)) * frontend.frame_step
        return max(frontend.num_samples - unused, self.stride)

    @property
    def warm_up(self) -> int:
        """Steps before that of the first whole clip."""
        return -(-self.frontend.shape[0] // self.frames) - 1

    def cut(self, clip: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the samples of each step up to the end of a clip, which begins after silence."""
        before = np.zeros(self.samples + self.stride, clip.dtype)
        known = np.concatenate([before, clip])
        for ahead in range(self.warm_up, -1, -1):
            end = len(known) - ahead * self.stride
            yield known[end - self.samples : end]
