"""Training: Adam on cached features with tfmot's pruning schedule, many steps a graph call."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow_model_optimization.sparsity.keras import PolynomialDecay

from sweep.candidate import Candidate, TrainingParams
from sweep.stages.network import (
    Architecture,
    Weights,
    fold,
    forward,
    forward_training,
    initial_weights,
)

INITIAL_SPARSITY = 0.2
PRUNING_BEGINS = 0.2
"""The report's schedule: from this sparsity, after this share of the steps, to the end."""

_PRUNING_FREQUENCY = 100
_FEWEST_UPDATES = 5
_NORM_MOMENTUM = 0.99
_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-7
"""Keras' own settings of batch normalisation and Adam."""

_AVERAGES = ("/mean", "/variance")
_GRAPHS_KEPT = 8
_LANES = 16


@dataclass(frozen=True)
class Progress:
    """Training so far, one value an epoch.

    Attributes:
        epochs: how many epochs there will be.
        losses: mean training loss.
        accuracies: share of validation clips classified correctly.
    """

    epochs: int
    losses: tuple[float, ...] = ()
    accuracies: tuple[float, ...] = ()


@dataclass(frozen=True)
class Trained:
    """A trained and pruned network; ``stopped`` says why training ended early, if it did."""

    weights: Weights
    progress: Progress
    stopped: str = ""


