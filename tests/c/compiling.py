"""What the tests of C compile with."""

from pathlib import Path

import pytest

from sweep.c.compiler import compiler

STRICT = (
    *("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror"),
    *("-O2", "-ffp-contract=off"),
)
SANITIZED = (*STRICT, "-fsanitize=address,undefined", "-fno-sanitize-recover=all")

needs_compiler = pytest.mark.skipif(compiler() is None, reason="this machine has no C compiler")


def driver(name: str) -> dict[str, str]:
    """Return a C file of this folder that has a ``main``."""
    return {name: (Path(__file__).parent / name).read_text()}
