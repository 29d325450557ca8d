"""The zipped size of a network before it is converted: its weights deflated, plus the container.

The weights are rounded and laid out as each variant stores them, then compressed as the zip would.
What the file holds besides, operators and tables and names, hardly depends on the weights; its
zipped size was measured, and is here a line in the number of blocks and of channels.
``benchmarks/size.py`` measures it again, and how far the whole is off.
"""

import zlib

import numpy as np

from sweep.networks.architecture import Architecture, Weights
from sweep.networks.layers import Conv

ERROR = 0.08
"""Estimates are within this share of the size of the converted file; the worst was 0.05 off."""

CONTAINER_BYTES = {
    ("float32", False): (967, 252, 2.65),
    ("float32", True): (554, 179, 1.84),
    ("float16", False): (840, 346, 10.36),
    ("float16", True): (423, 265, 9.21),
    ("dynamic", False): (928, 256, 3.04),
    ("dynamic", True): (496, 189, 2.32),
    ("int8", False): (873, 330, 5.18),
    ("int8", True): (465, 253, 4.02),
    ("int8_per_tensor", False): (852, 301, 4.52),
    ("int8_per_tensor", True): (419, 228, 3.50),
}
"""By variant, and whether names are stripped: bytes of any file, of a block, of a channel."""

_FLOATS = {"float32": np.float32, "float16": np.float16}
_LARGEST = 127
_SMALLEST = 1e-8
_INPUT_SCALE = 0.04
"""About what activations are quantized by; it fixes how many bytes of a bias are taken."""


def estimate_kb(
    architecture: Architecture, weights: Weights, quantization: str, without_names: bool
) -> float:
    """Return the zipped size of a variant of a network in KB, without converting anything."""
    per_file, per_block, per_channel = CONTAINER_BYTES[quantization, without_names]
    blocks, width = blocks_and_width(architecture)
    container = per_file + per_block * blocks + per_channel * width
    return (weights_bytes(architecture, weights, quantization) + container) / 1024


def blocks_and_width(architecture: Architecture) -> tuple[int, int]:
    """Return how many convolutions follow the first, and the channels of the last."""
    convolutions = [step for step in architecture.steps if isinstance(step.layer, Conv)]
    return len(convolutions) - 1, convolutions[-1].output[-1]


def weights_bytes(architecture: Architecture, weights: Weights, quantization: str) -> int:
    """Return the bytes that the weights of a variant take once deflated."""
    folded = architecture.fold(weights)
    stored = architecture.stored(folded)
    parts: list[np.ndarray] = []
    for step in architecture.steps:
        for name in step.kernels:
            kernel, axis = stored[name], step.layer.channel_axis
            # The converter adds a bias of 0 where there is none.
            bias = folded.get(step.folded.get("bias", ""), np.zeros(kernel.shape[axis]))
            parts += _stored(kernel, axis, bias, quantization)
        if not step.kernels:
            parts += [_constant(stored[name], quantization) for name in step.folded.values()]
    return len(zlib.compress(b"".join(part.tobytes() for part in parts)))


def _stored(kernel: np.ndarray, axis: int, bias: np.ndarray, quantization: str) -> list[np.ndarray]:
    if quantization in _FLOATS:
        return [part.astype(_FLOATS[quantization]) for part in (kernel, bias)]
    others = tuple(i for i in range(kernel.ndim) if i != axis)
    whole = quantization == "int8_per_tensor"
    largest = np.abs(kernel).max(axis=None if whole else others, keepdims=True)
    scales = np.maximum(largest / _LARGEST, _SMALLEST).astype(np.float32)
    parts = [np.round(kernel / scales).astype(np.int8), scales]
    if quantization == "dynamic":
        return [*parts, bias.astype(np.float32)]
    units = scales.ravel() * np.float32(_INPUT_SCALE)
    return [*parts, units, np.round(bias / units).astype(np.int64).astype(np.int32)]


def _constant(values: np.ndarray, quantization: str) -> np.ndarray:
    """Return a constant that is no kernel, which only whole integer networks quantize."""
    if not quantization.startswith("int8"):
        return values.astype(np.float32)
    span = max(float(np.ptp(values)), _SMALLEST)
    return np.round((values - values.min()) / span * 255 - 128).astype(np.int8)
