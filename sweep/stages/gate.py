"""The gate: what a candidate would weigh and cost, before anything is trained."""

from collections.abc import Iterable, Mapping

from sweep.evaluation import Variant
from sweep.limits import total_violation
from sweep.metrics import METRICS, ON_CORE, Metric
from sweep.networks.size import ERROR, estimate_kb
from sweep.stages.measurement import Bench
from sweep.stages.untrained import lifelike_weights, untrained

MARGIN = 0.1
"""What training moves a little is out of reach only when it misses its limit by this share."""


def expect(bench: Bench, every: bool = False) -> list[Variant]:
    """Predict the variants of a candidate from an untrained network, pruned to its sparsity.

    Size and latency are fixed by the shape of a network, not by its training.  Where even an
    estimate made without conversion is beyond reach in every variant, the estimate is the answer.
    Else they are converted, the smallest first, as that is what a trial gives; the first to keep
    every limit known before training is the last, unless ``every`` is wanted.  A network whose size
    cannot be estimated is converted at once.

    What a network takes on a core is counted once for each shape.  Where that is remembered, and
    the limits known before training are of such metrics alone, nothing is converted.
    """
    compression, architecture = bench.candidate.compression, bench.architecture
    weights = lifelike_weights(architecture, compression, bench.candidate.seed)
    estimates = {
        name: estimate_kb(architecture, weights, name, compression.container)
        for name in compression.quantization
    }
    known = {name: kb for name, kb in estimates.items() if kb is not None}
    estimated = [bench.estimate(name, kb) for name, kb in known.items()]
    if known and not every:
        at_least = (bench.estimate(name, kb / (1 + ERROR)) for name, kb in known.items())
        if any(_is_settled(one, bench) for one in estimated) or not passes(at_least, bench.metrics):
            return estimated
    expected: list[Variant] = []
    for name in sorted(estimates, key=lambda name: estimates[name] or 0.0):
        content = untrained(architecture, weights, name, compression.container)
        expected.append(bench.measure(name, content))
        if not every and total_violation(expected[-1].violations) == 0:
            break
    return expected


def _is_settled(estimated: Variant, bench: Bench) -> bool:
    """Tell whether an estimate, its counts remembered, keeps every limit, and none by guessing."""
    early = [one.metric for one in bench.limits if bench.metrics[one.metric].known != "trained"]
    return estimated[ON_CORE[0]] is not None and all(
        bench.metrics[name].known == "untrained" and estimated.violations.get(name, 1) <= 0
        for name in early
    )


def passes(expected: Iterable[Variant], metrics: Mapping[str, Metric] = METRICS) -> bool:
    """Tell whether any of the predicted variants may keep the limits."""
    return any(
        all(
            by <= (MARGIN if metrics[m].known == "estimated" else 0)
            for m, by in v.violations.items()
        )
        for v in expected
    )
