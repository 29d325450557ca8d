"""The graph a network is trained in: many steps a call, its masks applied inside."""

import math
from functools import lru_cache
from typing import Any

import numpy as np
import tensorflow as tf

from sweep.arrays import blocks
from sweep.networks.architecture import Architecture, Weights
from sweep.networks.keras import KerasArchitecture
from sweep.networks.keras_graph import KerasGraph
from sweep.networks.layer import AVERAGES
from sweep.networks.layered import LayeredArchitecture
from sweep.networks.pruning import magnitude_mask

_NORM_MOMENTUM = 0.99
_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-7
"""Keras' own settings of batch normalisation and Adam."""

_AVERAGES = tuple(f"/{part}" for part in AVERAGES)
_GRAPHS_KEPT = 8
_LANES = 16
_CLIPS_AT_ONCE = 512


class TrainingGraph:
    """The variables and traced functions of one architecture; used again for every network of it.

    All that is learned lies in one vector, and so do the moving averages of the norms: a step is
    one update of each, however many kernels there are.  Narrower networks are trained in it too:
    the channels they do not have are zero and masked, and so stay zero and add nothing.
    """

    def __init__(self, architecture: LayeredArchitecture, batch_size: int) -> None:
        self.architecture = architecture
        initial = architecture.initial_weights(seed=0)
        self._learned = {k: v.shape for k, v in initial.items() if not k.endswith(_AVERAGES)}
        self._averaged = {k: v.shape for k, v in initial.items() if k.endswith(_AVERAGES)}
        self.learned = tf.Variable(_joined(initial, self._learned))
        self.averages = tf.Variable(_joined(initial, self._averaged))
        self.mask = tf.Variable(tf.ones_like(self.learned))
        self.moments = [tf.Variable(tf.zeros_like(self.learned)) for _ in range(2)]
        self.step = tf.Variable(0.0)
        self._shapes = self._learned | self._averaged
        signature = [
            tf.TensorSpec((None, batch_size, *architecture.shape), tf.float32),
            tf.TensorSpec((None, batch_size, architecture.labels), tf.float32),
            tf.TensorSpec((None,), tf.float32),
            tf.TensorSpec((None,), tf.float32),
        ]
        clips = [tf.TensorSpec((None, *architecture.shape), tf.float32)]
        self._run = tf.function(self._steps, signature, autograph=False)
        self._predict_logits = tf.function(self._logits, clips, autograph=False)

    def start(self, weights: Weights) -> None:
        """Begin anew from these weights, which may be narrower than the graph."""
        self._shapes = {name: values.shape for name, values in weights.items()}
        self.learned.assign(_joined(weights, self._learned))
        self.averages.assign(_joined(weights, self._averaged))
        ones = {name: np.ones_like(values) for name, values in weights.items()}
        self.mask.assign(_joined(ones, self._learned))
        for moment in self.moments:
            moment.assign(tf.zeros_like(moment))
        self.step.assign(0.0)

    def run(
        self, features: np.ndarray, answers: np.ndarray, mixing: np.ndarray, rates: np.ndarray
    ) -> float:
        """Train on batches in turn; return the sum of their losses.

        Args:
            features: float32 ``[steps, batch_size, frames, coefficients]``.
            answers: float32 ``[steps, batch_size, labels]``, the share of each label.
            mixing: float32 ``[steps]``, how much of each clip is itself; the rest is another.
            rates: float32 ``[steps]``, the learning rates.
        """
        return float(self._run(features, answers, mixing, rates))

    def prune(self, names: list[str], sparsity: float) -> None:
        """Renew the masks of kernels and set what they hide to zero."""
        kernels = self._trimmed(self.learned, self._learned)
        masks = self._trimmed(self.mask, self._learned)
        masks |= {name: magnitude_mask(kernels[name], sparsity) for name in names}
        self.mask.assign(_joined(masks, self._learned))
        self.learned.assign(self.learned * self.mask)

    def accuracy(self, features: np.ndarray, targets: np.ndarray) -> float:
        """Return the share of clips classified correctly."""
        parts = blocks(features, _CLIPS_AT_ONCE)
        predicted = np.concatenate(
            [self._predict_logits(part).numpy().argmax(axis=1) for part in parts]
        )
        return float(np.mean(predicted == targets))

    def weights(self) -> Weights:
        """Return a copy of the weights."""
        learned = self._trimmed(self.learned, self._learned)
        return learned | self._trimmed(self.averages, self._averaged)

    def _trimmed(self, vector: tf.Variable, shapes: dict[str, tuple[int, ...]]) -> Weights:
        parts = _parted(vector.numpy(), shapes)
        return {k: v[tuple(slice(n) for n in self._shapes[k])].copy() for k, v in parts.items()}

    def _steps(
        self,
        features: tf.Tensor,
        answers: tf.Tensor,
        mixing: tf.Tensor,
        rates: tf.Tensor,
    ) -> tf.Tensor:
        def body(i: tf.Tensor, loss: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            maps, wanted = features[i][..., tf.newaxis], answers[i]
            maps = mixing[i] * maps + (1 - mixing[i]) * maps[::-1]
            wanted = mixing[i] * wanted + (1 - mixing[i]) * wanted[::-1]
            return i + 1, loss + self._learn(maps, wanted, rates[i])

        count = tf.shape(rates)[0]
        return tf.while_loop(lambda i, loss: i < count, body, (0, 0.0), parallel_iterations=1)[1]

    def _learn(self, maps: tf.Tensor, wanted: tf.Tensor, rate: tf.Tensor) -> tf.Tensor:
        learned = self.learned.read_value()
        with tf.GradientTape() as tape:
            tape.watch(learned)
            weights = _parted(learned, self._learned)
            logits, seen = self.architecture.forward_training(weights, maps)
            # Written out, as weighted targets do not add up to 1.
            loss = -tf.reduce_mean(tf.reduce_sum(wanted * tf.nn.log_softmax(logits), axis=1))
        step = self.step.assign_add(1.0)
        tf.raw_ops.ResourceApplyAdam(
            var=self.learned.handle,
            m=self.moments[0].handle,
            v=self.moments[1].handle,
            beta1_power=tf.pow(_BETA1, step),
            beta2_power=tf.pow(_BETA2, step),
            lr=rate,
            beta1=_BETA1,
            beta2=_BETA2,
            epsilon=_EPSILON,
            grad=tape.gradient(loss, learned),
        )
        self.learned.assign(self.learned * self.mask)
        seen_now = [tf.reshape(seen[name], [-1]) for name in self._averaged]
        drift = tf.concat([[], *seen_now], 0) - self.averages
        # The plain mean at first: where data are few, averages would stay near where they began.
        self.averages.assign_add(drift * tf.maximum(1 - _NORM_MOMENTUM, 1 / step))
        return loss

    def _logits(self, features: tf.Tensor) -> tf.Tensor:
        weights = _parted(self.learned.read_value(), self._learned)
        weights |= _parted(self.averages.read_value(), self._averaged)
        folded = self.architecture.fold(weights)
        return self.architecture.forward(folded, features[..., tf.newaxis])


def _joined(weights: Weights, shapes: dict[str, tuple[int, ...]]) -> np.ndarray:
    """Lay weights into one vector, each filled up with zeros to its shape."""

    def filled(name: str) -> np.ndarray:
        missing = np.subtract(shapes[name], weights[name].shape)
        return np.pad(weights[name], [(0, int(n)) for n in missing]).ravel()

    return np.concatenate([np.zeros(0, np.float32), *(filled(name) for name in shapes)])


def _parted(vector: Any, shapes: dict[str, tuple[int, ...]]) -> dict[str, Any]:
    """Cut a vector, an array or a tensor, into the weights it holds."""
    if not shapes:
        return {}
    sizes = [math.prod(shape) for shape in shapes.values()]
    if isinstance(vector, np.ndarray):
        parts = np.split(vector, np.cumsum(sizes)[:-1])
        return {k: v.reshape(shapes[k]) for k, v in zip(shapes, parts, strict=True)}
    parts = tf.split(vector, sizes)
    return {k: tf.reshape(v, shapes[k]) for k, v in zip(shapes, parts, strict=True)}


def training_graph(architecture: Architecture, batch_size: int) -> TrainingGraph | KerasGraph:
    """Return the graph for networks of this shape; the next wider one that fills the lanes."""
    if isinstance(architecture, KerasArchitecture):
        return KerasGraph(architecture)
    assert isinstance(architecture, LayeredArchitecture)
    return _graph(architecture.widened(_LANES), batch_size)


@lru_cache(_GRAPHS_KEPT)
def _graph(architecture: LayeredArchitecture, batch_size: int) -> TrainingGraph:
    return TrainingGraph(architecture, batch_size)
