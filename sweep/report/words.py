"""Trials and numbers in words, the same ones everywhere in the report."""

import html
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from sweep.candidate import DEFAULT_NETWORK
from sweep.metrics import METRICS
from sweep.networks.base import network_owner
from sweep.parameters import defaults
from sweep.statistics import wilson
from sweep.study.confirmation import Finalist

USUAL = ("accuracy", "latency_ms", "size_kb")
"""The metrics that are told of every trial, and known by their units."""


def plain(value: Any) -> str:
    """Return a parameter's value as text: short numbers, ``none`` where there is none."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "none"
    if isinstance(value, (bool, np.bool_)):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e4 else f"{value:.0f}"
    if isinstance(value, (list, tuple)):
        return ", ".join(plain(item) for item in value)
    return str(value)


def amount(metric: str, value: float | None) -> str:
    """Return a measured value with its unit, or a dash where nothing was measured."""
    return METRICS[metric].text(value)


def accuracy(share: float, clips: int) -> str:
    """Return an accuracy with its 95 % Wilson interval where the number of clips is known."""
    if clips <= 0:
        return f"{share:.3f}"
    low, high = wilson(share, clips)
    return f"{share:.3f} ({low:.3f}–{high:.3f})"


def summary(row: Mapping[Any, Any]) -> str:
    """Return what a candidate is, in one line."""
    frame = f"{1000 * row['frame_length_in_s']:.3g}/{1000 * row['frame_step_in_s']:.3g} ms"
    parts = f"{row['features']} {frame}, {row['num_mel_bins']} mel"
    if row["features"] == "mfcc":
        parts += f", {row['num_coefficients']} coefficients"
    parts += f"; {_network(row)}, {100 * row['final_sparsity']:.0f} % sparse"
    return parts + (f", {row['variant']}" if pd.notna(row["variant"]) else "")


def _network(row: Mapping[Any, Any]) -> str:
    """Return a network in a few words: its channels, or the parameters it has."""
    own = list(defaults(network_owner(row["network"])))
    if own != ["filters", "alpha", "blocks"]:
        return ", ".join([row["network"], *(f"{name} {plain(row[name])}" for name in own)])
    told = f"{int(row['filters'] * row['alpha'])} channels, {counted(int(row['blocks']), 'block')}"
    kind = row["network"]
    return told if kind == DEFAULT_NETWORK else f"{told}, {kind} convolutions"


def hover(row: Mapping[Any, Any], names: list[str]) -> str:
    """Return a candidate and what was measured of it, as lines of Plotly's own markup."""
    outcome = f"{row['outcome']}: {row['reason']}" if row["reason"] else str(row["outcome"])
    lines = [f"<b>trial {row['trial']}</b> {html.escape(outcome[:90])}"]
    if pd.notna(row["accuracy"]):
        lines.append(f"accuracy {accuracy(row['accuracy'], int(row['clips']))}")
    if pd.notna(row["size_kb"]):
        size, latency = amount("size_kb", row["size_kb"]), amount("latency_ms", row["latency_ms"])
        lines.append(f"{size}, {latency}, {row['variant']}")
    values = [html.escape(f"{name} {plain(row[name])}") for name in names]
    return "<br>".join([*lines, *values])


def finalist_hover(one: Finalist, holds: bool) -> str:
    """Return what became of a finalist, as lines of Plotly's own markup."""
    low, high = one.interval("accuracy")
    mean, seeds = one.mean("accuracy"), counted(len(one.retrainings), "seed")
    spread = f"± {one.spread('accuracy'):.3f} over" if len(one.retrainings) > 1 else "from"
    lines = (
        f"<b>trial {one.trial}, trained again</b> {'holds' if holds else 'does not hold'}",
        f"accuracy on {one.test_clips} test clips {mean:.3f} ({low:.3f}–{high:.3f})",
        f"{spread} {seeds}; the search saw {one.searched['accuracy']:.3f}",
        f"{amount('size_kb', one.mean('size_kb'))}, "
        f"{amount('latency_ms', one.mean('latency_ms'))}",
    )
    return "<br>".join(lines)


def counted(number: int, noun: str) -> str:
    """Return a number of things."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