def train(
    candidate: Candidate,
    architecture: Architecture,
    features: np.ndarray,
    targets: np.ndarray,
    validation: tuple[np.ndarray, np.ndarray],
    stop: Callable[[Progress], str] = lambda progress: "",
) -> Trained:
    """Train and prune the network of a candidate.

    Args:
        candidate: training and compression parameters, and the seed.
        architecture: the network's shape.
        features: float32 ``[renderings, clips, frames, coefficients]``; each time a clip is due,
            one of its renderings is drawn.
        targets: int64 ``[clips]``.
        validation: features ``[clips, frames, coefficients]`` and targets ``[clips]``.
        stop: asked after every epoch but the last; a reason it returns ends the training.
    """
    params, compression = candidate.training, candidate.compression
    steps = -(-len(targets) // params.batch_size)
    updates = pruning_updates(steps * params.epochs, compression.final_sparsity)
    pruned = prunable(architecture, compression.prune_depthwise)
    rates = learning_rates(params, steps * params.epochs)
    rng = np.random.default_rng(candidate.seed)
    graph = _graph(_widened(architecture), params.batch_size)
    graph.start(initial_weights(architecture, candidate.seed))
    graph.load(features, _answers(targets, architecture.labels, params.label_smoothing))

    progress, step = Progress(params.epochs), 0
    for epoch in range(1, params.epochs + 1):
        batches = _draw_batches(rng, features.shape[:2], steps, params.batch_size)
        mixing = _draw_mixing(rng, params.mixup, steps)
        loss = 0.0
        for stretch in _stretches(step, steps, updates):
            if stretch.start in updates:
                graph.prune(pruned, updates[stretch.start])
            part = slice(stretch.start - step, stretch.stop - step)
            loss += graph.run(batches[part], mixing[part], rates[stretch.start : stretch.stop])
        step += steps
        if step in updates and epoch == params.epochs:
            graph.prune(pruned, updates[step])
        progress = Progress(
            params.epochs,
            (*progress.losses, loss / steps),
            (*progress.accuracies, graph.accuracy(*validation)),
        )
        reason = stop(progress) if epoch < params.epochs else ""
        if reason:
            return Trained(graph.weights(), progress, reason)
    return Trained(graph.weights(), progress)


def pruning_updates(steps: int, final_sparsity: float) -> dict[int, float]:
    """Return the steps before which masks are renewed, and the sparsity each brings.

    tfmot's polynomial decay at its default frequency, or more often where training is short, and
    once more after the last step, so that the sparsity asked for is the sparsity had.
    """
    if final_sparsity == 0:
        return {}
    begin = int(PRUNING_BEGINS * steps)
    schedule = PolynomialDecay(
        initial_sparsity=min(INITIAL_SPARSITY, final_sparsity),
        final_sparsity=final_sparsity,
        begin_step=begin,
        end_step=steps,
        frequency=min(_PRUNING_FREQUENCY, max(1, (steps - begin) // _FEWEST_UPDATES)),
    )
    due, sparsities = (tensor.numpy() for tensor in schedule(tf.range(steps)))
    return {int(i): float(sparsities[i]) for i in np.flatnonzero(due)} | {steps: final_sparsity}


def magnitude_mask(kernel: np.ndarray, sparsity: float) -> np.ndarray:
    """Return tfmot's mask: 1 where a weight is among the largest by magnitude, else 0."""
    magnitudes = np.abs(kernel).ravel()
    kept = max(int(np.round(magnitudes.size * (1 - np.float32(sparsity)))), 1)
    threshold = np.partition(magnitudes, -kept)[-kept]
    return (np.abs(kernel) >= threshold).astype(np.float32)


def prunable(architecture: Architecture, depthwise: bool) -> list[str]:
    """Return the kernels that pruning reaches; tfmot by itself leaves depthwise ones alone."""
    return [name for name in architecture.kernels() if depthwise or not name.endswith("/depthwise")]


def learning_rates(params: TrainingParams, steps: int) -> np.ndarray:
    """Return the learning rate of each step, float32 ``[steps]``."""
    done = np.arange(steps) / steps
    left = 1 - done if params.learning_rate_decay == "linear" else (1 + np.cos(np.pi * done)) / 2
    span = params.initial_learning_rate - params.end_learning_rate
    return (params.end_learning_rate + span * left).astype(np.float32)


def _answers(targets: np.ndarray, labels: int, smoothing: float) -> np.ndarray:
    onehot = np.eye(labels, dtype=np.float32)[targets]
    return onehot * np.float32(1 - smoothing) + np.float32(smoothing / labels)


def _draw_batches(
    rng: np.random.Generator, shape: tuple[int, ...], steps: int, batch_size: int
) -> np.ndarray:
    """Return rows of ``[rendering, clip]`` for an epoch, int32 ``[steps, batch_size, 2]``.

    Every clip once in random order; the last batch is filled up from the front.
    """
    renderings, clips = shape
    order = np.resize(rng.permutation(clips), steps * batch_size)
    drawn = rng.integers(renderings, size=order.size)
    return np.stack([drawn, order], -1).astype(np.int32).reshape(steps, batch_size, 2)


def _draw_mixing(rng: np.random.Generator, mixup: float, steps: int) -> np.ndarray:
    if mixup == 0:
        return np.ones(steps, np.float32)
    return rng.beta(mixup, mixup, steps).astype(np.float32)


def _stretches(first: int, steps: int, updates: dict[int, float]) -> Iterator[range]:
    """Cut an epoch into the stretches of steps between renewals of the masks."""
    cuts = [first, *(s for s in sorted(updates) if first < s < first + steps), first + steps]
    yield from (range(begin, end) for begin, end in zip(cuts, cuts[1:], strict=False))


class _TrainingGraph:
    """The variables and traced functions of one architecture; used again for every network of it.

    All that is learned lies in one vector, and so do the moving averages of the norms: a step is
    one update of each, however many kernels there are.  Narrower networks are trained in it too:
    the channels they do not have are zero and masked, and so stay zero and add nothing.
    """

    def __init__(self, architecture: Architecture, batch_size: int) -> None:
        self.architecture = architecture
        initial = initial_weights(architecture, seed=0)
        self._learned = {k: v.shape for k, v in initial.items() if not k.endswith(_AVERAGES)}
        self._averaged = {k: v.shape for k, v in initial.items() if k.endswith(_AVERAGES)}
        self.learned = tf.Variable(_joined(initial, self._learned))
        self.averages = tf.Variable(_joined(initial, self._averaged))
        self.mask = tf.Variable(tf.ones_like(self.learned))
        self.moments = [tf.Variable(tf.zeros_like(self.learned)) for _ in range(2)]
        self.step = tf.Variable(0.0)
        self._shapes = self._learned | self._averaged
        shape = (None, None, architecture.frames, architecture.coefficients)
        signature = [
            tf.TensorSpec(shape, tf.float32),
            tf.TensorSpec((None, architecture.labels), tf.float32),
            tf.TensorSpec((None, batch_size, 2), tf.int32),
            tf.TensorSpec((None,), tf.float32),
            tf.TensorSpec((None,), tf.float32),
        ]
        clips = [tf.TensorSpec(shape[1:], tf.float32)]
        self._run = tf.function(self._steps, signature, autograph=False)
        self._hear = tf.function(self._logits, clips, autograph=False)

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

    def load(self, features: np.ndarray, answers: np.ndarray) -> None:
        """Take the training clips: features by rendering and clip, answers by clip."""
        self.features, self.answers = tf.constant(features), tf.constant(answers)

    def run(self, batches: np.ndarray, mixing: np.ndarray, rates: np.ndarray) -> float:
        """Train on batches in turn; return the sum of their losses."""
        return float(self._run(self.features, self.answers, batches, mixing, rates))

    def prune(self, names: list[str], sparsity: float) -> None:
        """Renew the masks of kernels and set what they hide to zero."""
        kernels = self._trimmed(self.learned, self._learned)
        masks = self._trimmed(self.mask, self._learned)
        masks |= {name: magnitude_mask(kernels[name], sparsity) for name in names}
        self.mask.assign(_joined(masks, self._learned))
        self.learned.assign(self.learned * self.mask)

    def accuracy(self, features: np.ndarray, targets: np.ndarray) -> float:
        """Return the share of clips classified correctly."""
        heard = self._hear(features).numpy().argmax(axis=1)
        return float(np.mean(heard == targets))

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
        batches: tf.Tensor,
        mixing: tf.Tensor,
        rates: tf.Tensor,
    ) -> tf.Tensor:
        def body(i: tf.Tensor, loss: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            maps = tf.gather_nd(features, batches[i])[..., tf.newaxis]
            wanted = tf.gather(answers, batches[i, :, 1])
            maps = mixing[i] * maps + (1 - mixing[i]) * maps[::-1]
            wanted = mixing[i] * wanted + (1 - mixing[i]) * wanted[::-1]
            return i + 1, loss + self._learn(maps, wanted, rates[i])

        count = tf.shape(batches)[0]
        return tf.while_loop(lambda i, loss: i < count, body, (0, 0.0), parallel_iterations=1)[1]

    def _learn(self, maps: tf.Tensor, wanted: tf.Tensor, rate: tf.Tensor) -> tf.Tensor:
        learned = self.learned.read_value()
        with tf.GradientTape() as tape:
            tape.watch(learned)
            weights = _parted(learned, self._learned)
            logits, seen = forward_training(self.architecture, weights, maps)
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(wanted, logits))
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
        drift = tf.concat([seen[name] for name in self._averaged], 0) - self.averages
        # The plain mean at first: where data are few, averages would stay near where they began.
        self.averages.assign_add(drift * tf.maximum(1 - _NORM_MOMENTUM, 1 / step))
        return loss

    def _logits(self, features: tf.Tensor) -> tf.Tensor:
        weights = _parted(self.learned.read_value(), self._learned)
        weights |= _parted(self.averages.read_value(), self._averaged)
        folded = fold(self.architecture, weights)
        return forward(self.architecture, folded, features[..., tf.newaxis])


def _joined(weights: Weights, shapes: dict[str, tuple[int, ...]]) -> np.ndarray:
    """Lay weights into one vector, each filled up with zeros to its shape."""

    def filled(name: str) -> np.ndarray:
        missing = np.subtract(shapes[name], weights[name].shape)
        return np.pad(weights[name], [(0, int(n)) for n in missing]).ravel()

    return np.concatenate([filled(name) for name in shapes])


def _parted(vector: Any, shapes: dict[str, tuple[int, ...]]) -> dict[str, Any]:
    """Cut a vector, an array or a tensor, into the weights it holds."""
    sizes = [math.prod(shape) for shape in shapes.values()]
    if isinstance(vector, np.ndarray):
        parts = np.split(vector, np.cumsum(sizes)[:-1])
        return {k: v.reshape(shapes[k]) for k, v in zip(shapes, parts, strict=True)}
    parts = tf.split(vector, sizes)
    return {k: tf.reshape(v, shapes[k]) for k, v in zip(shapes, parts, strict=True)}


def _widened(architecture: Architecture) -> Architecture:
    """Return the next architecture whose channels fill the processor's vectors."""
    return replace(architecture, width=-(-architecture.width // _LANES) * _LANES)


@lru_cache(_GRAPHS_KEPT)
def _graph(architecture: Architecture, batch_size: int) -> _TrainingGraph:
    return _TrainingGraph(architecture, batch_size)
