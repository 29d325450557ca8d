"""The network: a small convolutional classifier, as plain weights and one forward function.

The report's DS-CNN (after Zhang et al., "Hello Edge", 2017): a strided 3x3 convolution, blocks of
depthwise 3x3 and pointwise 1x1 convolution, each followed by batch normalisation and ReLU, then
global average pooling and a dense layer.  With ``convolution: standard`` a block is one 3x3
convolution.  With ``convolution: temporal`` (after Choi et al., "Temporal Convolution for Real-time
Keyword Spotting", 2019) the first convolution takes in all coefficients at once, and depthwise
kernels are 9 frames long: a tenth of the multiply-adds at the same number of channels.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from sweep.candidate import NetworkParams

BATCH_NORM_EPSILON = 1e-3
_TEMPORAL_FRAMES = 9

Weights = dict[str, np.ndarray]


@dataclass(frozen=True)
class Architecture:
    """Everything that fixes the shape of a network; equal ones share graphs and conversions.

    Attributes:
        convolution: ``depthwise_separable``, ``temporal`` or ``standard``.
        width: channels of every convolution.
        blocks: blocks after the first convolution.
        frames, coefficients: shape of the features it sees.
        labels: how many labels it tells apart.
    """

    convolution: str
    width: int
    blocks: int
    frames: int
    coefficients: int
    labels: int

    @classmethod
    def of(cls, network: NetworkParams, shape: tuple[int, int], labels: int) -> "Architecture":
        """Return the architecture of a candidate's network for features of that shape."""
        return cls(network.convolution, network.width, network.blocks, *shape, labels)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the convolutions with batch normalisation, in order."""
        return ("stem", *(f"block_{i}" for i in range(1, self.blocks + 1)))

    def kernels(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of every kernel, in TensorFlow's layout."""
        width, temporal = self.width, self.convolution == "temporal"
        breadth = self.coefficients if temporal else 3
        shapes: dict[str, tuple[int, ...]] = {"stem/kernel": (3, breadth, 1, width)}
        for block in self.layers[1:]:
            if self.convolution == "standard":
                shapes[f"{block}/kernel"] = (3, 3, width, width)
            else:
                field = (_TEMPORAL_FRAMES, 1) if temporal else (3, 3)
                shapes[f"{block}/depthwise"] = (*field, width, 1)
                shapes[f"{block}/kernel"] = (1, 1, width, width)
        return shapes | {"dense/kernel": (width, self.labels)}

    def parameters(self) -> int:
        """Return how many parameters are stored while training, four a channel for each norm."""
        kernels = sum(math.prod(shape) for shape in self.kernels().values())
        return kernels + 4 * self.width * len(self.layers) + self.labels

    def multiply_adds(self) -> int:
        """Return the multiply-adds of one clip, those of kernels only."""
        height = (self.frames - 1) // 2
        breadth = 1 if self.convolution == "temporal" else (self.coefficients - 1) // 2
        per_place = sum(
            math.prod(shape) for name, shape in self.kernels().items() if name != "dense/kernel"
        )
        return height * breadth * per_place + self.width * self.labels


def initial_weights(architecture: Architecture, seed: int) -> Weights:
    """Draw kernels by Glorot's uniform rule; norms start neutral, the dense bias at 0."""
    rng = np.random.default_rng(seed)
    weights: Weights = {}
    for name, shape in architecture.kernels().items():
        field = math.prod(shape[:-2])
        bound = math.sqrt(6 / (field * (shape[-2] + shape[-1])))
        weights[name] = rng.uniform(-bound, bound, shape).astype(np.float32)
    ones, zeros = np.ones(architecture.width, np.float32), np.zeros(architecture.width, np.float32)
    for layer in architecture.layers:
        weights |= {f"{layer}/gamma": ones, f"{layer}/beta": zeros}
        weights |= {f"{layer}/mean": zeros, f"{layer}/variance": ones}
    weights["dense/bias"] = np.zeros(architecture.labels, np.float32)
    return weights


