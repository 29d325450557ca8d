"""The gate: what a candidate would weigh and cost, before anything is trained."""

import numpy as np

from sweep.candidate import Variant
from sweep.limits import total_violation
from sweep.stages.compression import compress
from sweep.stages.measurement import Bench
from sweep.stages.network import Weights, initial_weights
from sweep.stages.pruning import magnitude_mask, prunable

MARGIN = 0.1
"""A limit counts as out of reach only when an untrained network misses it by this share."""

_NORMS_MOVED = 0.2
_QUICKEST_FIRST = ("float32", "float16", "dynamic", "int8_per_tensor", "int8")


def expect(bench: Bench, every: bool = False) -> list[Variant]:
    """Predict the variants of a candidate from an untrained network, pruned to its sparsity.

    Size and latency are fixed by the shape of a network, not by its training.  Stops at the first
    variant that keeps every limit known before training, unless ``every`` is wanted.
    """
    candidate = bench.candidate
    weights = lifelike_weights(bench)
    noise = np.random.default_rng(0).standard_normal((8, *candidate.frontend.shape))
    expected: list[Variant] = []
    for name in sorted(candidate.compression.quantization, key=_QUICKEST_FIRST.index):
        files = compress(
            bench.architecture,
            weights,
            (name,),
            noise.astype(np.float32),
            candidate.compression.strip_names,
        )
        expected.append(bench.measure(name, files[name], accuracy=None))
        if not every and total_violation(expected[-1].violations) == 0:
            break
    return expected


def passes(expected: list[Variant]) -> bool:
    """Tell whether any of the predicted variants may keep the limits."""
    return any(max([0.0, *v.violations.values()]) <= MARGIN for v in expected)


def lifelike_weights(bench: Bench) -> Weights:
    """Draw weights that compress as trained ones do, pruned to the candidate's sparsity.

    Training leaves no bias at zero, nor norms neutral, and adds to each kernel about as much as
    it began with; without that the zipped size comes out 5 to 15 % too small.
    """
    rng = np.random.default_rng(bench.candidate.seed)
    compression = bench.candidate.compression
    weights = initial_weights(bench.architecture, bench.candidate.seed)
    for name, kernel in weights.items():
        weights[name] = rng.normal(kernel, _moved(name, kernel)).astype(np.float32)
    for layer in bench.architecture.layers:
        weights[f"{layer}/variance"] = np.exp(2.5 * (weights[f"{layer}/variance"] - 1))
    for name in prunable(bench.architecture, compression.prune_depthwise):
        weights[name] *= magnitude_mask(weights[name], compression.final_sparsity)
    return weights


def _moved(name: str, values: np.ndarray) -> float:
    """Return how far training moves values of that name, as a standard deviation."""
    if name.endswith(("/kernel", "/depthwise")):
        return float(values.std())
    return _NORMS_MOVED
