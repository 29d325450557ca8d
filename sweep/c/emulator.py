"""A classifier in C on an emulated Cortex-M: its flash, RAM and instructions, and its bits.

Clang (from the package ``ziglang``) links it for the core, and ``unicorn``, QEMU as a library, runs
it.  What is counted is instructions, not cycles: a core takes one to a few cycles for each.
"""

import math
import os
import struct
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from sweep.c.cores import CORES, Core
from sweep.c.templates import template
from sweep.errors import SweepError
from sweep.scratch import Scratch

_FLASH, _RAM, _STACK_TOP = 0x0, 0x20000000, 0x20800000
_MAPPED = 0x800000
_RETURN = _FLASH + _MAPPED - 16
_STACK_BYTES = 0x10000
_UNTOUCHED = b"\xa5"
_LONG_THUMB = (0b11101, 0b11110, 0b11111)
_SECONDS = 300
_FLAGS = (
    *("-fhosted", "-std=c99", "-O2", "-ffp-contract=off", "-fno-math-errno"),
    *("-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections", "-Wl,-T,device.ld"),
)


@dataclass(frozen=True)
class Costs:
    """What a classifier takes on a core.

    Attributes:
        flash_bytes: code, tables and weights.
        ram_bytes: working memory, what a stream keeps, and the deepest stack; the samples that come
            in are not in it.
        frontend_instructions, network_instructions: of one clip, or of one step of a stream; those
            that a condition skips are counted, as a core fetches them.
    """

    flash_bytes: int
    ram_bytes: int
    frontend_instructions: int
    network_instructions: int

    @property
    def metrics(self) -> dict[str, float]:
        """The metrics that these are."""
        return {
            "flash_kb": self.flash_bytes / 1024,
            "ram_kb": self.ram_bytes / 1024,
            "instructions": self.frontend_instructions + self.network_instructions,
        }


def is_installed() -> bool:
    """Tell whether compiler and emulator are there, the extra ``device``."""
    return all(find_spec(name) for name in ("ziglang", "unicorn"))


def refuse_without_emulator(core: str) -> None:
    """Raise unless what counts on a core is installed.

    Raises:
        SweepError: saying how to install it.
    """
    if not is_installed():
        raise SweepError(
            f"target: {core} is counted in an emulator; pip install 'tinysweep[device]'"
        )


def emulate(
    files: Mapping[str, str],
    calls: Iterable[np.ndarray],
    kind: np.dtype,
    shape: tuple[int, ...],
    core: str,
) -> tuple[Costs, np.ndarray]:
    """Run a classifier on one clip.

    Args:
        files: its C files, by name.
        calls: int16 ``[samples]`` that it takes, one call after the other: of a clip one, of a
            stream one for each step; the last is counted.
        kind, shape: of what the network gives.
        core: the name of a core.

    Returns:
        What it takes, and the output of the network as it is stored.

    Raises:
        SweepError: if it does not link or does not end.
    """
    with Scratch() as scratch:
        image = _linked(files, scratch.path, core)
    machine = _Machine(image, CORES[core])
    entry, network, place, output = struct.unpack("<4I", machine.read(_FLASH, 16))
    for samples in calls:
        machine.write(place, samples.tobytes())
        frontend, whole = machine.run(entry, before=network & ~1)
    flash, static = (sum(sizes) for sizes in zip(*((s.stored, s.cleared) for s in image)))
    costs = Costs(
        flash_bytes=flash,
        ram_bytes=static - samples.nbytes + machine.stack_bytes(),
        frontend_instructions=frontend,
        network_instructions=whole - frontend,
    )
    found = machine.read(output, kind.itemsize * math.prod(shape))
    return costs, np.frombuffer(found, kind).reshape(shape)


@dataclass(frozen=True)
class _Segment:
    """A part of a linked image: where it lies, its bytes, and how many zeros follow them."""

    address: int
    content: bytes
    cleared: int

    @property
    def stored(self) -> int:
        return len(self.content)


