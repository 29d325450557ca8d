"""One candidate from parameters to evaluation: the whole story of a trial."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from sweep.audio.dataset import Dataset
from sweep.candidate import Candidate
from sweep.evaluation import Evaluation, Outcome, Variant, choose
from sweep.litert import Model
from sweep.metrics import (
    ACCURACY,
    METRICS,
    WORST_RECALL,
    Limit,
    Metric,
    total_violation,
    violations,
)
from sweep.networks import architecture_of
from sweep.networks.architecture import Architecture, Weights
from sweep.stages.compression import compress
from sweep.stages.frontend import convert_frontend, prepare_features
from sweep.stages.gate import expect, passes
from sweep.stages.measurement import Bench
from sweep.stages.stopping import out_of_reach
from sweep.stages.training import train
from sweep.statistics import confusion, mistakes, unrecognised


def evaluate(
    candidate: Candidate,
    dataset: Dataset,
    limits: list[Limit],
    metrics: Mapping[str, Metric] = METRICS,
) -> tuple[Evaluation, dict[str, bytes]]:
    """Gate, train, compress and measure a candidate on training and validation clips.

    Args:
        candidate: what to evaluate.
        dataset: the clips.
        limits: what a feasible candidate keeps.
        metrics: what is measured, by name.

    Returns:
        The evaluation and, if it is feasible, the files of its result: ``frontend.tflite`` from
        waveform to features and ``model.tflite`` from features to probabilities.
    """
    watch = _Stopwatch()
    architecture = architecture_of(candidate.network, candidate.frontend.shape, len(dataset.labels))
    bench = Bench(candidate, architecture, dataset, limits, metrics)
    with watch("gate"):
        expected = expect(bench)
    if not passes(expected, metrics):
        return _unfinished("gated", "", expected, limits, watch), {}

    with watch("features"):
        features = prepare_features(dataset, candidate.frontend, candidate.augmentation)
        truth = dataset.targets("validation")
    with watch("training"):
        trained = train(
            candidate,
            architecture,
            features.training,
            dataset.targets("training"),
            (features.validation, truth),
            stop=lambda progress: out_of_reach(progress, limits),
        )
    progress = trained.progress
    if trained.stopped:
        last = {ACCURACY.name: progress.accuracies[-1]}
        reached = [replace(v, metrics={**v.metrics, **last}) for v in expected]
        stopped = _unfinished("stopped", trained.stopped, reached, limits, watch)
        return replace(stopped, losses=progress.losses, accuracies=progress.accuracies), {}

    with watch("compression"):
        compression = candidate.compression
        files = compress(
            architecture,
            trained.weights,
            compression.quantization,
            features.training[0],
            compression.strip_names,
        )
    with watch("measurement"):
        probabilities = {
            name: Model(file).run(features.validation[..., None]) for name, file in files.items()
        }
        counts = {name: confusion(truth, found) for name, found in probabilities.items()}
        variants = [bench.measure(name, file, counts[name]) for name, file in files.items()]
    chosen = choose(variants)
    result = variants[chosen]
    feasible = total_violation(result.violations) == 0
    chosen_counts = counts[result.quantization]
    evaluation = Evaluation(
        outcome="feasible" if feasible else "infeasible",
        reason=describe_violations(result, limits, unrecognised(dataset.labels, chosen_counts)),
        variants=tuple(variants),
        chosen=chosen,
        original_accuracy=progress.accuracies[-1],
        original_size_kb=architecture.parameters() * 4 / 1024,
        sparsity=_sparsity(architecture, trained.weights),
        losses=progress.losses,
        accuracies=progress.accuracies,
        confusion=chosen_counts,
        mistakes=mistakes(dataset.names("validation"), truth, probabilities[result.quantization]),
        clips=len(truth),
        seconds=watch.seconds,
    )
    if not feasible:
        return evaluation, {}
    frontend = convert_frontend(candidate.frontend, features.mean, features.deviation)
    return evaluation, {"frontend.tflite": frontend, "model.tflite": files[result.quantization]}


def describe_violations(
    variant: Variant, limits: list[Limit], unrecognised: Sequence[str] = ()
) -> str:
    """Return in words which limits a variant breaks, and what it measured; empty for none.

    Args:
        variant: what was measured.
        limits: the limits.
        unrecognised: words none of whose clips is classified correctly.
    """
    broken = [limit for limit in limits if variant.violations.get(limit.metric, 0) > 0]
    return ", ".join(
        (
            f"never recognises {', '.join(unrecognised)}"
            if limit.metric == WORST_RECALL.name and unrecognised
            else f"{_amount(variant[limit.metric] or 0)} misses {limit}"
        )
        for limit in broken
    )


def _amount(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _unfinished(
    outcome: Outcome, reason: str, expected: list[Variant], limits: list[Limit], watch: "_Stopwatch"
) -> Evaluation:
    """Return the evaluation of a candidate that was given up on, from what is known of it."""
    known = [replace(v, violations=violations(limits, v.metrics)) for v in expected]
    chosen = choose(known)
    return Evaluation(
        outcome=outcome,
        reason=reason or describe_violations(known[chosen], limits),
        variants=tuple(known),
        chosen=chosen,
        seconds=watch.seconds,
    )


def _sparsity(architecture: Architecture, weights: Weights) -> float:
    kernels = np.concatenate([weights[name].ravel() for name in architecture.kernels()])
    return float(np.mean(kernels == 0))


class _Stopwatch:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        self.seconds[stage] = time.perf_counter() - begin
