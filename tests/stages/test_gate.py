import pytest

from sweep.audio.dataset import Dataset
from sweep.candidate import QUANTIZATIONS, Candidate
from sweep.limits import Limit
from sweep.litert import zipped_kb
from sweep.metrics import METRICS
from sweep.networks.size import ERROR, estimate_kb
from sweep.stages import gate
from sweep.stages.compression import compress
from sweep.stages.gate import expect, passes
from sweep.stages.measurement import Bench

from .conftest import learn

TRAINED = {
    "the published winner": {"epochs": 20},
    "slim, dense": {"alpha": 0.1, "final_sparsity": 0.0, "epochs": 30},
    "deep, depthwise kernels pruned": {
        "alpha": 0.2,
        "blocks": 3,
        "final_sparsity": 0.75,
        "prune_depthwise": True,
        "epochs": 30,
    },
    "standard convolutions": {
        "alpha": 0.125,
        "network": "standard",
        "final_sparsity": 0.5,
        "epochs": 20,
        "container": "stripped",
    },
    "temporal convolutions": {
        "alpha": 0.2,
        "network": "temporal",
        "blocks": 4,
        "final_sparsity": 0.4,
        "epochs": 20,
        "container": "stripped",
    },
    "log-mel, names stripped": {
        "alpha": 0.3,
        "frontend": "log_mel",
        "num_mel_bins": 20,
        "final_sparsity": 0.5,
        "epochs": 20,
        "container": "stripped",
    },
}


def bench(dataset: Dataset, *limits: Limit, **parameters) -> Bench:
    candidate = Candidate.from_parameters(parameters)
    shape = candidate.frontend.shape
    architecture = candidate.network.architecture(shape, len(dataset.labels))
    return Bench(candidate, architecture, dataset, list(limits))


@pytest.mark.parametrize("parameters", TRAINED.values(), ids=TRAINED)
def test_sizes_are_known_before_training_within_three_percent(spoken, parameters):
    lesson = learn(spoken, **parameters, quantization=QUANTIZATIONS)
    expected = expect(bench(spoken, **parameters, quantization=QUANTIZATIONS), every=True)
    files = compress(
        lesson.architecture,
        lesson.trained.weights,
        QUANTIZATIONS,
        lesson.features.training[0],
        lesson.candidate.compression.container,
    )
    print(parameters)
    for variant in expected:
        final_kb = zipped_kb(files[variant.quantization])
        error = variant["size_kb"] / final_kb - 1
        print(f"{variant.quantization:16}{variant['size_kb']:7.2f}{final_kb:7.2f} KB {error:+.1%}")
        assert abs(error) <= 0.03
        assert variant["tflite_size_kb"] == pytest.approx(
            len(files[variant.quantization]) / 1024, abs=0.05
        )
    assert {variant.quantization for variant in expected} == set(QUANTIZATIONS)


def test_a_candidate_too_large_in_every_variant_is_gated_its_twin_with_int8_is_not(spoken):
    limit = Limit.parse(METRICS["size_kb"], "< 12")
    large = expect(bench(spoken, limit, quantization=("float32", "float16")))
    assert {variant.quantization for variant in large} == {"float32", "float16"}
    twin = bench(spoken, limit, quantization=("float32", "int8"))
    assert passes(expect(twin))
    alone = expect(bench(spoken, limit, quantization=("float32",)))
    assert not passes(alone)
    assert alone[0].violations["size_kb"] > 0.1


def test_a_candidate_just_beyond_the_limit_gets_its_chance(spoken):
    kb = expect(bench(spoken, quantization=("float32",)))[0]["size_kb"]
    narrow, missed = (Limit("size_kb", "<", kb / share) for share in (1.05, 1.2))
    assert passes(expect(bench(spoken, narrow, quantization=("float32",))))
    assert not passes(expect(bench(spoken, missed, quantization=("float32",))))


def test_latency_is_gated_too(spoken):
    limit = Limit.parse(METRICS["latency_ms"], "< 0.0001")
    assert not passes(expect(bench(spoken, limit, quantization=QUANTIZATIONS)))


def test_what_training_does_not_change_has_no_margin(spoken):
    network = bench(spoken, quantization=("float32",))
    found = expect(network)[0]
    assert found["latency_ms"] is not None
    for metric, value in (("latency_ms", found["latency_ms"]), ("parameters", found["parameters"])):
        beyond, at = (Limit(metric, "<=", value * share) for share in (0.98, 1.0))
        assert not passes(expect(bench(spoken, beyond, quantization=("float32",))))
        assert passes(expect(bench(spoken, at, quantization=("float32",))))


def test_accuracy_is_not_known_before_training(spoken):
    expected = expect(bench(spoken, Limit.parse(METRICS["accuracy"], ">= 1")))
    assert passes(expected)
    assert expected[0]["accuracy"] is None and expected[0].violations == {}


def test_the_smallest_variant_is_enough_where_it_fits(spoken):
    fits = bench(spoken, Limit.parse(METRICS["size_kb"], "< 100"), quantization=QUANTIZATIONS)
    (expected,) = expect(fits)
    every = expect(fits, every=True)
    assert len(every) == len(QUANTIZATIONS)
    smallest = min(every, key=lambda variant: variant["size_kb"])
    assert expected.quantization == smallest.quantization != "float32"


def test_what_is_far_beyond_the_limit_is_not_converted(spoken, monkeypatch):
    far = bench(
        spoken, Limit.parse(METRICS["size_kb"], "< 12"), alpha=1.0, quantization=("float32",)
    )
    true_kb = expect(far, every=True)[0]["size_kb"]
    monkeypatch.setattr(gate, "untrained", lambda *given: pytest.fail("converted"))
    (estimated,) = expect(far)
    assert not passes([estimated])
    assert abs(estimated["size_kb"] / true_kb - 1) < ERROR
    assert estimated["latency_ms"] is None and estimated["tflite_size_kb"] is None
    assert set(estimated.violations) == {"size_kb"}


@pytest.mark.parametrize("share", [1.02, 1 + gate.MARGIN, (1 + gate.MARGIN) * (1 + ERROR / 2)])
def test_what_is_near_the_limit_is_converted(spoken, share):
    kb = expect(bench(spoken, quantization=("float32",)))[0]["size_kb"]
    near = expect(bench(spoken, Limit("size_kb", "<", kb / share), quantization=("float32",)))
    assert near[0]["size_kb"] == kb and near[0]["tflite_size_kb"] is not None


def test_trained_weights_are_estimated_too(lesson, variants):
    for name, content in variants.items():
        kb = estimate_kb(lesson.architecture, lesson.trained.weights, name, "full")
        assert abs(kb / zipped_kb(content) - 1) < ERROR, name
