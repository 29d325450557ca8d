"""Networks of all kinds, for the tests that hold for every one."""

import pytest

from sweep.networks.base import Network
from sweep.networks.ds_cnn import DSCNN
from sweep.networks.layers import (
    Add,
    CoefficientAverage,
    Conv,
    Dense,
    DepthwiseConv,
    GlobalAveragePool,
    SubSpectralNorm,
)
from sweep.networks.mlperf_ds_cnn import MLPerfDSCNN
from sweep.networks.standard import Standard
from sweep.networks.tc_resnet import TCResNet
from sweep.networks.temporal import Temporal


class EveryLayer(Network):
    """A broadcast block with what the other networks lack."""

    def layers(self, shape, labels):
        """Yield the layers from features to logits."""
        yield Conv("stem", 6, 5, strides=(1, 2), norm=False, bias=True)
        yield DepthwiseConv("across", (1, 3), strides=(1, 2), norm=False, activation="none")
        yield SubSpectralNorm("norm", 5, activation="swish")
        yield CoefficientAverage("average")
        yield DepthwiseConv("along", (3, 1), dilation=(4, 1), activation="swish")
        yield Conv("mixed", 6, 1, norm=False, activation="none")
        yield Add("block", "norm", activation="relu")
        yield DepthwiseConv("wide", (5, 5), padding=("same", "valid"), norm=False)
        yield GlobalAveragePool("average_pooling")
        yield Dense("hidden", 9, activation="relu")
        yield Dense("dense", labels)


TC_RESNET_BY_FRAME = TCResNet(0.5, kernel_frames=3, streaming=True)

ARCHITECTURES = {
    "the published winner": DSCNN(64, 1.0, 2).architecture((31, 10), 2),
    "three blocks, five labels": DSCNN(12, 1.0, 3).architecture((62, 13), 5),
    "standard convolutions": Standard(16, 1.0, 2).architecture((31, 10), 2),
    "temporal convolutions": Temporal(16, 1.0, 3).architecture((49, 12), 2),
    "no block": DSCNN(8, 1.0, 0).architecture((15, 20), 3),
    "TC-ResNet8, narrow": TCResNet(0.5).architecture((49, 12), 2),
    "TC-ResNet8 that keeps its frames": TC_RESNET_BY_FRAME.architecture((61, 12), 2),
    "every layer": EveryLayer().architecture((31, 20), 3),
    "the DS-CNN of MLPerf Tiny, narrow": MLPerfDSCNN(0.25).architecture((49, 10), 4),
}
EACH = pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=ARCHITECTURES)
