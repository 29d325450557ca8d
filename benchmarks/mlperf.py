"""The keyword network of MLPerf Tiny in C, counted, beside what the benchmark publishes.

    python benchmarks/mlperf.py

The published milliseconds are of MLPerf Tiny v1.2, int8, the network alone, with the vendors' own
kernels.  Those counted here are a range: from the fewest cycles of an instruction to two.
"""

from sweep.c.cores import CORES, Target
from sweep.candidate import Candidate
from sweep.stages.on_core import Counted

PUBLISHED = (
    ("cortex-m4", "STM32L4R5", 120, 43.0),
    ("cortex-m33", "STM32U575", 160, 29.0),
    ("cortex-m7", "STM32F746", 216, 19.0),
    ("cortex-m7", "STM32H7A3", 280, 11.3),
)
LABELS = 12
INPUTS = {
    "network": "mlperf_ds_cnn",
    "frame_length_in_s": 0.030,
    "frame_step_in_s": 0.020,
    "num_coefficients": 10,
    "quantization": ("int8",),
}


def main() -> None:
    """Print a line for each board."""
    candidate = Candidate.from_parameters(INPUTS)
    architecture = candidate.network.architecture(candidate.frontend.shape, LABELS)
    adds = architecture.multiply_adds()
    print(f"{candidate.frontend.shape} features, {adds / 1e6:.2f} million multiply-adds")
    for core, board, clock_mhz, published_ms in PUBLISHED:
        costs = Counted(candidate, architecture, "int8", Target(core)).costs()
        instructions = costs.network_instructions
        low, high = CORES[core].milliseconds(instructions, clock_mhz)
        print(
            f"{board}, {core}, {clock_mhz} MHz: {instructions / 1e6:.1f} million instructions,"
            f" {instructions / adds:.1f} a multiply-add, {low:.0f} to {high:.0f} ms;"
            f" published {published_ms:g} ms"
        )


if __name__ == "__main__":
    main()
