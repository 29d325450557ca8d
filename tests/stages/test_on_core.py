"""What a candidate takes on a core, before anything is trained."""

import time
from dataclasses import replace

import numpy as np
import pytest

import sweep
from sweep.audio.dataset import Dataset
from sweep.c import SOURCES, emulator
from sweep.c.classifier import classifier_source
from sweep.c.cores import Target
from sweep.candidate import Candidate
from sweep.errors import SweepError
from sweep.limits import Limit
from sweep.litert import Model
from sweep.metrics import ON_CORE, metrics_of
from sweep.networks.keras import KerasNetwork
from sweep.stages import fit, gate, on_core
from sweep.stages.evaluate import evaluate
from sweep.stages.gate import expect, passes
from sweep.stages.measurement import Bench
from sweep.stages.on_core import Counted

CORE = "cortex-m4"
METRICS = metrics_of((), target=CORE)
TINY = {
    "network": "temporal",
    "alpha": 0.05,
    "blocks": 1,
    "final_sparsity": 0,
    "num_coefficients": 10,
    "frame_step_in_s": 0.032,
    "quantization": ("int8",),
}

needs_emulator = pytest.mark.skipif(
    not emulator.is_installed(), reason="the extra device is not installed"
)


def bench(dataset: Dataset, *limits: str, **parameters) -> Bench:
    candidate = Candidate.from_parameters(TINY | parameters)
    architecture = candidate.network.architecture(candidate.frontend.shape, len(dataset.labels))
    return Bench(
        candidate, architecture, dataset, list(map(limit, limits)), METRICS, target=Target(CORE)
    )


def limit(text: str) -> Limit:
    metric, _, bound = text.partition(" ")
    return Limit.parse(METRICS[metric], bound)


@pytest.fixture(scope="module")
def counted(spoken: Dataset) -> dict[str, float]:
    """What the tiny network takes, counted once for this module."""
    (found,) = expect(bench(spoken))
    return {name: found[name] for name in ON_CORE}


@needs_emulator
def test_flash_ram_and_instructions_are_known_before_training(counted) -> None:
    assert 5 < counted["flash_kb"] < 20 and 1 < counted["ram_kb"] < 8
    assert 500_000 < counted["instructions"] < 5_000_000


@needs_emulator
def test_a_step_of_a_stream_takes_a_fraction_of_a_clip(spoken) -> None:
    of = {"network": "temporal", "kernel_frames": 3}
    (clip,), (step,) = (
        expect(bench(spoken, streaming=by_frame, **of)) for by_frame in (False, True)
    )
    assert step["instructions"] < clip["instructions"] / 4
    assert step["ram_kb"] < clip["ram_kb"]
    assert clip["flash_kb"] < step["flash_kb"] < 1.2 * clip["flash_kb"]


@needs_emulator
@pytest.mark.parametrize("metric", ON_CORE)
def test_what_does_not_fit_is_gated_and_what_just_fits_is_not(spoken, counted, metric) -> None:
    fits, misses = (f"{metric} <= {counted[metric] * share}" for share in (1.0, 0.999))
    assert passes(expect(bench(spoken, fits)), METRICS)
    found = expect(bench(spoken, misses))
    assert not passes(found, METRICS)
    assert set(found[0].violations) == {metric}


@needs_emulator
def test_a_known_shape_is_neither_converted_nor_compiled(spoken, counted, monkeypatch) -> None:
    monkeypatch.setattr(gate, "untrained", lambda *given: pytest.fail("converted"))
    monkeypatch.setattr(on_core, "emulate", lambda *given: pytest.fail("compiled"))
    for share in (1.0, 0.5):
        known, taken = bench(spoken, f"flash_kb <= {share * counted['flash_kb']}"), []
        for _ in range(5):
            begun = time.perf_counter()
            (found,) = expect(known)
            taken.append(time.perf_counter() - begun)
        assert {name: found[name] for name in ON_CORE} == counted
        assert min(taken) < 0.02
    # Neither seed nor training are part of its shape.
    other = bench(spoken, "flash_kb <= 1", epochs=3)
    expect(replace(other, candidate=replace(other.candidate, seed=7)))


@needs_emulator
def test_another_core_is_another_count(spoken, counted) -> None:
    tiny = bench(spoken)
    there = Counted(tiny.candidate, tiny.architecture, "int8", Target("cortex-m7"))
    assert there.remembered() is None
    assert there.costs().flash_bytes != round(1024 * counted["flash_kb"])
    assert there.remembered() == there.costs()


@needs_emulator
def test_a_gated_trial_says_which_limit_of_the_core_it_misses(spoken, counted) -> None:
    candidate = Candidate.from_parameters(TINY)
    limits = [limit("instructions <= 100000")]
    found, files = evaluate(candidate, spoken, limits, metrics=METRICS, target=Target(CORE))
    assert (found.outcome, files) == ("gated", {})
    assert found.reason.endswith("misses instructions <= 100000")
    assert found.result["instructions"] == counted["instructions"]


def test_without_the_emulator_it_is_said_what_to_install(spoken, monkeypatch) -> None:
    monkeypatch.setattr(emulator, "is_installed", lambda: False)
    with pytest.raises(
        SweepError, match=r"target: cortex-m4 is .*pip install 'tinysweep\[device\]'"
    ):
        expect(bench(spoken, alpha=0.06))


def transposed(shape: tuple[int, int], labels: int):
    """Return a network with an operator that has no C."""
    import tf_keras

    layers = tf_keras.layers
    return tf_keras.Sequential(
        [
            layers.Input((*shape, 1)),
            layers.Conv2DTranspose(2, 3),
            layers.GlobalAveragePooling2D(),
            layers.Dense(labels, activation="softmax"),
        ]
    )


@needs_emulator
def test_an_operator_without_c_is_refused_before_training(spoken) -> None:
    candidate = replace(Candidate.from_parameters(TINY), network=KerasNetwork(transposed, ()))
    with pytest.raises(SweepError, match="target: .*:transposed: .* has no C"):
        sweep.evaluate(
            candidate, spoken, [limit("flash_kb <= 16")], metrics=METRICS, target=Target(CORE)
        )


@needs_emulator
def test_a_trained_network_takes_what_its_shape_took(lesson, spoken) -> None:
    target = Counted(lesson.candidate, lesson.architecture, "int8", Target(CORE))
    content = lesson.variants()["int8"]
    costs = target.costs()
    features = lesson.features
    source = classifier_source(
        lesson.candidate.frontend, features.mean, features.deviation, content, ("stop", "go")
    ).files
    source = {name: source[name] for name in SOURCES}
    clip = spoken.waveforms("validation", 16000)[0]
    trained, _ = emulator.emulate(source, [clip], np.dtype(np.int8), (2,), CORE)
    for name, value in costs.metrics.items():
        assert trained.metrics[name] == pytest.approx(value, rel=0.01), name


@needs_emulator
@pytest.mark.parametrize("core", [CORE, None])
def test_for_a_core_the_reference_kernels_predict(spoken, counted, core, monkeypatch) -> None:
    asked = []

    class Asked(Model):
        def __init__(self, content: bytes, reference: bool = False) -> None:
            asked.append(reference)
            super().__init__(content, reference)

    monkeypatch.setattr(fit, "Model", Asked)
    candidate = Candidate.from_parameters(TINY | {"epochs": 1})
    sweep.evaluate(
        candidate, spoken, [], metrics=metrics_of((), target=core), target=core and Target(core)
    )
    assert asked == [core is not None]
