import json
from dataclasses import replace

import pytest

from sweep.evaluation import Evaluation, Variant, choose

VARIANT = Variant(
    quantization="int8",
    metrics={"accuracy": 0.98, "latency_ms": 0.3, "size_kb": 5.5, "arena_kb": None},
    latency_spread_ms=0.01,
    exposures={"accuracy": 206.0},
    violations={"accuracy": -0.01, "size_kb": -0.5},
)


@pytest.mark.parametrize(
    "evaluation",
    [
        Evaluation("invalid", "num_mel_bins: too many"),
        Evaluation(
            "feasible",
            variants=(VARIANT, replace(VARIANT, quantization="float32", violations={})),
            chosen=0,
            original_accuracy=0.99,
            original_size_kb=40.0,
            sparsity=0.61,
            losses=(0.7, 0.1),
            accuracies=(0.5, 0.99),
            confusion=((100, 3), (1, 102)),
            mistakes=("go/a.wav",),
            clips=206,
            seconds={"training": 1.5},
        ),
    ],
)
def test_an_evaluation_survives_json(evaluation):
    assert Evaluation.from_json(json.loads(json.dumps(evaluation.to_json()))) == evaluation


def test_the_result_is_the_chosen_variant():
    assert Evaluation("feasible", variants=(VARIANT,), chosen=0).result == VARIANT
    assert Evaluation("failed").result is None


def test_a_metric_of_a_variant_is_asked_for_by_name():
    assert VARIANT["size_kb"] == 5.5
    assert VARIANT["arena_kb"] is None and VARIANT["never_measured"] is None


def variant(name: str, kb: float, **violations: float) -> Variant:
    return Variant(name, {"size_kb": kb}, violations=violations)


def test_a_small_variant_that_breaks_a_limit_loses_to_a_larger_one_that_keeps_all():
    nearest = variant("float32", 9, accuracy=-0.1, latency_ms=0.005)
    small = variant("int8", 4, accuracy=0.01, latency_ms=-0.3)
    holds = variant("dynamic", 12, accuracy=-0.01, latency_ms=-0.2)
    assert choose([nearest, small, holds]) == 2
    assert choose([small, nearest]) == 1
    assert choose([holds, variant("float16", 11, accuracy=-0.01, latency_ms=0.0)]) == 1
