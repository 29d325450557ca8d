"""Where activations lie, checked against LiteRT for Microcontrollers itself."""

import re

import numpy as np
import pytest
from tflite_micro import runtime

from sweep.c.arena import activations_kb
from sweep.candidate import QUANTIZATIONS
from sweep.litert import Model
from sweep.networks.architecture import Architecture
from sweep.networks.conversion import convert
from sweep.stages.compression import quantize

from ..networks.architectures import ARCHITECTURES
from ..networks.keras_network import random_weights
from .test_compression import random_clips

ARENA_BYTES = 200_000
FOR_DEVICES = ("float32", "int8", "int8_per_tensor")


@pytest.fixture(scope="module", params=ARCHITECTURES.values(), ids=ARCHITECTURES)
def architecture(request) -> Architecture:
    return request.param


@pytest.fixture(scope="module")
def files(architecture) -> dict[str, bytes]:
    content = convert(architecture, random_weights(architecture))
    return quantize(content, QUANTIZATIONS, random_clips(architecture))


def on_a_device(content: bytes) -> runtime.Interpreter:
    return runtime.Interpreter.from_bytes(content, arena_size=ARENA_BYTES)


@pytest.mark.parametrize("quantization", FOR_DEVICES)
def test_activations_take_what_a_device_reserves_for_them(files, quantization, capfd):
    on_a_device(files[quantization]).print_allocations()
    told = re.search(r"Arena allocation head (\d+) bytes", capfd.readouterr().err)
    assert 1024 * activations_kb(files[quantization]) == int(told[1])


@pytest.mark.parametrize("quantization", FOR_DEVICES)
def test_a_device_hears_what_was_measured_here(lesson, variants, quantization):
    model, device = Model(variants[quantization]), on_a_device(variants[quantization])
    clips = np.concatenate([lesson.features.training[0], lesson.features.validation])[..., None]
    heard = []
    for clip in clips:
        device.set_input(model.encode(clip[None]), 0)
        device.invoke()
        heard.append(model.decode(device.get_output(0)))
    answers = model.run_each(clips)
    np.testing.assert_allclose(np.concatenate(heard), answers, atol=2 / 256)


@pytest.mark.parametrize("quantization", ["float16", "dynamic"])
def test_half_precision_and_dynamic_ranges_do_not_run_on_a_device(files, quantization):
    with pytest.raises(RuntimeError):
        on_a_device(files[quantization])


def test_activations_of_integers_take_a_quarter(files):
    assert activations_kb(files["int8"]) == pytest.approx(activations_kb(files["float32"]) / 4, 0.1)
