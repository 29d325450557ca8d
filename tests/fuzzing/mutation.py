"""Inputs that are nearly right: good ones, most of them damaged by chance."""

import random
import struct
from typing import Any

_INTEGERS = (0, 1, -1, 127, 128, 255, 2**15, 2**16 - 1, 2**31 - 1, -(2**31), 2**32 - 1)
_MOST_DAMAGES = 4
_TEXTS = (
    *"&a [*a, *a]|*a|- |{|}|[|]|: |\"|'|#|!!python/object:os.x {}|null|true|-1|1e999|.nan".split(
        "|"
    ),
    *"0x1f|2026-11-29|\\ud800|low: 5|high: -5|log: true|step: 0|a.b:C|../../x|1 ** 9 ** 9".split(
        "|"
    ),
    *("9" * 400, "\x1b[31m", "\x00", "\u202e", "\n", "\t", "%s%n", "{0.__class__}", "ü", "𝄞"),
)
_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 10**400, 2**31, 2**63, 0.5, 1e308, float("nan"), float("inf")),
    *("", "x", "\x1b[31m", "../../x", "\ud800", "9" * 1000, [], {}, [[]], [None], {"": None}),
)


def mutated(content: bytes, rng: random.Random, other: bytes = b"") -> bytes:
    """Return content with some damages or none; ``other`` is what parts may be taken from."""
    damaged = bytearray(content)
    for _ in range(rng.randint(0, _MOST_DAMAGES)):
        at = rng.randrange(len(damaged) + 1)
        # Headers decide more than what follows them.
        at = at if rng.random() < 0.5 else min(at, rng.randrange(128))
        length = rng.choice((1, 2, 4, 16, rng.randint(1, 1000)))
        match rng.randrange(8):
            case 0 if damaged:
                damaged[at % len(damaged)] ^= 1 << rng.randrange(8)
            case 1:
                whole = struct.pack("<q", rng.choice(_INTEGERS))
                damaged[at : at + 4] = whole[:4] if rng.random() < 0.5 else whole[3::-1]
            case 2:
                damaged[at:at] = rng.randbytes(length)
            case 3:
                del damaged[at : at + length]
            case 4:
                damaged[at:at] = damaged[at : at + length] * rng.choice((1, 1, 50))
            case 5:
                del damaged[at:]
            case 6:
                start = rng.randrange(len(other) + 1)
                damaged[at : at + length] = other[start : start + length]
            case 7:
                damaged[at:at] = rng.choice(_TEXTS).encode()
    return bytes(damaged)


def mutated_tree(tree: Any, rng: random.Random) -> Any:
    """Return a JSON value with one of its values, at any depth, replaced or left out."""
    if not isinstance(tree, dict | list) or not tree or rng.random() < 0.1:
        return rng.choice(_VALUES)
    copy = tree.copy()
    place = rng.choice(list(tree) if isinstance(tree, dict) else range(len(tree)))
    if rng.random() < 0.1:
        del copy[place]
    else:
        copy[place] = mutated_tree(tree[place], rng)
    return copy
