"""The layers a network is made of."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from sweep.networks.convolutions import Conv, DepthwiseConv
from sweep.networks.layer import (
    Layer,
    Parts,
    Run,
    Shape,
    activated,
    activation_operators,
    filled,
    initial_norm,
    scale_and_shift,
)

__all__ = [
    "Add",
    "CoefficientAverage",
    "Conv",
    "Dense",
    "DepthwiseConv",
    "GlobalAveragePool",
    "Layer",
    "SubSpectralNorm",
]


@dataclass(frozen=True)
class Dense(Layer):
    """A fully connected layer with a bias, over what was pooled.

    Attributes:
        units: channels of its output.
        activation: ``relu``, ``swish`` or ``none``.
    """

    units: int
    activation: str = field(default="none", kw_only=True)

    @property
    def operators(self) -> tuple[str, ...]:
        """The matrix product and the activation."""
        return ("FULLY_CONNECTED", *activation_operators(self.activation))

    def output(self, *shapes: Shape) -> Shape:
        """Return the units."""
        if len(shapes[0]) != 1:
            raise ValueError(f"{self.name}: takes what was pooled, not maps of shape {shapes[0]}")
        return (self.units,)

    def kernels(self, shape: Shape) -> dict[str, Shape]:
        """Return one kernel ``[inputs, outputs]``."""
        return {"kernel": (shape[-1], self.units)}

    def initial(self, shape: Shape) -> dict[str, np.ndarray]:
        """Return a bias of 0."""
        return {"bias": np.zeros(self.units, np.float32)}

    def widened(self, lanes: int) -> "Dense":
        """Return it with more units."""
        return replace(self, units=filled(self.units, lanes))

    def forward(self, inputs: list[Any], weights: Parts, run: Run) -> Any:
        """Return the product with the kernel, and the bias."""
        import tensorflow as tf

        (values,) = inputs
        return activated(tf.matmul(values, weights["kernel"]) + weights["bias"], self.activation)

    def stored(self, part: str, values: np.ndarray) -> np.ndarray:
        """Return outputs first."""
        return np.moveaxis(values, -1, 0)


@dataclass(frozen=True)
class SubSpectralNorm(Layer):
    """Batch normalisation of bands of coefficients, each by itself.

    After Chang et al., "SubSpectral Normalization for Neural Audio Data Processing", 2021.  It
    cannot be folded into the kernel before it: deployed, it is one product and one sum.

    Attributes:
        bands: into which the coefficients are cut; they must divide them.
        activation: ``relu``, ``swish`` or ``none``.
    """

    bands: int
    activation: str = field(default="none", kw_only=True)

    @property
    def operators(self) -> tuple[str, ...]:
        """The product, the sum and the activation."""
        return ("MUL", "ADD", *activation_operators(self.activation))

    def output(self, *shapes: Shape) -> Shape:
        """Return the shape of the input."""
        if shapes[0][1] % self.bands:
            raise ValueError(f"{self.name}: {self.bands} bands do not divide {shapes[0][1]}")
        return shapes[0]

    def initial(self, shape: Shape) -> dict[str, np.ndarray]:
        """Return a neutral norm, its parts ``[bands, channels]``."""
        return initial_norm((self.bands, shape[-1]))

    def fold(self, weights: Parts, shape: Shape) -> dict[str, Any]:
        """Return ``scale`` and ``shift``, ``[coefficients, channels]``."""
        wide = shape[1] // self.bands
        if isinstance(weights["gamma"], np.ndarray):
            scale, shift = (np.repeat(one, wide, axis=0) for one in scale_and_shift(weights))
        else:
            import tensorflow as tf

            scale, shift = (tf.repeat(one, wide, axis=0) for one in scale_and_shift(weights))
        return {"scale": scale, "shift": shift}

    def forward(self, inputs: list[Any], weights: Parts, run: Run) -> Any:
        """Normalise each band of each channel."""
        import tensorflow as tf

        (maps,) = inputs
        if not run.training:
            return activated(maps * weights["scale"] + weights["shift"], self.activation)
        frames, coefficients, channels = maps.shape[1:]
        bands = tf.reshape(maps, (-1, frames, self.bands, coefficients // self.bands, channels))
        mean, variance = tf.nn.moments(bands, axes=(0, 1, 3))
        run.seen.update(mean=mean, variance=variance)
        scale, shift = scale_and_shift(dict(weights) | run.seen)
        normalised = bands * scale[:, None] + shift[:, None]
        return activated(tf.reshape(normalised, tf.shape(maps)), self.activation)


@dataclass(frozen=True)
class Add(Layer):
    """The sum with the output of an earlier layer; one column of coefficients is added to all.

    Attributes:
        other: the earlier layer.
        activation: ``relu``, ``swish`` or ``none``.
        longer: frames that the layer before has more than the other; the longer is cut at both
            ends, so that the frames that are added lie at the same time.
    """

    other: str
    activation: str = field(default="none", kw_only=True)
    longer: int = field(default=0, kw_only=True)

    @property
    def operators(self) -> tuple[str, ...]:
        """What cuts the longer, the sum and the activation."""
        cut = ("SLICE",) if self.longer else ()
        return (*cut, "ADD", *activation_operators(self.activation))

    @property
    def sources(self) -> tuple[str, ...]:
        """The layer before, or ``of``, and the other."""
        return self.of, self.other

    def streaming(self, *shapes: Shape) -> "Add":
        """Return it with the longer cut, which unpadded frames make of one of them."""
        first, second = shapes
        return replace(self, longer=first[0] - second[0]) if len(first) == 3 else self

    def output(self, *shapes: Shape) -> Shape:
        """Return the larger of both shapes."""
        first, second = shapes
        if self.longer:
            shorter = min(first[0], second[0])
            first, second = (shorter, *first[1:]), (shorter, *second[1:])
        agree = len(first) == len(second) and first[-1] == second[-1]
        if not agree or any(a != b and 1 not in (a, b) for a, b in zip(first, second)):
            raise ValueError(f"{self.name}: shapes {first} and {second} cannot be added")
        return tuple(map(max, first, second))

    def forward(self, inputs: list[Any], weights: Parts, run: Run) -> Any:
        """Return the sum."""
        first, second = inputs
        if self.longer > 0:
            first = self._cut(first, second.shape[1])
        elif self.longer < 0:
            second = self._cut(second, first.shape[1])
        return activated(first + second, self.activation)

    def _cut(self, maps: Any, frames: int) -> Any:
        import tensorflow as tf

        return tf.slice(maps, (0, abs(self.longer) // 2, 0, 0), (-1, frames, -1, -1), name="cut")


@dataclass(frozen=True)
class CoefficientAverage(Layer):
    """The mean over the coefficients of each frame, of which one column is left."""

    @property
    def operators(self) -> tuple[str, ...]:
        """The mean."""
        return ("MEAN",)

    def output(self, *shapes: Shape) -> Shape:
        """Return one coefficient."""
        frames, _, channels = shapes[0]
        return frames, 1, channels

    def forward(self, inputs: list[Any], weights: Parts, run: Run) -> Any:
        """Return the mean."""
        import tensorflow as tf

        return tf.reduce_mean(inputs[0], axis=2, keepdims=True)


@dataclass(frozen=True)
class GlobalAveragePool(Layer):
    """The mean of each channel over all frames and coefficients."""

    @property
    def operators(self) -> tuple[str, ...]:
        """The mean."""
        return ("MEAN",)

    def output(self, *shapes: Shape) -> Shape:
        """Return the channels."""
        return shapes[0][-1:]

    def forward(self, inputs: list[Any], weights: Parts, run: Run) -> Any:
        """Return the mean."""
        import tensorflow as tf

        return tf.reduce_mean(inputs[0], axis=(1, 2))
