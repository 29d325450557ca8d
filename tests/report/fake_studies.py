"""Fake studies for the report's tests: plausible trials, nothing trained."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from sweep.candidate import Candidate
from sweep.evaluation import Evaluation, Variant
from sweep.limits import total_violation, violations
from sweep.metrics import OF_STREAMS, Measured, metrics_of
from sweep.space import Space
from sweep.study.finalist import Finalist, Retraining
from sweep.study.listening import Listening, curve_of
from sweep.study.records import StudyRecord, TrialRecord

from .fake_streams import POINT, fake_scores, in_stream

SPACE = """
dataset:
  source: mini_speech_commands
  labels: [stop, go]
parameters:
  frontend: [mfcc, log_mel]
  frame_length_in_s: [0.016, 0.032]
  frame_step_in_s: [0.016, 0.02, 0.032]
  num_mel_bins: {low: 8, high: 40, step: 4}
  upper_frequency: [2000, 4000, 8000]
  num_coefficients: {low: 8, high: 40, step: 2}
  alpha: {low: 0.08, high: 1.0, log: true}
  blocks: {low: 1, high: 4}
  noise_snr_db: [null, 0, 10]
  final_sparsity: {low: 0.0, high: 0.9}
  initial_learning_rate: {low: 0.001, high: 0.02, log: true}
  epochs: 30
  quantization: [float32, float16, int8, int8_per_tensor]
