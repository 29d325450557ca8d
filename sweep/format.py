"""Text for shell and page: values, titles with units, a description of a candidate."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sweep.candidate import CHOSEN, find
from sweep.metrics import Metric
from sweep.parameters import defaults

_UNITS = {"_ms": "ms", "_in_s": "s"}


@dataclass(frozen=True)
class Table:
    """A titled table of texts."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def plain(value: Any) -> str:
    """Return a parameter's value as text: short numbers, ``none`` for None or NaN."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "none"
    if isinstance(value, (bool, np.bool_)):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e4 else f"{value:.0f}"
    if isinstance(value, (list, tuple)):
        return ", ".join(plain(item) for item in value)
    return str(value)


def title(name: str) -> str:
    """Return a parameter's name with its unit, as an axis shows it."""
    for suffix, unit in _UNITS.items():
        if name.endswith(suffix):
            return f"{name.removesuffix(suffix).replace('_', ' ')} ({unit})"
    return name.replace("_", " ")


def short_title(metric: Metric) -> str:
    """Return a metric's name without its unit."""
    unit = metric.unit.lower().replace(" ", "_")
    return metric.name.removesuffix(f"_{unit}").replace("_", " ")


def metric_title(metric: Metric) -> str:
    """Return a metric's name with its unit, as an axis shows it."""
    return short_title(metric) + (f" ({metric.unit})" if metric.unit else "")


def counted(count: int, noun: str) -> str:
    """Return a number of things."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def duration(seconds: float) -> str:
    """Return a time span in hours, minutes or seconds."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


_CHANNELS = {"filters", "alpha", "blocks"}
"""The parameters that say how many channels there are, and how often."""


def describe_candidate(row: Mapping[Any, Any]) -> str:
    """Return a description of a candidate, in one line.

    Args:
        row: its parameters, and ``variant``, as a row of ``sweep.study.table.table``.
    """
    parts = _frontend(row)
    parts += f"; {_network(row)}, {100 * row['final_sparsity']:.0f} % sparse"
    return parts + (f", {row['variant']}" if pd.notna(row["variant"]) else "")


def _frontend(row: Mapping[Any, Any]) -> str:
    """Return a short description of a front end: frames and bands, or its own parameters."""
    name = row["frontend"]
    own = list(defaults(find("frontend", name)))
    if not {"frame_length_in_s", "frame_step_in_s", "num_mel_bins"} <= set(own):
        return ", ".join([name, *(f"{one} {plain(row[one])}" for one in own)])
    frame = f"{1000 * row['frame_length_in_s']:.3g}/{1000 * row['frame_step_in_s']:.3g} ms"
    told = f"{name} {frame}, {int(row['num_mel_bins'])} mel"
    if "num_coefficients" in own:
        told += f", {int(row['num_coefficients'])} coefficients"
    return told


def _network(row: Mapping[Any, Any]) -> str:
    """Return a short description of a network: its channels and what is not as usual, or all."""
    name = row["network"]
    own = defaults(find("network", name))
    if not _CHANNELS <= set(own):
        return ", ".join([name, *(told for one in own for told in _told(one, row[one]))])
    parts = [f"{int(row['filters'] * row['alpha'])} channels", counted(int(row["blocks"]), "block")]
    parts += [] if name == CHOSEN["network"] else [f"{name} convolutions"]
    others = [one for one, usual in own.items() if one not in _CHANNELS and row[one] != usual]
    return ", ".join([*parts, *(told for one in others for told in _told(one, row[one]))])


def _told(name: str, value: Any) -> list[str]:
    """Return a parameter in words; one that is off is not told."""
    if isinstance(value, (bool, np.bool_)):
        return [name] if value else []
    return [f"{name} {plain(value)}"]
