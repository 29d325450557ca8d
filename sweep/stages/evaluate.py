"""One candidate from parameters to evaluation: the whole story of a trial."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace

import numpy as np

from sweep.answers import confusion, mistakes
from sweep.audio.dataset import Dataset
from sweep.candidate import Candidate, Evaluation, Outcome, Variant
from sweep.limits import Limit, choose, total_violation, violations
from sweep.litert import Model
from sweep.networks import architecture_of
from sweep.networks.architecture import Architecture, Weights
from sweep.stages.compression import compress
from sweep.stages.frontend import convert_frontend, prepare_features
from sweep.stages.gate import expect, passes
from sweep.stages.measurement import Bench
from sweep.stages.stopping import out_of_reach
from sweep.stages.training import train


def evaluate(
    candidate: Candidate, dataset: Dataset, limits: list[Limit]
) -> tuple[Evaluation, dict[str, bytes]]:
    """Gate, train, compress and measure a candidate on training and validation clips.

    Returns:
        The evaluation and, if it is feasible, the files of its result: ``frontend.tflite`` from
        waveform to features and ``model.tflite`` from features to probabilities.
    """
    watch = _Stopwatch()
    architecture = architecture_of(candidate.network, candidate.frontend.shape, len(dataset.labels))
    bench = Bench(candidate, architecture, dataset, limits)
    with watch("gate"):
        expected = expect(bench)
    if not passes(expected):
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
        reached = [replace(v, accuracy=progress.accuracies[-1]) for v in expected]
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
        answers = {
            name: Model(file).run(features.validation[..., None]) for name, file in files.items()
        }
        variants = [
            bench.measure(name, file, float(np.mean(answers[name].argmax(axis=1) == truth)))
            for name, file in files.items()
        ]
    chosen = choose(variants)
    result = variants[chosen]
    feasible = total_violation(result.violations) == 0
    evaluation = Evaluation(
        outcome="feasible" if feasible else "infeasible",
        reason="" if feasible else describe_violations(result, limits),
        variants=tuple(variants),
        chosen=chosen,
        original_accuracy=progress.accuracies[-1],
        original_size_kb=architecture.parameters() * 4 / 1024,
        sparsity=_sparsity(architecture, trained.weights),
        losses=progress.losses,
        accuracies=progress.accuracies,
        confusion=confusion(truth, answers[result.quantization]),
        mistakes=mistakes(dataset.names("validation"), truth, answers[result.quantization]),
        clips=len(truth),
        seconds=watch.seconds,
    )
    if not feasible:
        return evaluation, {}
    frontend = convert_frontend(candidate.frontend, features.mean, features.deviation)
    return evaluation, {"frontend.tflite": frontend, "model.tflite": files[result.quantization]}


def describe_violations(variant: Variant, limits: list[Limit]) -> str:
    """Return in words which limits a variant breaks, and what it measured."""
    broken = [limit for limit in limits if variant.violations.get(limit.metric, 0) > 0]
    return ", ".join(
        f"{_amount(getattr(variant, limit.metric))} misses {limit}" for limit in broken
    )


def _amount(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _unfinished(
    outcome: Outcome, reason: str, expected: list[Variant], limits: list[Limit], watch: "_Stopwatch"
) -> Evaluation:
    """Return the evaluation of a candidate that was given up on, from what is known of it."""
    known = [replace(v, violations=violations(limits, asdict(v))) for v in expected]
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