def _linked(files: Mapping[str, str], folder: Path, core: str) -> list[_Segment]:
    import ziglang

    own = {name: template(name) for name in ("device.c", "device.ld")}
    for name, content in {**files, **own}.items():
        (folder / name).write_text(content, encoding="utf-8")
    headers = Path(ziglang.__file__).parent / "lib/libc/include"
    command = [
        *(sys.executable, "-m", "ziglang", "cc"),
        *CORES[core].flags,
        *_FLAGS,
        *(f"-isystem{headers / name}" for name in ("arm-linux-musl", "generic-musl")),
        *("-o", "image", *(name for name in (*files, *own) if name.endswith(".c"))),
    ]
    environment = os.environ | {"ZIG_LOCAL_CACHE_DIR": str(folder / "cache")}
    try:
        subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, check=True, timeout=_SECONDS
        )
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines() or [""]
        raise SweepError(f"the C does not link for a {core}: {said[0]}") from error
    except (OSError, subprocess.SubprocessError) as error:
        raise SweepError(f"clang does not run: {error}") from error
    return _segments((folder / "image").read_bytes())


def _segments(elf: bytes) -> list[_Segment]:
    """Return what an ELF file of 32 bits loads."""
    begin, size, count = *struct.unpack_from("<I", elf, 28), *struct.unpack_from("<2H", elf, 42)
    found = []
    for place in range(begin, begin + size * count, size):
        kind, offset, address, _, stored, whole = struct.unpack_from("<6I", elf, place)
        if kind == 1:
            found.append(_Segment(address, elf[offset : offset + stored], whole - stored))
    return found


class _Machine:
    """A core with an image in its memory."""

    def __init__(self, image: list[_Segment], core: Core) -> None:
        import unicorn
        from unicorn import arm_const

        self._uc = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        self._uc.ctl_set_cpu_model(getattr(arm_const, core.emulated))
        for start in (_FLASH, _RAM):
            self._uc.mem_map(start, _MAPPED)
        for segment in image:
            self._uc.mem_write(segment.address, segment.content)
        self.write(_STACK_TOP - _STACK_BYTES, _UNTOUCHED * _STACK_BYTES)
        self._start = {
            arm_const.UC_ARM_REG_SP: _STACK_TOP,
            arm_const.UC_ARM_REG_LR: _RETURN | 1,
        }
        self._program_counter, self._blocks = arm_const.UC_ARM_REG_PC, unicorn.UC_HOOK_BLOCK

    def read(self, address: int, size: int) -> bytes:
        return bytes(self._uc.mem_read(address, size))

    def write(self, address: int, content: bytes) -> None:
        self._uc.mem_write(address, content)

    def run(self, entry: int, before: int) -> tuple[int, int]:
        """Return the instructions up to where ``before`` is first called, and all of them."""
        sizes: dict[int, int] = {}
        counted, first = 0, 0

        def block(_: Any, address: int, size: int, __: Any) -> None:
            nonlocal counted, first
            if address == before:
                first = counted
            if address not in sizes:
                sizes[address] = _instructions(self.read(address, size))
            counted += sizes[address]

        for register, value in self._start.items():
            self._uc.reg_write(register, value)
        hook = self._uc.hook_add(self._blocks, block)
        self._uc.emu_start(entry, _RETURN, timeout=_SECONDS * 1_000_000)
        self._uc.hook_del(hook)
        if self._uc.reg_read(self._program_counter) & ~1 != _RETURN:
            raise SweepError(f"the emulated C does not end within {_SECONDS} s")
        return first, counted

    def stack_bytes(self) -> int:
        """Return how deep the stack was."""
        stack = self.read(_STACK_TOP - _STACK_BYTES, _STACK_BYTES)
        return len(stack.lstrip(_UNTOUCHED))


def _instructions(code: bytes) -> int:
    """Return how many Thumb instructions, of 2 or 4 bytes, some code has."""
    count, place = 0, 0
    while place < len(code):
        (half,) = struct.unpack_from("<H", code, place)
        place += 4 if half >> 11 in _LONG_THUMB else 2
        count += 1
    return count
