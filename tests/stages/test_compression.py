import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from sweep.candidate import QUANTIZATIONS
from sweep.litert import Model, zipped_kb
from sweep.networks.architecture import Architecture
from sweep.networks.conversion import convert
from sweep.networks.ds_cnn import DSCNN
from sweep.networks.layered import LayeredArchitecture
from sweep.networks.layers import Add, Conv, Dense, GlobalAveragePool
from sweep.stages import compression
from sweep.stages.compression import compact, quantize, strip_metadata

from ..networks.architectures import ARCHITECTURES
from ..networks.keras_network import random_weights

EACH_QUANTIZATION = pytest.mark.parametrize("quantization", QUANTIZATIONS)


def random_clips(architecture: Architecture, clips: int = 40) -> np.ndarray:
    shape = (clips, *architecture.shape)
    return np.random.default_rng(5).normal(0, 2, shape).astype(np.float32)


def tables(content: bytes) -> Any:
    """Return all that a file holds."""

    def plain(value: Any) -> Any:
        if isinstance(value, list):
            return [plain(each) for each in value]
        if isinstance(value, np.ndarray):
            return value.dtype.str, value.tolist()
        return (
            {k: plain(v) for k, v in vars(value).items()} if hasattr(value, "__dict__") else value
        )

    return plain(schema.ModelT.InitFromPackedBuf(bytearray(content), 0))


def test_pruned_weights_stay_zero_in_the_file(lesson):
    content = convert(lesson.architecture, lesson.trained.weights)
    values = lesson.trained.weights["block_1/kernel"]
    assert np.mean(values == 0) == 0.5
    noise = np.random.default_rng(0).standard_normal(values.shape).astype(np.float32)
    unpruned = {"block_1/kernel": np.where(values == 0, noise, values)}
    without = convert(lesson.architecture, lesson.trained.weights | unpruned)
    assert len(content) == len(without)
    assert zipped_kb(content) < zipped_kb(without) - 0.5


@EACH_QUANTIZATION
def test_every_variant_hears_what_the_trained_network_hears(lesson, variants, quantization):
    clips = np.concatenate([lesson.features.training[0], lesson.features.validation])[..., None]
    exact = Model(variants["float32"]).run(clips)
    answers = Model(variants[quantization]).run(clips)
    assert answers.shape == (len(clips), 2)
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=0.01)
    assert np.mean(answers.argmax(axis=1) == exact.argmax(axis=1)) >= 0.97
    furthest = {"float32": 0, "float16": 0.01}.get(quantization, 0.25)
    assert np.abs(answers - exact).max() <= furthest


def test_variants_are_ordered_by_size_as_expected(variants):
    kb = {name: zipped_kb(content) for name, content in variants.items()}
    assert kb["int8_per_tensor"] < kb["dynamic"] < kb["float16"] < kb["float32"]
    assert kb["int8_per_tensor"] < kb["int8"] < kb["float16"]


def test_only_the_variants_asked_for_are_made(lesson, variants):
    clips = lesson.features.training[0]
    made = quantize(variants["float32"], ("int8", "float16"), clips)
    assert made == {name: variants[name] for name in ("int8", "float16")}


@EACH_QUANTIZATION
def test_a_file_without_names_answers_bit_for_bit_as_before(lesson, variants, quantization):
    content = variants[quantization]
    stripped = strip_metadata(content)
    noise = random_clips(lesson.architecture, 200)[..., None]
    np.testing.assert_array_equal(Model(stripped).run(noise), Model(content).run(noise))
    np.testing.assert_array_equal(Model(stripped).run_each(noise), Model(content).run_each(noise))
    assert len(stripped) < len(content)
    assert zipped_kb(stripped) < zipped_kb(content) - 0.4
    assert b"ds_cnn" in content and b"ds_cnn" not in stripped


@EACH_QUANTIZATION
def test_equal_tables_are_stored_once_and_nothing_else_changes(lesson, variants, quantization):
    stripped, shared = strip_metadata(variants[quantization]), compact(variants[quantization])
    assert len(shared) < len(stripped) - 150
    assert zipped_kb(shared) < 1.03 * zipped_kb(stripped)
    assert tables(stripped) == tables(shared)
    noise = random_clips(lesson.architecture, 200)[..., None]
    for reference in (False, True):
        answers = (Model(content, reference=reference).run(noise) for content in (stripped, shared))
        np.testing.assert_array_equal(*answers)


