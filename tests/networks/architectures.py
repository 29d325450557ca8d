"""Networks of all kinds, for the tests that hold for every one."""

import pytest

from sweep.networks.ds_cnn import DSCNN
from sweep.networks.standard import Standard
from sweep.networks.temporal import Temporal

ARCHITECTURES = {
    "the published winner": DSCNN(64, 1.0, 2).architecture((31, 10), 2),
    "three blocks, five labels": DSCNN(12, 1.0, 3).architecture((62, 13), 5),
    "standard convolutions": Standard(16, 1.0, 2).architecture((31, 10), 2),
    "temporal convolutions": Temporal(16, 1.0, 3).architecture((49, 12), 2),
    "no block": DSCNN(8, 1.0, 0).architecture((15, 20), 3),
}
EACH = pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=ARCHITECTURES)
