"""The base of every front end."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, dataclass_transform

from sweep.parameters import defaults, given, parameter
from sweep.registry import version_of


@dataclass_transform(frozen_default=True)
@dataclass(frozen=True)
class Frontend(ABC):
    """A front end: a frozen dataclass of its parameters, which computes features.

    A subclass is made a dataclass by itself, and says ``shape`` and ``features``.  One that works
    on mel bands is shorter as a subclass of ``frontends.mel.MelFrontend``.  ``clip_length_in_s`` is
    the data set's.
    """

    downsampling_rate: int = parameter(
        16000, low=1000, high=48000, meaning="sampling rate of the front end, in Hz"
    )
    clip_length_in_s: float = given(1.0)

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        dataclass(frozen=True)(cls)

    enlarges: ClassVar[dict[str, str]] = {"frames": "frontend", "coefficients": "frontend"}
    """By axis the parameter to change where a network needs more of it."""

    @property
    def owner(self) -> Any:
        """What declares its parameters, and what the registry knows."""
        return type(self)

    @property
    def num_samples(self) -> int:
        """Samples in a clip."""
        return round(self.downsampling_rate * self.clip_length_in_s)

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """Frames and coefficients of one clip's features."""

    @property
    def is_standardised(self) -> bool:
        """Whether each coefficient's mean and deviation over the training clips are taken out."""
        return False

    @property
    def is_by_frame(self) -> bool:
        """Whether the features of a frame depend on its own samples alone."""
        return False

    @abstractmethod
    def features(self, waveforms: Any) -> Any:
        """Return features ``[clips, frames, coefficients]`` for float32 ``[clips, samples]``.

        In TensorFlow, of operators that LiteRT has built in.
        """

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield each parameter that does not go with the others, and why."""
        return iter(())

    def code(self) -> list[str]:
        """Return what tells apart how features are computed, besides its parameters."""
        return [self.owner.__qualname__, version_of(self.owner)]

    def values(self) -> dict[str, Any]:
        """Return its parameters by name."""
        return {name: getattr(self, name) for name in defaults(self.owner)}
