"""A network in C as it computes a stream: in every step what it would of the window."""

import re
from functools import cache

import numpy as np
import pytest

from sweep.c.compiler import compiled
from sweep.c.graph import Graph
from sweep.c.network import network_source
from sweep.c.streamed import streamed
from sweep.candidate import CompressionParams
from sweep.errors import SweepError
from sweep.litert import Model
from sweep.networks.base import Network
from sweep.networks.bc_resnet import BCResNet
from sweep.networks.conversion import convert
from sweep.networks.ds_cnn import DSCNN
from sweep.networks.layered import LayeredArchitecture
from sweep.networks.standard import Standard
from sweep.networks.tc_resnet import TCResNet
from sweep.networks.temporal import Temporal
from sweep.stages.untrained import lifelike_weights, untrained

from ..networks.keras_network import random_weights
from .compiling import SANITIZED, STRICT, driver, needs_compiler

QUANTIZATIONS = ("float32", "int8", "int8_per_tensor")
WINDOWS = 12
NETWORKS = {
    "temporal": (Temporal(filters=8, kernel_frames=5, streaming=True), (31, 12)),
    "depthwise separable": (DSCNN(filters=8, streaming=True), (33, 10)),
    "standard": (Standard(filters=6, streaming=True), (30, 9)),
    "residual": (TCResNet(width=0.3, kernel_frames=3, streaming=True), (61, 10)),
    "broadcast": (BCResNet(width=0.5, streaming=True), (140, 16)),
}
EACH = pytest.mark.parametrize(("network", "shape"), NETWORKS.values(), ids=NETWORKS)


@cache
def files(network: Network, shape: tuple[int, int]) -> tuple[LayeredArchitecture, dict[str, bytes]]:
    architecture = network.architecture(shape, 3)
    assert isinstance(architecture, LayeredArchitecture)
    weights = lifelike_weights(architecture, CompressionParams(final_sparsity=0), seed=0)
    return architecture, {one: untrained(architecture, weights, one) for one in QUANTIZATIONS}


def steps(
    content: bytes, frames: int, stream: np.ndarray, flags: tuple[str, ...] = STRICT
) -> np.ndarray:
    """Return the outputs of each step, ``[steps, outputs]``."""
    source = network_source(content, frames).files
    whole = f"-DFRAMES_OF_A_WINDOW={Model(content).input_shape[1]}"
    with compiled({**source, **driver("run_step.c")}, (*flags, whole)) as program:
        return program.run(stream, stream.dtype).reshape(-1, 3)


@needs_compiler
@pytest.mark.parametrize("quantization", QUANTIZATIONS)
@EACH
def test_each_step_gives_what_the_window_that_ends_with_it_does(
    network, shape, quantization
) -> None:
    architecture, variants = files(network, shape)
    content = variants[quantization]
    model = Model(content, reference=True)
    for multiple in (1, 2):
        new = multiple * architecture.step_frames
        warm_up = -(-shape[0] // new) - 1
        length = new * (warm_up + WINDOWS)
        rng = np.random.default_rng(5)
        walk = rng.normal(0, 0.7, (length, shape[1])).cumsum(axis=0)
        stream = model.encode(np.clip(walk, -4, 4).astype(np.float32))
        ends = new * (warm_up + 1 + np.arange(WINDOWS))
        windows = np.stack([stream[end - shape[0] : end] for end in ends])[..., None]
        expected = model.run_stored(windows).reshape(WINDOWS, -1)
        found = steps(content, new, stream)[warm_up:]
        assert len(np.unique(expected, axis=0)) > 1
        if quantization == "float32":
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
        else:
            np.testing.assert_array_equal(found, expected)


@needs_compiler
def test_no_step_leads_outside_its_memory() -> None:
    architecture, variants = files(*NETWORKS["residual"])
    rng = np.random.default_rng(6)
    stream = rng.integers(-128, 128, (80 * architecture.step_frames, 10)).astype(np.int8)
    assert len(steps(variants["int8"], architecture.step_frames, stream, SANITIZED)) == 80


@EACH
def test_less_is_kept_than_a_window_takes(network, shape) -> None:
    architecture, variants = files(network, shape)
    stream = streamed(Graph(variants["int8"]), architecture.step_frames)
    assert all(one.held <= shape[0] for one in stream.maps.values())
    memory = int(
        re.search(
            r"NETWORK_STEP_MEMORY (\d+)",
            network_source(variants["int8"], architecture.step_frames).files["network.h"],
        )[1]
    )
    kept = sum(one.kept * one.row for one in stream.maps.values())
    assert kept < memory < kept + 2**15


def test_a_network_that_pads_frames_has_none() -> None:
    content = convert(network := DSCNN(filters=4).architecture((20, 8), 2), random_weights(network))
    with pytest.raises(SweepError, match="^DEPTHWISE_CONV_2D pads frames"):
        network_source(content, 2)
