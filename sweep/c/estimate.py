"""What a classifier takes on a core, estimated where there is no emulator to count it.

Each cost is a sum: of what is known in bytes, and of how often loops run or parts are there, each
times what it takes on the core.  These weights were fitted to counts of many shapes by
``benchmarks/device_model.py``, which also says how far estimates are off.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from sweep.c.emulator import Costs
from sweep.c.templates import Source
from sweep.errors import SweepError

FITTED = "fitted.json"
"""The weights, by core; in this package."""

_CALLS, _ALONE = ".calls", "alone "
"""A kernel that is called once is compiled for that one layer, and costs something else."""

ERROR = 0.16
"""No shape that was held out was off by more, in flash, RAM or instructions."""

ESTIMATED = f"flash_kb, ram_kb and instructions are estimated, within {ERROR:.0%}, not counted"

Terms = dict[str, dict[str, float]]
"""By cost, what it is a sum of; ``bytes`` count as they are."""


def terms_of(source: Source) -> Terms:
    """Return what the costs of a classifier in C are sums of."""
    told = source.values
    frames = told["step_frames"] if told["streaming"] else told["frames"]
    of_frames = {name: frames * times for name, times in told["frame_work"].items()}
    stored = frames * told["coefficients"] if told["quantized"] else 0
    work = told["work"]
    calls = {name.removesuffix(_CALLS): n for name, n in work.items() if name.endswith(_CALLS)}
    alone = {kernel for kernel, n in calls.items() if n == 1}
    parts = ("mfcc", "cube_root", "per_clip", "standardised", "streaming")
    return {
        "frontend_instructions": of_frames | {"stored": stored, "once": 1},
        "network_instructions": {"once": 1}
        | work
        | {f"{_ALONE}{name}": n for name, n in work.items() if name.rpartition(".")[0] in alone},
        "flash_bytes": {"bytes": told["table_bytes"] + told["weights_bytes"], "once": 1}
        | dict.fromkeys(calls, 1)
        | {f"{_ALONE}{kernel}": 1 for kernel in alone}
        | {f"{kernel}{_CALLS}": n for kernel, n in calls.items()}
        | {name: told[name] for name in parts},
        "ram_bytes": {"bytes": told["work_ram_bytes"], "once": 1, "streaming": told["streaming"]}
        | dict.fromkeys(calls, 1),
    }


def estimated(source: Source, core: str) -> Costs:
    """Return what a classifier takes on a core.

    Raises:
        SweepError: if it is not int8; others were not fitted.
    """
    if not source.values["quantized"]:
        raise SweepError(
            "target: float32 is not estimated, only int8; pip install 'tinysweep[device]'"
        )
    weights = _fitted()[core]
    return Costs(
        **{
            cost: round(
                sum(
                    times * (1 if name == "bytes" else weights[cost].get(name, 0.0))
                    for name, times in terms.items()
                )
            )
            for cost, terms in terms_of(source).items()
        }
    )


@cache
def _fitted() -> Mapping[str, Any]:
    text = files(__package__).joinpath(FITTED).read_text(encoding="utf-8")
    found: Mapping[str, Any] = json.loads(text)
    return found
