"""What every layer of a network knows of itself.

A layer knows the shape of its output, its weights and how they begin, its multiply-adds, how its
norm is folded away, what it computes, and how its weights lie in a ``.tflite``.  All else that is
done with a network follows from its list of layers.  TensorFlow is imported where something is
computed, so that a search space can be checked without it.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

NORM_EPSILON = 1e-3
"""Keras' own setting of batch normalisation."""

Shape = tuple[int, ...]
"""Of one clip: ``(frames, coefficients, channels)``, or ``(channels,)`` once pooled."""

Parts = Mapping[str, Any]
"""The weights of one layer by part, ``kernel`` or ``gamma``: arrays or tensors."""

AVERAGES = ("mean", "variance")
"""The parts that training does not learn but averages."""


class TooSmall(ValueError):
    """Features of fewer frames or coefficients than a network needs.

    Attributes:
        axis: ``frames`` or ``coefficients``.
    """

    def __init__(self, layer: str, axis: str, needed: int, size: int) -> None:
        super().__init__(f"{layer} needs {needed} {axis}, and gets {size}")
        self.axis = axis


@dataclass(frozen=True)
class Run:
    """What a network is computed for.

    Attributes:
        training: with its own weights and norms over the batch, not as it is deployed.
        converting: for a ``.tflite``, whose operators do more than those of TensorFlow on a CPU.
        seen: in training what takes the means and variances of a layer's norm, by part.
    """

    training: bool = False
    converting: bool = False
    seen: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Layer(ABC):
    """One step from maps to maps.

    Attributes:
        name: begins the names of its weights and of its tensors.  Layers may share a name if none
            of their weights then do; it refers to the last of them.
        of: the layer whose output it takes, or ``features``; the layer before, if empty.
    """

    name: str
    of: str = field(default="", kw_only=True)

    prunable: ClassVar[bool] = True
    """Whether tfmot by itself prunes its kernels."""

    @property
    @abstractmethod
    def operators(self) -> tuple[str, ...]:
        """The operators of a ``.tflite`` it becomes, by their names in the schema."""

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of the layers whose outputs it takes; empty for the layer before."""
        return (self.of,)

    def output(self, *shapes: Shape) -> Shape:
        """Return the shape of its output for those of its inputs.

        Raises:
            ValueError: if it cannot take them.
        """
        return shapes[0]

    def kernels(self, shape: Shape) -> dict[str, Shape]:
        """Return the shapes of its kernels, by part, in TensorFlow's layout."""
        return {}

    def initial(self, shape: Shape) -> dict[str, np.ndarray]:
        """Return its other weights as they begin."""
        return {}

    def widened(self, lanes: int) -> "Layer":
        """Return it with the next number of channels that ``lanes`` divides."""
        return self

    @property
    def time_stride(self) -> int:
        """Frames of its input for each frame of its output."""
        return 1

    def streaming(self, *shapes: Shape) -> "Layer":
        """Return it without the zeros that it pads frames with, for inputs of these shapes.

        Its output at a frame is then the same wherever the clip begins, so that it can be kept.
        """
        return self

    def fold(self, weights: Parts, shape: Shape) -> dict[str, Any]:
        """Return its weights in the deployed network, in which norms are kernels and biases."""
        return dict(weights)

    @abstractmethod
    def forward(self, inputs: list[Any], weights: Parts, run: Run) -> Any:
        """Return its output ``[clips, ...]`` for inputs ``[clips, ...]``.

        Args:
            inputs: one tensor for each of its ``sources``.
            weights: in training its weights, else what ``fold`` made of them.
            run: what it is computed for.
        """

    def stored(self, part: str, values: np.ndarray) -> np.ndarray:
        """Return a folded weight in the order in which a ``.tflite`` holds it."""
        return values

    @property
    def channel_axis(self) -> int:
        """The axis of a stored kernel along which quantization gives each channel a scale."""
        return 0


def filled(channels: int, lanes: int) -> int:
    """Return the next number of channels that ``lanes`` divides."""
    return math.ceil(channels / lanes) * lanes


def activation_operators(activation: str) -> tuple[str, ...]:
    """Return the operators that an activation adds; ``relu`` is part of the one before it."""
    return ("LOGISTIC", "MUL") if activation == "swish" else ()


def activated(values: Any, activation: str) -> Any:
    """Return values after ``relu``, ``swish`` or ``none``."""
    import tensorflow as tf

    return {
        "relu": lambda: tf.nn.relu(values, name="relu"),
        "swish": lambda: tf.nn.silu(values),
        "none": lambda: values,
    }[activation]()


def initial_norm(shape: Shape) -> dict[str, np.ndarray]:
    ones, zeros = np.ones(shape, np.float32), np.zeros(shape, np.float32)
    return {"gamma": ones, "beta": zeros, "mean": zeros, "variance": ones}


def scale_and_shift(weights: Parts) -> tuple[Any, Any]:
    """Return what a norm multiplies by and what it then adds."""
    scale = weights["gamma"] / (weights["variance"] + NORM_EPSILON) ** 0.5
    return scale, weights["beta"] - weights["mean"] * scale


def normalised(maps: Any, weights: Parts, run: Run) -> Any:
    """Return maps normalised over the batch, whose mean and variance ``run`` takes."""
    import tensorflow as tf

    norm = tf.raw_ops.FusedBatchNormV3(
        x=maps,
        scale=weights["gamma"],
        offset=weights["beta"],
        mean=tf.constant([], tf.float32),
        variance=tf.constant([], tf.float32),
        epsilon=NORM_EPSILON,
        is_training=True,
    )
    run.seen.update(mean=norm.batch_mean, variance=norm.batch_variance)
    return norm.y
