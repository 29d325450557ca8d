"""What an emulated Cortex-M computes, and what it takes."""

import os
from itertools import cycle, product

import numpy as np
import pytest

from sweep.audio.dataset import Dataset
from sweep.c import SOURCES
from sweep.c.classifier import classifier_source
from sweep.c.compiler import compiled
from sweep.c.cores import CORES
from sweep.c.emulator import emulate, is_installed
from sweep.c.templates import template
from sweep.c.verification import Expected
from sweep.errors import SweepError
from sweep.litert import Model

from .compiling import STRICT, needs_compiler
from .test_classifier import FRONTENDS, LABELS, NETWORKS, variants
from .test_frontend import statistics

pytestmark = [
    needs_compiler,
    pytest.mark.skipif(not is_installed(), reason="the extra device is not installed"),
]
OF_THE_TABLE = ("depthwise_separable", "standard", "temporal", "tc_resnet")
QUANTIZATIONS = ("float32", "int8", "int8_per_tensor")
PAIRS = (
    list(product(OF_THE_TABLE, QUANTIZATIONS))
    if os.environ.get("SWEEP_EVERY_PAIR")
    else list(zip(OF_THE_TABLE, cycle(QUANTIZATIONS), strict=False))
)
OTHER_CORES = (
    [core for core in CORES if core != "cortex-m4"]
    if os.environ.get("SWEEP_EVERY_PAIR")
    else ["cortex-m7"]
)
"""``SWEEP_EVERY_PAIR=1`` emulates each network in each quantization, and every core."""
MFCC = FRONTENDS["mfcc"]


def source_of(network: str, frontend=MFCC, quantization: str = "int8") -> dict[str, str]:
    content = variants(NETWORKS[network], frontend)[quantization]
    source = classifier_source(frontend, *statistics(frontend), content, LABELS).files
    return {name: text for name, text in source.items() if name in SOURCES}


def both(source: dict[str, str], clip: np.ndarray, kind: np.dtype, core: str) -> tuple:
    """Return costs and output on a core, and the output on this machine."""
    costs, found = emulate(source, [clip], *kind["output"].subdtype, core)
    with compiled({**source, "run.c": template("run.c")}, STRICT) as program:
        (here,) = program.run(clip[None], kind)
    return costs, found, here["output"]


def kind_of(network: str, frontend, quantization: str) -> np.dtype:
    model = Model(variants(NETWORKS[network], frontend)[quantization])
    return Expected(np.zeros((1, *model.input_shape[1:]), np.float32), model).kind(len(LABELS))


@pytest.mark.parametrize(("network", "quantization"), PAIRS)
def test_a_cortex_m4_computes_the_bits_of_this_machine(
    spoken: Dataset, network, quantization
) -> None:
    frontends = list(FRONTENDS.values())
    frontend = frontends[OF_THE_TABLE.index(network) % len(frontends)]
    clip = spoken.waveforms("validation", frontend.downsampling_rate)[0]
    source, kind = source_of(network, frontend, quantization), kind_of(
        network, frontend, quantization
    )
    costs, found, here = both(source, clip, kind, "cortex-m4")
    np.testing.assert_array_equal(found, here)
    assert 0 < costs.ram_bytes < costs.flash_bytes < 64 * 1024
    assert 100_000 < costs.frontend_instructions < 10_000_000


@pytest.mark.parametrize("core", OTHER_CORES)
def test_so_does_another_core(spoken: Dataset, core) -> None:
    clip = spoken.waveforms("validation", 16000)[0]
    source, kind = source_of("temporal"), kind_of("temporal", MFCC, "int8")
    costs, found, here = both(source, clip, kind, core)
    np.testing.assert_array_equal(found, here)
    # Without a floating-point unit, a library computes each float.
    frontend = costs.frontend_instructions
    assert (frontend > 20_000_000) == (not CORES[core].has_floats)


def test_counts_are_the_same_every_time_and_hardly_depend_on_the_clip(spoken: Dataset) -> None:
    source, output = source_of("temporal"), kind_of("temporal", MFCC, "int8")["output"].subdtype
    clips = spoken.waveforms("validation", 16000)[:2]
    (once, _), (again, _), (other, _) = (
        emulate(source, [clip], *output, "cortex-m4") for clip in (clips[0], clips[0], clips[1])
    )
    assert once == again
    assert once.network_instructions == pytest.approx(other.network_instructions, rel=0.01)
    assert once.frontend_instructions == pytest.approx(other.frontend_instructions, rel=0.01)


def test_c_that_does_not_link_is_told(spoken: Dataset) -> None:
    source = source_of("temporal")
    source["network.c"] += "\nint f(void) { return missing; }\n"
    clip = spoken.waveforms("validation", 16000)[0]
    with pytest.raises(SweepError, match="the C does not link for a cortex-m4: .*missing"):
        emulate(source, [clip], np.dtype(np.int8), (3,), "cortex-m4")