@EACH_QUANTIZATION
def test_a_network_too_wide_for_the_quantizer_to_keep_in_one_table_loses_nothing(quantization):
    architecture = DSCNN(256, 1.0, 2).architecture((31, 10), 2)
    clips = random_clips(architecture, 8)
    content = convert(architecture, random_weights(architecture))
    variant = quantize(content, (quantization,), clips)[quantization]
    stripped = strip_metadata(variant)
    assert zipped_kb(stripped) > 0.95 * zipped_kb(variant)
    expected = Model(variant).run(clips[..., None])
    np.testing.assert_array_equal(Model(stripped).run(clips[..., None]), expected)


@pytest.mark.parametrize("quantization", ["int8", "int8_per_tensor"])
def test_a_channel_emptied_by_pruning_keeps_its_bias(quantization):
    architecture = DSCNN(8, 1.0, 2).architecture((31, 10), 2)
    weights, clips = random_weights(architecture), random_clips(architecture)
    weights["block_2/kernel"][..., :6] = 0
    weights["block_2/beta"][:6] = 3
    content = convert(architecture, weights)
    exact = Model(content).run(clips[..., None])
    variant = quantize(content, (quantization,), clips)[quantization]
    np.testing.assert_allclose(Model(variant).run(clips[..., None]), exact, atol=0.1)


def test_compressing_is_quantizing_what_was_converted(lesson, variants):
    clips, weights = lesson.features.training[0], lesson.trained.weights
    files = quantize(convert(lesson.architecture, weights), QUANTIZATIONS, clips)
    assert list(files) == list(variants) == list(QUANTIZATIONS)
    assert files == variants
    for container, pack in {"stripped": strip_metadata, "compact": compact}.items():
        packed = {name: pack(content) for name, content in files.items()}
        assert lesson.variants(container) == packed


def test_activations_have_the_widest_ranges_that_keeping_every_tensor_finds():
    architecture = ARCHITECTURES["three blocks, five labels"]
    content, clips = convert(architecture, random_weights(architecture)), random_clips(architecture)
    ranges = compression._calibrate(content, compression._recipe("int8"), clips)
    tool = compression.quantizer.Quantizer(content, [compression._recipe("int8")])
    each = [tool.calibrate({"serving_default": [{"features": c[None, ..., None]}]}) for c in clips]
    assert ranges.keys() == each[0].keys()
    for name, found in ranges.items():
        for end, widest in (("min", np.min), ("max", np.max)):
            expected = widest([np.ravel(one[name][end]) for one in each], axis=0)
            np.testing.assert_allclose(np.ravel(found[end]), expected, 1e-4)


@pytest.mark.parametrize("quantization", ["int8", "int8_per_tensor"])
def test_it_does_not_matter_that_the_clips_of_a_word_lie_together(lesson, quantization):
    clips = lesson.features.training[0]
    loud = np.concatenate([clips, clips + 3])
    exact = Model(convert(lesson.architecture, lesson.trained.weights)).run(loud[..., None])
    content = convert(lesson.architecture, lesson.trained.weights)
    variant = quantize(content, (quantization,), loud)[quantization]
    answers = Model(variant).run(loud[..., None])
    assert np.abs(answers - exact).mean() < 0.01


@pytest.mark.parametrize("quantization", ["int8", "int8_per_tensor"])
def test_a_sum_that_is_always_zero_does_not_end_the_process(quantization, tmp_path):
    layers = (
        Conv("stem", 3, 3),
        Conv("minus_twice", 3, 1, norm=False, activation="none"),
        Add("dead", "stem", activation="relu"),
        GlobalAveragePool("pool"),
        Dense("dense", 2),
    )
    architecture = LayeredArchitecture(layers, (31, 10))
    weights = random_weights(architecture)
    weights["minus_twice/kernel"] = -2 * np.eye(3, dtype=np.float32)[None, None]
    weights["minus_twice/bias"] = np.zeros(3, np.float32)
    content = convert(architecture, weights)
    (tmp_path / "model").write_bytes(
        quantize(content, (quantization,), random_clips(architecture))[quantization]
    )
    run = "Model(open('model', 'rb').read(), reference).run(np.ones((1, 31, 10, 1)))"
    script = (
        "import numpy as np; from sweep.litert import Model\n"
        f"for reference in (False, True): print(*{run}[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    exact = Model(content).run(np.ones((1, 31, 10, 1), np.float32))[0]
    for line in done.stdout.splitlines():
        np.testing.assert_allclose(np.array(line.split(), float), exact, atol=2 / 256)
