"""Networks out of papers, against the counts that were published."""

import math

import pytest

from sweep.networks.bc_resnet import BCResNet
from sweep.networks.layered import LayeredArchitecture
from sweep.networks.layers import Add, CoefficientAverage, GlobalAveragePool, SubSpectralNorm
from sweep.networks.mlperf_ds_cnn import MLPerfDSCNN
from sweep.networks.tc_resnet import TCResNet


def learned(architecture: LayeredArchitecture) -> int:
    """Count the parameters without the averages of the norms, as most papers do."""
    weights = architecture.initial_weights(0)
    return sum(v.size for k, v in weights.items() if not k.endswith(("/mean", "/variance")))


@pytest.mark.parametrize(("width", "parameters", "operations"), [(1.0, 66e3, 3.0e6)])
def test_tc_resnet8_has_its_published_counts(width, parameters, operations):
    architecture = TCResNet(width).architecture((98, 40), 12)
    assert architecture.parameters() == 65_824 + 12 == pytest.approx(parameters, rel=0.01)
    assert 2 * architecture.multiply_adds() == pytest.approx(operations, rel=0.02)


@pytest.mark.parametrize(
    ("width", "parameters", "operations"), [(1.0, 9_232, 3.6e6), (0.625, 4_585, 1.9e6)]
)
def test_bc_resnet_has_its_published_counts(width, parameters, operations):
    architecture = BCResNet(width).architecture((101, 40), 12)
    assert learned(architecture) == parameters
    # Published are all operations; the multiply-adds of kernels are two thirds of them.
    assert architecture.multiply_adds() + elementwise(architecture) == pytest.approx(
        operations, rel=0.01
    )


def elementwise(architecture: LayeredArchitecture) -> int:
    """Count two operations a value for a norm, one for an activation, a sum and a mean."""
    count = 0
    for step in architecture.steps:
        layer, values = step.layer, math.prod(step.output)
        normed = isinstance(layer, SubSpectralNorm) or getattr(layer, "norm", False)
        activated = getattr(layer, "activation", "none") != "none"
        count += values * (2 * normed + activated + isinstance(layer, Add))
        if isinstance(layer, (CoefficientAverage, GlobalAveragePool)):
            count += math.prod(step.shapes[0])
    return count


def test_the_ds_cnn_of_mlperf_tiny_has_its_published_counts():
    architecture = MLPerfDSCNN().architecture((49, 10), 12)
    # Published with biases before norms, which have one: nine times 64 of no effect.
    assert learned(architecture) + 9 * 64 == 23_756
    assert architecture.parameters() + 9 * 64 == 24_908
    assert architecture.multiply_adds() == pytest.approx(2.66e6, rel=0.005)


def test_bands_that_do_not_divide_the_coefficients_become_fewer():
    steps = BCResNet(0.5, bands=5).architecture((49, 12), 2).steps
    bands = [step.layer.bands for step in steps if isinstance(step.layer, SubSpectralNorm)]
    assert set(bands) == {1}
    steps = BCResNet(0.5, bands=4).architecture((49, 16), 2).steps
    bands = [step.layer.bands for step in steps if isinstance(step.layer, SubSpectralNorm)]
    assert bands == [4] * 4 + [2] * 8
