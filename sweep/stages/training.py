"""Training: Adam on cached features with tfmot's pruning schedule, many steps a graph call."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from sweep.arrays import release
from sweep.candidate import Candidate, TrainingParams
from sweep.networks.architecture import Architecture, Weights
from sweep.networks.graph import training_graph
from sweep.networks.pruning import pruning_updates

_GATHERED_BYTES = 2**24
"""Features passed to one call of the graph: many steps, but little memory."""
_MAPPED_BYTES, _CLIPS_AT_ONCE = 2**28, 1024
"""Of a larger memory map so many clips are read before it is released: each maps 64 KB around."""


@dataclass(frozen=True)
class TrainingProgress:
    """Training so far, one value per epoch.

    Attributes:
        epochs: total number of epochs.
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
    progress: TrainingProgress
    stopped: str = ""


def train(
    candidate: Candidate,
    architecture: Architecture,
    features: np.ndarray,
    targets: np.ndarray,
    validation: tuple[np.ndarray, np.ndarray],
    stop: Callable[[TrainingProgress], str] = lambda progress: "",
) -> Trained:
    """Train and prune the network of a candidate.

    Args:
        candidate: training and compression parameters, and the seed of its training.
        architecture: the network's shape.
        features: float32 ``[renderings, clips, frames, coefficients]``; for each clip of a
            batch, one of its renderings is drawn.  A memory map is read in parts.
        targets: int64 ``[clips]``.
        validation: features ``[clips, frames, coefficients]`` and targets ``[clips]``.
        stop: called after every epoch but the last; a reason it returns ends the training.
    """
    params, compression = candidate.training, candidate.compression
    steps = math.ceil(len(targets) / params.batch_size)
    updates = pruning_updates(steps * params.epochs, compression.final_sparsity)
    pruned = architecture.prunable(compression.prune_depthwise)
    rates = learning_rates(params, steps * params.epochs)
    rng = np.random.default_rng(candidate.training_seed)
    graph = training_graph(architecture, params.batch_size)
    graph.start(architecture.initial_weights(candidate.training_seed))
    soft_targets = _soft_targets(targets, architecture.labels, params)

    progress, step = TrainingProgress(params.epochs), 0
    for epoch in range(1, params.epochs + 1):
        batches = _draw_batches(rng, features.shape[:2], steps, params.batch_size)
        mixing = _draw_mixing(rng, params.mixup, steps)
        loss = 0.0
        for stretch in _stretches(step, steps, updates):
            if stretch.start in updates:
                graph.prune(pruned, updates[stretch.start])
            for part in _parts(stretch, features[0, 0].nbytes * params.batch_size):
                own = slice(part.start - step, part.stop - step)
                gathered = _gathered(features, soft_targets, batches[own])
                loss += graph.run(*gathered, mixing[own], rates[part.start : part.stop])
        step += steps
        if step in updates and epoch == params.epochs:
            graph.prune(pruned, updates[step])
        progress = TrainingProgress(
            params.epochs,
            (*progress.losses, loss / steps),
            (*progress.accuracies, graph.accuracy(*validation)),
        )
        reason = stop(progress) if epoch < params.epochs else ""
        if reason:
            return Trained(graph.weights(), progress, reason)
    return Trained(graph.weights(), progress)


def learning_rates(params: TrainingParams, steps: int) -> np.ndarray:
    """Return the learning rate of each step, float32 ``[steps]``."""
    done = np.arange(steps) / steps
    left = 1 - done if params.learning_rate_decay == "linear" else (1 + np.cos(np.pi * done)) / 2
    span = params.initial_learning_rate - params.end_learning_rate
    return (params.end_learning_rate + span * left).astype(np.float32)


def _soft_targets(targets: np.ndarray, labels: int, params: TrainingParams) -> np.ndarray:
    """Return smoothed one-hot targets times the weight of the label, ``[clips, labels]``."""
    onehot = np.eye(labels, dtype=np.float32)[targets]
    smoothing = params.label_smoothing
    soft_targets = onehot * np.float32(1 - smoothing) + np.float32(smoothing / labels)
    if params.class_weight == "none":
        return soft_targets
    return soft_targets * class_weights(targets, labels)[targets][:, None]


def class_weights(targets: np.ndarray, labels: int) -> np.ndarray:
    """Return weights that give all labels the same influence, float32 ``[labels]``.

    The weight of a label is clips / (labels * its clips), so the mean weight over all clips is 1
    (G. King and L. Zeng, "Logistic regression in rare events data", 2001).
    """
    counts = np.bincount(targets, minlength=labels)
    return (len(targets) / (labels * np.maximum(counts, 1))).astype(np.float32)


def _draw_batches(
    rng: np.random.Generator, shape: tuple[int, ...], steps: int, batch_size: int
) -> np.ndarray:
    """Return rows of ``[rendering, clip]`` for an epoch, int32 ``[steps, batch_size, 2]``.

    Every clip comes once, in random order; the first clips of the order fill up the last batch.
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
    """Cut an epoch into the stretches of steps between updates of the pruning masks."""
    cuts = [first, *(s for s in sorted(updates) if first < s < first + steps), first + steps]
    yield from (range(begin, end) for begin, end in zip(cuts, cuts[1:], strict=False))


def _gathered(
    features: np.ndarray, soft_targets: np.ndarray, batches: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return features and targets of batches, each ``[steps, batch_size, ...]``."""
    gathered = np.empty((batches[..., 0].size, *features.shape[2:]), np.float32)
    rows = batches.reshape(-1, 2)
    for start in range(0, len(rows), _CLIPS_AT_ONCE):
        part = slice(start, start + _CLIPS_AT_ONCE)
        renderings, clips = rows[part].T
        gathered[part] = features[renderings, clips]
        if features.nbytes > _MAPPED_BYTES:
            release(features)
    release(features)
    return gathered.reshape(*batches.shape[:2], *features.shape[2:]), soft_targets[batches[..., 1]]


def _parts(stretch: range, bytes_per_step: int) -> Iterator[range]:
    """Cut a stretch of steps into parts whose features fit in memory."""
    most = max(1, _GATHERED_BYTES // bytes_per_step)
    yield from (stretch[start : start + most] for start in range(0, len(stretch), most))