require: [num_coefficients <= num_mel_bins]
limits: {accuracy: ">= 0.97", latency_ms: "<= 0.6", size_kb: "< 12"}
search: {sampler: tpe, trials: 100, seed: 7}
"""

SPOTTER = SPACE.replace(
    "labels: [stop, go]",
    "labels: [stop, go]\n  unknown: {held_out: 2}\n  silence: {}\n  streams: {hours: 0.25}",
).replace(
    'limits: {accuracy: ">= 0.97", latency_ms: "<= 0.6", size_kb: "< 12"}',
    'limits: {false_alarms_per_hour: "<= 20", miss_rate: "<= 0.3", size_kb: "< 12"}\n'
    "objectives: {miss_rate: minimize, size_kb: minimize}",
)
"""A space whose trials are run over streams; see ``fake_streams``."""

_BEGAN = datetime(2026, 11, 23, 9, 0, 0)
_CLIPS = 206
_TEST_CLIPS = 212


def make_record(
    trials: int, seed: int = 0, space: str = SPACE, name: str = "go_stop", offset: float = 0.0
) -> StudyRecord:
    """Return a fake study; ``offset`` is added to every accuracy before it is measured."""
    understood = Space.parse(space, "go_stop.yaml")
    rng = np.random.default_rng(seed)
    rows, clock = [], _BEGAN
    for number in range(trials):
        candidate = understood.candidate(understood.draw(rng))
        evaluation = _evaluate(understood, candidate, rng, offset)
        began, clock = clock, clock + timedelta(seconds=0.2 + sum(evaluation.seconds.values()))
        rows.append(TrialRecord(number, candidate, evaluation, began, clock))
    about = {
        "command": "sweep run search_spaces/go_stop.yaml --trials 120",
        "seed": 7,
        "clips": {"training": 1582, "validation": _CLIPS, "testing": 212},
        "versions": {"tinysweep": "0.1.0", "optuna": "5.0.0"},
    }
    return StudyRecord(name, understood, tuple(rows), about)


def with_finalists(record: StudyRecord, top: int, seeds: int = 3) -> StudyRecord:
    """Return a study whose ``top`` most accurate feasible trials are finalists."""
    rng = np.random.default_rng(top)
    feasible = [trial for trial in record.trials if trial.evaluation.outcome == "feasible"]
    best = sorted(feasible, key=lambda trial: -(trial.evaluation.result["accuracy"] or 0))[:top]
    return replace(record, finalists=tuple(_finalist(trial, seeds, rng) for trial in best))


def again(seed: int, accuracy: float, size_kb: float = 4.0, **rest: Any) -> Retraining:
    """Return a retraining with this accuracy for each word on the test clips."""
    test = {"accuracy": accuracy, "worst_recall": accuracy, "latency_ms": 0.2, "size_kb": size_kb}
    return Retraining(seed, {"accuracy": 0.98}, test, **rest)


def _finalist(trial: TrialRecord, seeds: int, rng: np.random.Generator) -> Finalist:
    result = trial.evaluation.result
    assert result is not None
    searched = {name: float(value) for name, value in result.metrics.items()}
    again = []
    for seed in range(1, seeds + 1):
        wrong = min(int(rng.integers(0, 12)), 100)
        missed = rng.choice(20, wrong, replace=False)
        confusion = ((106 - wrong, wrong), (0, 106))
        facts = searched | {
            "preprocessing_latency_ms": result["preprocessing_latency_ms"] + 0.01 * rng.random(),
            "size_kb": result["size_kb"] + 0.1 * rng.random(),
        }
        for derived in ("latency_ms", "accuracy", "balanced_accuracy", "worst_recall"):
            del facts[derived]
        facts = {name: value for name, value in facts.items() if name not in OF_STREAMS}
        again.append(
            Retraining(
                seed,
                searched,
                Measured(facts, confusion, metrics_of(())).values(),
                losses=tuple(1.0 / (epoch + 1) + 0.02 * rng.random() for epoch in range(30)),
                accuracies=tuple(0.97 - 0.3 / (epoch + 1) for epoch in range(30)),
                confusion=confusion,
                mistakes=tuple(f"stop/{i}_nohash_1.flac" for i in missed),
            )
        )
    exposures = Measured({}, again[0].confusion).exposures()
    made = Finalist(trial.number, searched, tuple(again), _TEST_CLIPS, exposures)
    return spotting(made) if "miss_rate" in searched else made


def spotting(made: Finalist) -> Finalist:
    """Return a finalist with what its trainings detect in a stream."""
    scores = [fake_scores(one.seed, skill=one.test["accuracy"]) for one in made.retrainings]
    each = [
        replace(one, test={**one.test, **in_stream(found).values()}, curve=curve_of(found))
        for one, found in zip(made.retrainings, scores, strict=True)
    ]
    return replace(
        made,
        retrainings=tuple(each),
        exposures={**made.exposures, **in_stream(scores[0]).exposures()},
        listening=Listening.of(scores[0], POINT),
    )


def _evaluate(
    space: Space, candidate: Candidate, rng: np.random.Generator, offset: float
) -> Evaluation:
    objection = space.objection(candidate)
    if objection is not None:
        return Evaluation("invalid", objection)
    if rng.random() < 0.01:
        return Evaluation("failed", "the worker died twice", seconds={"gate": 0.2})
    variants = _variants(candidate, rng, None)
    known = [_judged(space, variant) for variant in variants]
    chosen = _chosen(known)
    if total_violation(known[chosen].violations) > 0:
        reason = f"{known[chosen]['size_kb']:.4g} misses size_kb < 12"
        return Evaluation("gated", reason, tuple(known), chosen, seconds={"gate": 0.3})
    accuracy = min(skill(candidate) + offset + 0.008 * rng.standard_normal(), 0.998)
    if accuracy < 0.9 and rng.random() < 0.7:
        known = [_judged(space, v) for v in _variants(candidate, rng, accuracy - 0.02)]
        seconds = {"gate": 0.3, "training": 1.5}
        return Evaluation("stopped", "epoch 8 of 30", tuple(known), chosen, seconds=seconds)
    known = [_judged(space, v) for v in _variants(candidate, rng, accuracy)]
    chosen = _chosen(known)
    feasible = total_violation(known[chosen].violations) == 0
    wrong = round(_CLIPS * (1 - (known[chosen]["accuracy"] or 0)))
    return Evaluation(
        "feasible" if feasible else "infeasible",
        "" if feasible else f"{known[chosen]['accuracy']:.4g} misses a limit",
        tuple(known),
        chosen,
        original_accuracy=round(accuracy * _CLIPS) / _CLIPS,
        original_size_kb=candidate.network.width**2 * 2.4 * 4 / 1024 + 1,
        sparsity=candidate.compression.final_sparsity * 0.9,
        losses=tuple(1.0 / (epoch + 1) for epoch in range(30)),
        accuracies=tuple(accuracy - 0.3 / (epoch + 1) for epoch in range(30)),
        confusion=_confusion(wrong),
        mistakes=tuple(f"stop/{i}_nohash_0.flac" for i in range(wrong)),
        clips=_CLIPS,
        seconds={"gate": 0.3, "features": 0.2, "training": 6.0, "measurement": 0.4},
    )


def skill(candidate: Candidate) -> float:
    """Return a fake accuracy: width helps most, then bandwidth; sparsity hurts late."""
    network, frontend = candidate.network, candidate.frontend
    skill = (
        0.997 - 0.9 / network.width - 0.08 * max(0.0, candidate.compression.final_sparsity - 0.6)
    )
    skill -= {2000: 0.03, 4000: 0.008}.get(int(frontend.upper_frequency), 0.0)
    skill -= 0.02 * abs(np.log10(candidate.training.initial_learning_rate / 0.006))
    return skill + 0.003 * network.blocks


def _variants(
    candidate: Candidate, rng: np.random.Generator, accuracy: float | None
) -> list[Variant]:
    width, blocks = candidate.network.width, candidate.network.blocks
    weights = 9 * width + blocks * (9 * width + width * width + 4 * width)
    kept = 1 - 0.85 * candidate.compression.final_sparsity
    frames, coefficients = candidate.frontend.shape
    variants = []
    for name in candidate.compression.quantization:
        size = weights * kept * {"float32": 3.7, "float16": 1.9}.get(name, 1.05) / 1024
        confusion = None
        if accuracy is not None:
            loss = {"int8": 0.002, "int8_per_tensor": 0.005}.get(name, 0.0)
            confusion = _confusion(_CLIPS - round((accuracy - loss) * _CLIPS))
        facts = {
            "preprocessing_latency_ms": 0.08 + 0.0018 * frames + 0.004 * rng.random(),
            "model_latency_ms": 0.01
            + frames * coefficients * weights * 6e-9
            + 0.002 * rng.random(),
            "size_kb": size + 1.4,
            "tflite_size_kb": size * 1.7 + 3,
            "parameters": weights,
            "multiply_adds": weights * frames * coefficients // 4,
            "arena_kb": frames * width * (1 if name.startswith("int8") else 4) / 1024,
        }
        found = Measured(facts, confusion, metrics_of(()))
        variants.append(Variant(name, found.values(), 0.004, found.exposures()))
    return variants


def _confusion(wrong: int) -> tuple[tuple[int, ...], ...]:
    """Return the confusion matrix of 206 clips of two words, this many of them misclassified."""
    half = wrong // 2
    return (100 - half, half), (wrong - half, 106 - wrong + half)


def _judged(space: Space, variant: Variant) -> Variant:
    if space.file.dataset.streams and variant["accuracy"] is not None:
        measured = in_stream(fake_scores(_CLIPS, skill=variant["accuracy"]))
        metrics = {**variant.metrics, **measured.values()}
        exposures = {**variant.exposures, **measured.exposures()}
        variant = replace(variant, metrics=metrics, exposures=exposures, point=POINT)
    return replace(variant, violations=violations(space.limits, variant.metrics))


def _chosen(variants: list[Variant]) -> int:
    return min(
        range(len(variants)),
        key=lambda i: (total_violation(variants[i].violations), variants[i]["size_kb"]),
    )
