"""Pruning as tfmot does it: when masks are renewed, to which sparsity, and what they hide."""

import numpy as np
import tensorflow as tf
from tensorflow_model_optimization.sparsity.keras import PolynomialDecay

INITIAL_SPARSITY = 0.2
PRUNING_BEGINS = 0.2
"""The report's schedule: from this sparsity, after this share of the steps, to the end."""

_PRUNING_FREQUENCY = 100
_FEWEST_UPDATES = 5


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
