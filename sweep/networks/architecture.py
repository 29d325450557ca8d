"""A network bound to the shape of the features: what every stage asks of it."""

from abc import ABC, abstractmethod

import numpy as np

from sweep.networks.layer import Shape

Weights = dict[str, np.ndarray]
"""The weights of a network, by ``layer/part``."""


class Architecture(ABC):
    """Everything that fixes the shape of a network; equal ones share graphs and conversions.

    Attributes:
        shape: frames and coefficients of the features it takes.
        streaming: whether frames are the same in each window of a stream, and can be kept.
    """

    shape: tuple[int, int]
    streaming: bool = False

    @property
    def step_frames(self) -> int:
        """Frames after which it can be computed again: those of its strides if it streams."""
        return 1

    @property
    @abstractmethod
    def labels(self) -> int:
        """How many labels it tells apart."""

    @property
    @abstractmethod
    def key(self) -> str:
        """A text that is the same for equal architectures alone, in every process."""

    @abstractmethod
    def kernels(self) -> dict[str, Shape]:
        """Return the shape of every kernel, in TensorFlow's layout."""

    @abstractmethod
    def prunable(self, depthwise: bool) -> list[str]:
        """Return the kernels that pruning reaches; tfmot by itself leaves depthwise ones alone."""

    @abstractmethod
    def parameters(self) -> int:
        """Return how many parameters are stored while training, four a channel for each norm."""

    @abstractmethod
    def multiply_adds(self) -> int:
        """Return the multiply-adds of one clip, those of kernels only."""

    @abstractmethod
    def initial_weights(self, seed: int) -> Weights:
        """Draw the weights that training begins with."""
