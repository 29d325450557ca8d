import os
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from sweep.candidate import QUANTIZATIONS
from sweep.litert import Model, measure_latency, zipped_kb
from sweep.networks.conversion import convert
from sweep.networks.ds_cnn import DSCNN
from sweep.stages.compression import quantize

ARCHITECTURE = DSCNN(16, 1.0, 2).architecture((31, 10), 2)


@pytest.fixture(scope="module")
def clips() -> np.ndarray:
    """Features of more clips than are run at once."""
    return np.random.default_rng(0).normal(0, 2, (150, 31, 10, 1)).astype(np.float32)


@pytest.fixture(scope="module")
def files(clips) -> dict[str, bytes]:
    """The variants of a network that nobody has trained, but that is sure of its answers."""
    weights = ARCHITECTURE.initial_weights(seed=0)
    weights["dense/kernel"] *= 30
    content = convert(ARCHITECTURE, weights)
    return quantize(content, QUANTIZATIONS, clips[..., 0])


@pytest.mark.parametrize("quantization", QUANTIZATIONS)
def test_many_clips_at_once_give_what_each_gives_alone(files, clips, quantization):
    model = Model(files[quantization])
    together, alone = model.run(clips), model.run_each(clips)
    assert model.input_shape == (1, 31, 10, 1)
    if quantization in ("float32", "float16", "dynamic"):
        np.testing.assert_allclose(together, alone, atol=1e-5)
    else:
        np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("quantization", ["int8", "int8_per_tensor"])
def test_inputs_are_rounded_to_the_nearest_integer_not_cut_off(files, quantization):
    details = Interpreter(model_content=files[quantization]).get_input_details()[0]
    scale, zero_point = details["quantization"]
    assert details["dtype"] == np.int8
    model = Model(files[quantization])
    integers = np.random.default_rng(0).integers(-128, 128, (20, 31, 10, 1))
    exact = (integers - zero_point) * scale
    for part in (-0.4, 0.0, 0.4):
        np.testing.assert_array_equal(model.encode(exact + part * scale), integers)


def test_inputs_beyond_the_range_are_clipped_not_wrapped(files):
    model = Model(files["int8"])
    assert model.encode(np.array([-1e6, 1e6])).tolist() == [-128, 127]


def test_answers_are_probabilities_whatever_is_inside(files, clips):
    for content in files.values():
        answers = Model(content).run(clips)
        assert answers.dtype == np.float32
        np.testing.assert_allclose(answers.sum(axis=1), 1, atol=0.01)
        assert answers.std() > 0.05


def test_latency_is_a_positive_median_with_its_spread(files, clips):
    latency = measure_latency(files["float32"], clips)
    assert 0 < latency.median_ms < 10
    assert 0 <= latency.spread_ms < 10


def test_each_invocation_is_timed(files, clips):
    taken = Model(files["float32"]).latencies_ms(clips[:3], repeats=4)
    assert taken.shape == (12,)
    assert (taken > 0).all()


def test_the_zipped_size_is_that_of_an_archive_on_disk(files, tmp_path):
    for name, content in files.items():
        archive = tmp_path / f"{name}.zip"
        model = tmp_path / "model.tflite"
        model.write_bytes(content)
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
            file.write(model, "model.tflite")
        assert zipped_kb(content) == archive.stat().st_size / 1024


def test_details_of_input_and_output_say_how_to_feed_a_file_by_hand(files, clips):
    plain = Model(files["float32"]).io_details()
    assert plain["input"]["dtype"] == "float32" and "scale" not in plain["input"]
    details = Model(files["int8"]).io_details()
    told = details["input"]
    interpreter = Interpreter(model_content=files["int8"])
    interpreter.allocate_tensors()
    stored = np.round(clips[:1] / told["scale"] + told["zero_point"]).clip(-128, 127)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], stored.astype(np.int8))
    interpreter.invoke()
    answer = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    real = (answer.astype(float) - details["output"]["zero_point"]) * details["output"]["scale"]
    np.testing.assert_allclose(real, Model(files["int8"]).run(clips[:1]), atol=1e-6)


def test_threads_that_load_at_once_leave_standard_error_where_it_was(files):
    before = os.readlink("/proc/self/fd/2")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: Model(files["float32"]), range(40)))
    assert os.readlink("/proc/self/fd/2") == before


def test_without_standard_error_a_model_is_still_loaded(files, monkeypatch):
    monkeypatch.setattr("sys.stderr", None)
    assert Model(files["float32"]).input_shape[0] == 1


def test_what_is_no_model_is_refused():
    with pytest.raises(ValueError):
        Model(b"no model")


def test_running_a_model_takes_no_tensorflow():
    code = "import sys, sweep.litert; print(any('tensorflow' == name for name in sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
