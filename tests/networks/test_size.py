from itertools import product

import numpy as np
import pytest

from sweep.candidate import CONTAINERS, QUANTIZATIONS, CompressionParams
from sweep.litert import zipped_kb
from sweep.networks.bc_resnet import BCResNet
from sweep.networks.ds_cnn import DSCNN
from sweep.networks.layers import GlobalAveragePool
from sweep.networks.mlperf_ds_cnn import MLPerfDSCNN
from sweep.networks.size import CONTAINER_BYTES, ERROR, estimate_kb
from sweep.networks.standard import Standard
from sweep.networks.tc_resnet import TCResNet
from sweep.networks.temporal import Temporal
from sweep.stages.compression import compress
from sweep.stages.untrained import lifelike_weights

NETWORKS = {
    "narrow, dense": (DSCNN(10, 1.0, 3).architecture((49, 12), 2), 0.0),
    "the published winner's shape": (DSCNN(64, 1.0, 2).architecture((31, 10), 2), 0.7),
    "wide, sparse": (DSCNN(200, 1.0, 2).architecture((61, 20), 2), 0.9),
    "temporal convolutions": (Temporal(24, 1.0, 4).architecture((49, 12), 2), 0.4),
    "TC-ResNet8": (TCResNet(0.7).architecture((49, 20), 2), 0.3),
    "BC-ResNet": (BCResNet(0.6).architecture((49, 20), 4), 0.0),
    "the DS-CNN of MLPerf Tiny": (MLPerfDSCNN(0.5).architecture((49, 10), 12), 0.6),
    "standard convolutions": (Standard(24, 1.0, 2).architecture((31, 20), 8), 0.5),
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize(("architecture", "sparsity"), NETWORKS.values(), ids=NETWORKS)
def test_the_estimate_is_near_the_size_of_the_converted_file(architecture, sparsity, container):
    weights = lifelike_weights(architecture, CompressionParams(sparsity), seed=5)
    shape = (8, *architecture.shape)
    noise = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    files = compress(architecture, weights, QUANTIZATIONS, noise, container)
    for name, content in files.items():
        kb = estimate_kb(architecture, weights, name, container)
        assert abs(kb / zipped_kb(content) - 1) < ERROR, name


def test_every_variant_is_calibrated():
    assert set(CONTAINER_BYTES) == {*product(QUANTIZATIONS, CONTAINERS)}


def test_a_network_with_an_operator_that_was_not_measured_is_not_estimated():
    class Padded(GlobalAveragePool):
        operators = ("MIRROR_PAD", "MEAN")

    class Odd(DSCNN):
        def layers(self, shape, labels):
            for layer in super().layers(shape, labels):
                yield Padded("pool") if isinstance(layer, GlobalAveragePool) else layer

    architecture = Odd(8, 1.0, 1).architecture((31, 10), 2)
    weights = architecture.initial_weights(0)
    assert estimate_kb(architecture, weights, "int8", True) is None
