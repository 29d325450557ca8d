"""A network as it is before training, with weights that cost what trained ones do."""

import numpy as np

from sweep.candidate import CompressionParams
from sweep.networks.architecture import Architecture, Weights
from sweep.networks.pruning import magnitude_mask
from sweep.stages.compression import compress

_NORMS_MOVED = 0.2
"""How far training moves what is no kernel, as a standard deviation."""

_CLIPS = 8


def untrained(
    architecture: Architecture,
    weights: Weights,
    quantization: str,
    container: str = "full",
) -> bytes:
    """Return the ``.tflite`` of a variant, its activations calibrated on noise."""
    noise = np.random.default_rng(0).standard_normal((_CLIPS, *architecture.shape))
    clips = noise.astype(np.float32)
    return compress(architecture, weights, (quantization,), clips, container)[quantization]


def lifelike_weights(
    architecture: Architecture, compression: CompressionParams, seed: int
) -> Weights:
    """Draw weights that compress as trained ones do, pruned to their sparsity.

    Training leaves no bias at zero, nor norms neutral, and adds to each kernel about as much as
    it began with; without that the zipped size comes out 5 to 15 % too small.
    """
    rng = np.random.default_rng(seed)
    kernels = architecture.kernels()
    weights = architecture.initial_weights(seed)
    for name, values in weights.items():
        moved = float(values.std()) if name in kernels else _NORMS_MOVED
        weights[name] = rng.normal(values, moved).astype(np.float32)
        if name.endswith("variance"):
            weights[name] = np.exp(2.5 * (weights[name] - 1))
    for name in architecture.prunable(compression.prune_depthwise):
        weights[name] *= magnitude_mask(weights[name], compression.final_sparsity)
    return weights
