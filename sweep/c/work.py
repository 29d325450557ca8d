"""How often the loops of the C run: what its instructions are estimated by."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from sweep.c.steps import Step


def work_of(steps: Iterable[Step]) -> dict[str, float]:
    """Return how often each loop of each kernel runs, by ``kernel.loop``."""
    total: Counter[str] = Counter()
    for one in steps:
        for loop, times in _loops(one).items():
            total[f"{one.kernel}.{loop}"] += int(times)
        total[f"{one.kernel}.calls"] += 1
    return dict(total)


def _loops(one: Step) -> dict[str, int]:
    """Return how often the loops of a kernel run, from the outer to the inner one."""
    fields: Mapping[str, Any] = one.fields
    if "window" in fields:
        return _of_window(fields["window"], one.kernel.startswith("depthwise"))
    if "axes" in fields:
        return {"outputs": math.prod(fields["axes"]["size"])}
    if "rows" in fields:
        outputs = fields["rows"] * fields["outputs"]
        return {"outputs": outputs, "inner": outputs * fields["channels"]}
    if "inner" in fields:
        outputs = fields["outer"] * fields["inner"]
        return {"outputs": outputs, "inner": outputs * fields["count"]}
    if "size" in fields:
        return {
            "outputs": math.prod(np.add(np.add(fields["before"], fields["after"]), fields["size"]))
        }
    return {"outputs": fields.get("outer", 1) * fields["count"]}


def _of_window(w: Mapping[str, int], depthwise: bool) -> dict[str, int]:
    rows = _taps(w, "row", w["top"])
    columns = _taps(w, "column", w["left"])
    places, outputs = w["output_rows"] * w["output_columns"], w["output_channels"]
    # Kernels take four outputs at once, and those that are left one by one.
    fours, single = divmod(outputs, 4)
    each = rows * columns * (1 if depthwise else w["channels"])
    return {
        "places": places,
        "outputs": places * outputs,
        "lines": rows * w["output_columns"] * (fours + single),
        "fours": each * fours,
        "single": each * single,
    }


def _taps(w: Mapping[str, int], axis: str, margin: int) -> int:
    """Return how many taps of a kernel lie inside, over all places along an axis."""
    places = np.arange(w[f"output_{axis}s"])[:, None] * w[f"{axis}_stride"]
    taps = places - margin + np.arange(w[f"kernel_{axis}s"]) * w[f"{axis}_dilation"]
    return int(((taps >= 0) & (taps < w[f"{axis}s"])).sum())
