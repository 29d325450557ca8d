"""A large network trained once for all candidates, whose answers small ones learn from."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import tensorflow as tf

from sweep import cache
from sweep.audio.dataset import Dataset
from sweep.candidate import (
    AugmentationParams,
    Candidate,
    CompressionParams,
    FrontendParams,
    NetworkParams,
    TrainingParams,
    digest,
)
from sweep.stages.frontend import VERSION, prepare_features
from sweep.stages.network import Architecture, Weights, fold, forward
from sweep.stages.training import train

TEMPERATURE = 2.0
"""Logits are divided by it, so that the answers say how alike clips are, not only which word."""

_BATCH = 256


def teacher_of(rate: int, augmentation: AugmentationParams) -> Candidate:
    """Return the network that teaches: far larger than what is searched, and never pruned."""
    return Candidate(
        FrontendParams(
            downsampling_rate=rate,
            frame_step_in_s=0.02,
            num_mel_bins=20,
            num_coefficients=20,
            upper_frequency=rate / 2,
            normalization="per_clip",
        ),
        augmentation,
        NetworkParams(alpha=0.5, blocks=3),
        TrainingParams(epochs=60, learning_rate_decay="cosine", mixup=0.3),
        CompressionParams(final_sparsity=0.0),
    )


def teacher_answers(dataset: Dataset, rate: int, augmentation: AugmentationParams) -> np.ndarray:
    """Return what the teacher hears in each training clip, computed once for all studies.

    Knowledge distillation after Hinton, Vinyals and Dean, "Distilling the knowledge in a neural
    network", 2015.

    Returns:
        float32 ``[renderings, clips, labels]``: probabilities at ``TEMPERATURE``.
    """
    teacher = teacher_of(rate, augmentation)

    def build(folder: Path) -> None:
        np.save(folder / "answers.npy", _answers(dataset, teacher))

    content = [VERSION, dataset.fingerprint, asdict(teacher), TEMPERATURE]
    folder = cache.entry("teachers", digest(content), build)
    answers: np.ndarray = np.load(folder / "answers.npy", allow_pickle=False)
    return answers


def _answers(dataset: Dataset, teacher: Candidate) -> np.ndarray:
    shape = teacher.frontend.shape
    architecture = Architecture.of(teacher.network, shape, len(dataset.labels))
    features = prepare_features(dataset, teacher.frontend, teacher.augmentation)
    trained = train(
        teacher,
        architecture,
        features.training,
        dataset.targets("training"),
        (features.validation, dataset.targets("validation")),
    )
    hear = _hearing(architecture, trained.weights)
    return np.stack([hear(rendering) for rendering in features.training])


def _hearing(architecture: Architecture, weights: Weights) -> Callable[[np.ndarray], np.ndarray]:
    folded = fold(architecture, weights)
    answer = tf.function(
        lambda clips: tf.nn.softmax(forward(architecture, folded, clips) / TEMPERATURE),
        autograph=False,
        reduce_retracing=True,
    )

    def hear(features: np.ndarray) -> np.ndarray:
        batches = np.array_split(np.asarray(features)[..., None], -(-len(features) // _BATCH))
        return np.concatenate([answer(tf.constant(batch)).numpy() for batch in batches])

    return hear
