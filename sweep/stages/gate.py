"""The gate: what a candidate would weigh and cost, before anything is trained."""

from collections.abc import Iterable, Mapping

import numpy as np

from sweep.candidate import CompressionParams
from sweep.evaluation import Variant
from sweep.limits import total_violation
from sweep.metrics import METRICS, Metric
from sweep.networks.architecture import Architecture, Weights
from sweep.networks.pruning import magnitude_mask
from sweep.networks.size import ERROR, estimate_kb
from sweep.stages.compression import compress
from sweep.stages.measurement import Bench

MARGIN = 0.1
"""What training moves a little is out of reach only when it misses its limit by this share."""

_NORMS_MOVED = 0.2
"""How far training moves what is no kernel, as a standard deviation."""


def expect(bench: Bench, every: bool = False) -> list[Variant]:
    """Predict the variants of a candidate from an untrained network, pruned to its sparsity.

    Size and latency are fixed by the shape of a network, not by its training.  Where even an
    estimate made without conversion is beyond reach in every variant, the estimate is the answer.
    Else they are converted, the smallest first, as that is what a trial gives; the first to keep
    every limit known before training is the last, unless ``every`` is wanted.  A network whose size
    cannot be estimated is converted at once.
    """
    compression, architecture = bench.candidate.compression, bench.architecture
    weights = lifelike_weights(architecture, compression, bench.candidate.seed)
    estimates = {
        name: estimate_kb(architecture, weights, name, compression.container)
        for name in compression.quantization
    }
    known = {name: kb for name, kb in estimates.items() if kb is not None}
    at_least = (bench.estimate(name, kb / (1 + ERROR)) for name, kb in known.items())
    if known and not every and not passes(at_least, bench.metrics):
        return [bench.estimate(name, kb) for name, kb in known.items()]
    noise = np.random.default_rng(0).standard_normal((8, *bench.candidate.frontend.shape))
    expected: list[Variant] = []
    for name in sorted(estimates, key=lambda name: estimates[name] or 0.0):
        files = compress(
            architecture, weights, (name,), noise.astype(np.float32), compression.container
        )
        expected.append(bench.measure(name, files[name]))
        if not every and total_violation(expected[-1].violations) == 0:
            break
    return expected


def passes(expected: Iterable[Variant], metrics: Mapping[str, Metric] = METRICS) -> bool:
    """Tell whether any of the predicted variants may keep the limits."""
    return any(
        all(
            by <= (MARGIN if metrics[m].known == "estimated" else 0)
            for m, by in v.violations.items()
        )
        for v in expected
    )


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
