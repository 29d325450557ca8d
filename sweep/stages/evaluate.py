"""One candidate from parameters to evaluation: the whole story of a trial."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from sweep.audio.dataset import Dataset
from sweep.c.cores import Target
from sweep.candidate import Candidate
from sweep.detection import Detected
from sweep.evaluation import Evaluation, Outcome, Variant, choose
from sweep.frontends.compute import convert_frontend
from sweep.latency import Clock, ThisMachine
from sweep.limits import Limit, total_violation, violations
from sweep.metrics import ACCURACY, METRICS, WORST_RECALL, Measured, Metric
from sweep.networks.architecture import Architecture, Weights
from sweep.stages.fit import Predictions, fit
from sweep.stages.gate import expect, passes
from sweep.stages.measurement import Bench
from sweep.stages.stopwatch import Stopwatch
from sweep.stages.streaming import detect, stride_of
from sweep.stages.training import TrainingProgress
from sweep.statistics import mistakes, total, unrecognised
from sweep.stopping import StopRule, out_of_reach


def evaluate(
    candidate: Candidate,
    dataset: Dataset,
    limits: list[Limit],
    rules: Sequence[StopRule] = (),
    metrics: Mapping[str, Metric] = METRICS,
    clock: Clock | None = ThisMachine(),
    target: Target | None = None,
) -> tuple[Evaluation, dict[str, bytes]]:
    """Gate, train, compress and measure a candidate on training and validation clips.

    With folds it is trained once for each, without its clips, and its accuracy is counted over what
    these networks predict for all of them.  What is delivered, and measured in all else, is trained
    as without folds: on the training clips.

    Args:
        candidate: what to evaluate.
        dataset: the clips.
        limits: what a feasible candidate keeps.
        rules: when to stop its training; without any it is trained to its end.
        metrics: what is measured, by name.
        clock: what takes latencies; None where none are taken.
        target: the core it is for: what it takes there is known, and its predictions are those
            of LiteRT's reference kernels, which the C exported for it equals.

    Returns:
        The evaluation and, if it is feasible, the files of its result: ``frontend.tflite`` from
        waveform to features and ``model.tflite`` from features to probabilities.
    """
    watch = Stopwatch()
    architecture = candidate.network.architecture(candidate.frontend.shape, len(dataset.labels))
    bench = Bench(candidate, architecture, dataset, limits, metrics, clock, target)
    reference = target is not None
    with watch("gate"):
        expected = expect(bench)
    if not passes(expected, metrics):
        return _unfinished("gated", "", expected, limits, watch), {}

    held_out: list[Predictions] = []
    for fold in dataset.folds:
        found = fit(candidate, architecture, fold, watch, reference=reference)
        held_out.append(found.predictions)
        reached, reason = _beyond_reach(held_out, dataset, limits, metrics)
        if reason:
            return _unfinished("stopped", reason, _with(expected, reached), limits, watch), {}

    def stop(progress: TrainingProgress) -> str:
        # With folds the accuracy is known by now: what the validation clips say is no matter.
        if held_out:
            return ""
        return out_of_reach(
            rules,
            {ACCURACY.name: progress.accuracies},
            epochs=progress.epochs,
            steps=math.ceil(dataset.counts["training"] / candidate.training.batch_size),
            clips=dataset.counts["validation"],
        )

    last = fit(candidate, architecture, dataset, watch, stop, reference)
    progress = last.trained.progress
    if last.trained.stopped:
        reached = {ACCURACY.name: progress.accuracies[-1]}
        stopped = _unfinished(
            "stopped", last.trained.stopped, _with(expected, reached), limits, watch
        )
        return replace(stopped, losses=progress.losses, accuracies=progress.accuracies), {}

    predictions = Predictions.joined(held_out) if held_out else last.predictions
    counts = predictions.counts()
    detected: dict[str, Detected] = {}
    if dataset.spec.streams:
        with watch("streams"):
            stride = stride_of(candidate.frontend, architecture.step_frames)
            detected = detect(
                dataset,
                candidate.frontend,
                stride,
                last.features,
                last.files,
                limits,
                reference,
            )
    with watch("measurement"):
        variants = [
            bench.measure(name, file, counts[name], detected.get(name))
            for name, file in last.files.items()
        ]
    chosen = choose(variants)
    result = variants[chosen]
    feasible = total_violation(result.violations) == 0
    chosen_counts = counts[result.quantization]
    evaluation = Evaluation(
        outcome="feasible" if feasible else "infeasible",
        reason=describe_violations(result, limits, unrecognised(dataset.labels, chosen_counts)),
        variants=tuple(variants),
        chosen=chosen,
        original_accuracy=predictions.trained,
        original_size_kb=architecture.parameters() * 4 / 1024,
        sparsity=_sparsity(architecture, last.trained.weights),
        losses=progress.losses,
        accuracies=progress.accuracies,
        confusion=chosen_counts,
        mistakes=mistakes(
            predictions.names, predictions.truth, predictions.probabilities[result.quantization]
        ),
        clips=len(predictions.truth),
        seconds=watch.seconds,
    )
    if not feasible:
        return evaluation, {}
    features, model = last.features, last.files[result.quantization]
    frontend = convert_frontend(candidate.frontend, features.mean, features.deviation)
    return evaluation, {"frontend.tflite": frontend, "model.tflite": model}


def _beyond_reach(
    held_out: list[Predictions],
    dataset: Dataset,
    limits: list[Limit],
    metrics: Mapping[str, Metric],
) -> tuple[dict[str, float], str]:
    """Return what the folds so far give, and why no more are worth training, if they are not.

    A limit is out of reach when it is missed even if every clip of the other folds is right.
    """
    left = [fold.targets("validation") for fold in dataset.folds[len(held_out) :]]
    if not left:
        return {}, ""
    right = np.diag(np.bincount(np.concatenate(left), minlength=len(dataset.labels)))
    counts = Predictions.joined(held_out).counts()
    broken = {
        name: violations(
            limits, Measured({}, total([found, right]), metrics, dataset.labels).values()
        )
        for name, found in counts.items()
    }
    best = min(broken, key=lambda name: total_violation(broken[name]))
    values = Measured({}, counts[best], metrics, dataset.labels).values()
    reached = {name: value for name, value in values.items() if value is not None}
    for limit in limits:
        if broken[best].get(limit.metric, 0.0) > 0:
            folds = f"{len(held_out)} of {len(dataset.folds)} folds"
            what = f"{limit.metric} {_amount(reached[limit.metric])} after {folds}"
            return reached, f"{what}; {limit} is out of reach"
    return reached, ""


def _with(expected: list[Variant], reached: Mapping[str, float]) -> list[Variant]:
    """Return what was expected of each variant, and what training showed."""
    return [replace(one, metrics={**one.metrics, **reached}) for one in expected]


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
    outcome: Outcome, reason: str, expected: list[Variant], limits: list[Limit], watch: Stopwatch
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