def fold(architecture: Architecture, weights: Mapping[str, Any]) -> dict[str, Any]:
    """Return the weights of the deployed network: norms folded into kernels and biases.

    Works on arrays and on tensors alike.
    """
    folded: dict[str, Any] = {}
    for name in architecture.kernels():
        layer, part = name.split("/")
        folded[name] = weights[name]
        if part == "kernel" and layer != "dense":
            deviation = (weights[f"{layer}/variance"] + BATCH_NORM_EPSILON) ** 0.5
            scale = weights[f"{layer}/gamma"] / deviation
            folded[name] = weights[name] * scale
            folded[f"{layer}/bias"] = weights[f"{layer}/beta"] - weights[f"{layer}/mean"] * scale
    return folded | {"dense/bias": weights["dense/bias"]}


def forward(
    architecture: Architecture, weights: Mapping[str, tf.Tensor], features: tf.Tensor
) -> tf.Tensor:
    """Return the logits ``[clips, labels]`` of a folded network for ``[clips, frames, ...]``."""

    def finish(layer: str, maps: tf.Tensor) -> tf.Tensor:
        biased = tf.nn.bias_add(maps, weights[f"{layer}/bias"], name="batch_normalization")
        return tf.nn.relu(biased, name="relu")

    return _layers(architecture, weights, features, finish)


def forward_training(
    architecture: Architecture, weights: Mapping[str, tf.Tensor], features: tf.Tensor
) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """Return the logits with norms taken over the batch, and the means and variances they saw."""
    seen: dict[str, tf.Tensor] = {}

    def finish(layer: str, maps: tf.Tensor) -> tf.Tensor:
        norm = tf.raw_ops.FusedBatchNormV3(
            x=maps,
            scale=weights[f"{layer}/gamma"],
            offset=weights[f"{layer}/beta"],
            mean=tf.constant([], tf.float32),
            variance=tf.constant([], tf.float32),
            epsilon=BATCH_NORM_EPSILON,
            is_training=True,
        )
        seen[f"{layer}/mean"] = norm.batch_mean
        seen[f"{layer}/variance"] = norm.batch_variance
        return tf.nn.relu(norm.y)

    return _layers(architecture, weights, features, finish, _matmul_pointwise), seen


def _layers(
    architecture: Architecture,
    weights: Mapping[str, tf.Tensor],
    features: tf.Tensor,
    finish: Callable[[str, tf.Tensor], tf.Tensor],
    pointwise: Callable[..., tf.Tensor] = tf.nn.conv2d,
) -> tf.Tensor:
    with tf.name_scope("ds_cnn/stem"):
        kernel = weights["stem/kernel"]
        maps = finish("stem", tf.nn.conv2d(features, kernel, 2, "VALID", name="convolution"))
    for block in architecture.layers[1:]:
        kernel = weights[f"{block}/kernel"]
        with tf.name_scope(f"ds_cnn/{block}"):
            if architecture.convolution == "standard":
                maps = tf.nn.conv2d(maps, kernel, 1, "SAME", name="convolution")
            else:
                maps = tf.nn.depthwise_conv2d(
                    maps,
                    weights[f"{block}/depthwise"],
                    (1, 1, 1, 1),
                    "SAME",
                    name="depthwise_convolution",
                )
                maps = pointwise(maps, kernel, 1, "SAME", name="pointwise_convolution")
            maps = finish(block, maps)
    with tf.name_scope("ds_cnn/average_pooling"):
        pooled = tf.reduce_mean(maps, axis=(1, 2))
    with tf.name_scope("ds_cnn/dense"):
        return tf.matmul(pooled, weights["dense/kernel"]) + weights["dense/bias"]


def _matmul_pointwise(
    maps: tf.Tensor, kernel: tf.Tensor, strides: int, padding: str, name: str
) -> tf.Tensor:
    """Return a 1x1 convolution as a matrix product, which trains in half the time here."""
    rows = tf.matmul(tf.reshape(maps, (-1, kernel.shape[2])), kernel[0, 0], name=name)
    return tf.reshape(rows, (-1, *maps.shape[1:3], kernel.shape[3]))
