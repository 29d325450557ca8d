import numpy as np
import pytest

from sweep.candidate import QUANTIZATIONS, CompressionParams
from sweep.litert import zipped_kb
from sweep.stages.compression import compress
from sweep.stages.gate import lifelike_weights
from sweep.stages.network import Architecture
from sweep.stages.size import CONTAINER_BYTES, ERROR, estimate_kb

NETWORKS = {
    "narrow, dense": (Architecture("depthwise_separable", 10, 3, 49, 12, 2), 0.0),
    "the published winner's shape": (Architecture("depthwise_separable", 64, 2, 31, 10, 2), 0.7),
    "wide, sparse": (Architecture("depthwise_separable", 200, 2, 61, 20, 2), 0.9),
    "temporal convolutions": (Architecture("temporal", 24, 4, 49, 12, 2), 0.4),
    "standard convolutions": (Architecture("standard", 24, 2, 31, 20, 8), 0.5),
}


@pytest.mark.parametrize("without_names", [False, True])
@pytest.mark.parametrize(("architecture", "sparsity"), NETWORKS.values(), ids=NETWORKS)
def test_the_estimate_is_near_the_size_of_the_converted_file(architecture, sparsity, without_names):
    weights = lifelike_weights(architecture, CompressionParams(sparsity), seed=5)
    shape = (8, architecture.frames, architecture.coefficients)
    noise = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    files = compress(architecture, weights, QUANTIZATIONS, noise, without_names)
    for name, content in files.items():
        kb = estimate_kb(architecture, weights, name, without_names)
        assert abs(kb / zipped_kb(content) - 1) < ERROR, name


def test_trained_weights_are_estimated_too(lesson, variants):
    for name, content in variants.items():
        kb = estimate_kb(lesson.architecture, lesson.trained.weights, name, False)
        assert abs(kb / zipped_kb(content) - 1) < ERROR, name


def test_every_variant_is_calibrated():
    assert set(CONTAINER_BYTES) == {(q, names) for q in QUANTIZATIONS for names in (False, True)}
