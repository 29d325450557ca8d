"""The cores that a search may aim at: how C is compiled for them, and what runs it here."""

from dataclasses import dataclass
from typing import Literal

CoreName = Literal[
    "cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55"
]
DEFAULT_CORE: CoreName = "cortex-m4"
"""What an export is counted on where no core was searched for."""


_MOST_CYCLES = 2.0


@dataclass(frozen=True)
class Core:
    """A core.

    Attributes:
        cpu: its processor and features, as Clang names them.
        gnu: the same, as GCC does.
        has_floats: whether it computes float32 itself; else a library does, which takes many
            instructions for each operation.
        emulated: the processor that runs its code here, as unicorn names it.
        fewest_cycles: of an instruction; half a one where two can be issued at once.
    """

    cpu: str
    gnu: str
    has_floats: bool
    emulated: str
    fewest_cycles: float = 1.0

    @property
    def flags(self) -> tuple[str, str]:
        """What Clang compiles for it with."""
        abi = "eabihf" if self.has_floats else "eabi"
        return f"--target=thumb-freestanding-{abi}", f"-mcpu={self.cpu}"

    @property
    def gnu_flags(self) -> tuple[str, ...]:
        """What GCC does."""
        floats = ("-mfloat-abi=hard", "-mfpu=auto") if self.has_floats else ("-mfloat-abi=soft",)
        return "-mthumb", f"-mcpu={self.gnu}", *floats

    def milliseconds(self, instructions: float, clock_mhz: float) -> tuple[float, float]:
        """Return the range of what so many instructions take.

        From the fewest cycles of each to two, which loads and taken branches need: an assumption
        for memory without wait states, not measured on a board.
        """
        at_one = instructions / (1000 * clock_mhz)
        return self.fewest_cycles * at_one, _MOST_CYCLES * at_one


@dataclass(frozen=True)
class Target:
    """A core that a candidate is for.

    Attributes:
        core: its name.
        counted: whether what is taken there is counted in an emulator; else it is estimated.
    """

    core: str
    counted: bool = True


_ARMV8 = Core("cortex_m33+fp_armv8d16sp", "cortex-m33", True, "UC_CPU_ARM_CORTEX_M33", 0.5)

CORES: dict[str, Core] = {
    "cortex-m0plus": Core("cortex_m0plus", "cortex-m0plus", False, "UC_CPU_ARM_CORTEX_M0"),
    "cortex-m3": Core("cortex_m3", "cortex-m3", False, "UC_CPU_ARM_CORTEX_M3"),
    "cortex-m4": Core("cortex_m4+vfp4d16sp", "cortex-m4", True, "UC_CPU_ARM_CORTEX_M4"),
    "cortex-m7": Core(
        "cortex_m7+fp_armv8d16sp", "cortex-m7+nofp.dp", True, "UC_CPU_ARM_CORTEX_M7", 0.5
    ),
    "cortex-m33": _ARMV8,
    "cortex-m55": _ARMV8,  # Of its own instructions, the emulator knows none.
}
"""The cores, by name."""
