from dataclasses import replace

import numpy as np
import pytest

from sweep import latency
from sweep.c.arena import activations_kb
from sweep.candidate import Candidate
from sweep.latency import LatencyCommand
from sweep.limits import Limit
from sweep.litert import Latency, Model, zipped_kb
from sweep.metrics import METRICS
from sweep.stages import measurement
from sweep.stages.measurement import Bench

from ..commands import write_command


def bench(lesson, dataset, *limits: Limit) -> Bench:
    return Bench(lesson.candidate, lesson.architecture, dataset, list(limits))


def test_a_variant_is_measured_on_its_own_bytes(lesson, variants, spoken):
    content = variants["dynamic"]
    limits = [Limit.parse(METRICS["size_kb"], "< 1"), Limit.parse(METRICS["accuracy"], ">= 0.5")]
    variant = bench(lesson, spoken, *limits).measure("dynamic", content, ((9, 1), (1, 9)))
    assert variant.quantization == "dynamic" and variant["accuracy"] == 0.9
    assert variant["size_kb"] == zipped_kb(content)
    assert variant["tflite_size_kb"] == len(content) / 1024
    assert variant["arena_kb"] == activations_kb(content)
    assert (
        variant["latency_ms"] == variant["preprocessing_latency_ms"] + variant["model_latency_ms"]
    )
    assert variant["preprocessing_latency_ms"] > 0 and variant["model_latency_ms"] > 0
    assert variant.latency_spread_ms >= 0
    assert variant["parameters"] == lesson.architecture.parameters()
    assert variant["multiply_adds"] == lesson.architecture.multiply_adds()
    assert variant.violations["size_kb"] == pytest.approx(variant["size_kb"] - 1)
    assert variant.violations["accuracy"] == pytest.approx(-0.8)


def test_what_is_not_known_yet_violates_nothing(lesson, variants, spoken):
    limits = [Limit.parse(METRICS["accuracy"], ">= 0.5"), Limit.parse(METRICS["size_kb"], "< 100")]
    variant = bench(lesson, spoken, *limits).measure("float32", variants["float32"], None)
    assert set(variant.violations) == {"size_kb"}


def test_where_no_latency_is_wanted_none_is_taken_and_all_else_is_the_same(
    lesson, variants, spoken, monkeypatch
):
    limits = [Limit.parse(METRICS["latency_ms"], "<= 1e-9"), Limit.parse(METRICS["size_kb"], "< 9")]
    timed = bench(lesson, spoken, *limits)
    whole = timed.measure("int8", variants["int8"])
    assert whole.violations["latency_ms"] > 0
    monkeypatch.setattr(measurement, "_remembered", lambda *given: pytest.fail("timed"))
    found = replace(timed, clock=None).measure("int8", variants["int8"])
    assert set(found.violations) == {"size_kb"} and found.latency_spread_ms is None
    assert {name for name in METRICS if found[name] != whole[name]} == {
        name for name, metric in METRICS.items() if metric.timed
    }


def test_networks_of_one_shape_are_timed_once_on_a_machine(lesson, variants, spoken, monkeypatch):
    first = bench(lesson, spoken).measure("int8", variants["int8"], None)
    monkeypatch.setattr(latency, "measure_latency", lambda *given: pytest.fail("timed again"))
    again = bench(lesson, spoken).measure("int8", variants["int8"], None)
    assert again == first


def test_which_bands_a_front_end_hears_does_not_change_what_it_costs(
    lesson, variants, spoken, monkeypatch
):
    first = bench(lesson, spoken).measure("int8", variants["int8"], None)
    monkeypatch.setattr(latency, "measure_latency", lambda *given: pytest.fail("timed again"))
    parameters = lesson.candidate.parameters() | {"lower_frequency": 40, "upper_frequency": 3000}
    other = Bench(Candidate.from_parameters(parameters), lesson.architecture, spoken, [])
    again = other.measure("int8", variants["int8"], None)
    assert again["preprocessing_latency_ms"] == first["preprocessing_latency_ms"]


def test_front_end_and_network_are_timed_on_real_clips(spoken, variants, lesson, monkeypatch):
    timed = []

    def measure(content: bytes, clips: np.ndarray) -> Latency:
        timed.append((Model(content).input_shape, clips.shape, float(np.abs(clips).max())))
        return Latency(1.0, 0.25)

    monkeypatch.setattr(latency, "measure_latency", measure)
    parameters = lesson.candidate.parameters() | {"lower_frequency": 33.0}
    monkeypatch.setattr(
        measurement, "_remembered", lambda key, take: take()
    )  # Nothing of what is made up here may stay in the cache.
    other = Bench(Candidate.from_parameters(parameters), lesson.architecture, spoken, [])
    variant = other.measure("float32", variants["float32"], None)
    assert (variant["latency_ms"], variant.latency_spread_ms) == (2.0, 0.5)
    (waveform, clips, loudest), (features, inputs, _) = timed
    heard = min(20, spoken.counts["validation"])
    assert waveform == (1, 16000) and clips == (heard, 16000) and 0 < loudest <= 1
    assert features == (1, 31, 10, 1) and inputs == (heard, 31, 10, 1)


def test_a_command_is_asked_once_for_a_shape(lesson, variants, spoken, tmp_path):
    asked = tmp_path / "asked"
    command = write_command(tmp_path, f'wc -c < "$1" >> {asked}; echo 3.5 0.5')
    by_command = replace(bench(lesson, spoken), clock=LatencyCommand(command, 10))
    variant = by_command.measure("int8", variants["int8"])
    assert (variant["preprocessing_latency_ms"], variant["latency_ms"]) == (3.5, 7.0)
    assert variant.latency_spread_ms == 1.0
    assert by_command.measure("int8", variants["int8"]) == variant
    _, network = map(int, asked.read_text().split())
    assert network == len(variants["int8"])
