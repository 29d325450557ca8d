"""What a core is estimated to take, beside what is counted there."""

from dataclasses import asdict

import pytest

from sweep.c.cores import CORES, Target
from sweep.c.emulator import is_installed
from sweep.c.estimate import ERROR, estimated
from sweep.candidate import Candidate
from sweep.errors import SweepError
from sweep.stages.on_core import Counted

SHAPES = {
    "windows": {"alpha": 0.1, "blocks": 2, "normalization": "per_clip"},
    "frames": {"network": "temporal", "alpha": 0.07, "kernel_frames": 5, "streaming": True},
    "residual": {"network": "tc_resnet", "width": 0.2, "frontend": "log_mel", "num_mel_bins": 12},
}
EACH = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


def classifier(parameters: dict[str, object], core: str, quantization: str = "int8") -> Counted:
    candidate = Candidate.from_parameters(parameters)
    architecture = candidate.network.architecture(candidate.frontend.shape, 3)
    return Counted(candidate, architecture, quantization, Target(core))


@pytest.mark.skipif(not is_installed(), reason="the extra device is not installed")
@EACH
def test_an_estimate_is_as_near_to_the_count_as_it_says(shape) -> None:
    wanted = classifier(shape, "cortex-m4")
    counted = wanted.costs().metrics
    found = estimated(wanted.source(), "cortex-m4").metrics
    assert found == {name: pytest.approx(value, rel=ERROR) for name, value in counted.items()}
    assert found != counted


@EACH
def test_every_core_has_one(shape) -> None:
    source = classifier(shape, "cortex-m4").source()
    costs = {core: asdict(estimated(source, core)) for core in CORES}
    assert all(min(one.values()) > 0 for one in costs.values())
    # Without a floating-point unit the front end takes many times as much.
    slow, fast = (costs[core]["frontend_instructions"] for core in ("cortex-m0plus", "cortex-m4"))
    assert slow > 8 * fast


def test_float32_is_not_estimated() -> None:
    source = classifier(SHAPES["windows"], "cortex-m4", "float32").source()
    with pytest.raises(SweepError, match="float32 is not estimated, only int8; pip install"):
        estimated(source, "cortex-m4")
