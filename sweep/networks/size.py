"""The zipped size of a network before it is converted: its weights deflated, plus the container.

The weights are rounded and laid out as each variant stores them, then compressed as the zip would.
What the file holds besides, operators and tables and names, hardly depends on the weights; its
zipped size was measured, and is here so many bytes for each operator and channel.
``benchmarks/size.py`` measures it again, and how far the whole is off.
"""

import zlib

import numpy as np

from sweep.networks.architecture import Architecture, Weights
from sweep.networks.layered import LayeredArchitecture

ERROR = 0.05
"""Estimates are within this share of the size of the converted file; the worst was 0.03 off."""

CONTAINER_BYTES = {
    ("float32", False): (744, 134, 73, 46, 0.35),
    ("float32", True): (395, 88, 58, 37, 0.29),
    ("float16", False): (725, 166, 74, 38, 1.78),
    ("float16", True): (377, 111, 61, 28, 1.64),
    ("dynamic", False): (742, 134, 71, 41, 0.52),
    ("dynamic", True): (399, 85, 57, 31, 0.41),
    ("int8", False): (752, 147, 112, 49, 0.70),
    ("int8", True): (401, 100, 89, 41, 0.58),
    ("int8_per_tensor", False): (746, 134, 95, 49, 0.63),
    ("int8_per_tensor", True): (384, 88, 76, 40, 0.48),
}
"""By variant, and whether names are stripped: bytes of any file, of a convolution or product,
of a depthwise convolution, of another operator, and of a channel that a kernel gives."""

_KERNELS = ("CONV_2D", "FULLY_CONNECTED", "DEPTHWISE_CONV_2D")
_OTHERS = ("ADD", "MUL", "MEAN", "LOGISTIC", "PAD", "SOFTMAX")

_FLOATS = {"float32": np.float32, "float16": np.float16}
_LARGEST = 127
_SMALLEST = 1e-8
_INPUT_SCALE = 0.04
"""About what activations are quantized by; it fixes how many bytes of a bias are taken."""


def estimate_kb(
    architecture: Architecture, weights: Weights, quantization: str, without_names: bool
) -> float | None:
    """Return the zipped size of a variant of a network in KB, without converting anything.

    It is None for a network whose operators were not measured.
    """
    if not isinstance(architecture, LayeredArchitecture):
        return None
    if not set(architecture.operators()) <= {*_KERNELS, *_OTHERS}:
        return None
    container = np.dot(CONTAINER_BYTES[quantization, without_names], counts(architecture))
    return float(weights_bytes(architecture, weights, quantization) + container) / 1024


def counts(architecture: LayeredArchitecture) -> tuple[int, ...]:
    """Return what the bytes of a container are counted by: files, operators by kind, channels."""
    operators = architecture.operators()
    depthwise = operators.count("DEPTHWISE_CONV_2D")
    whole = operators.count("CONV_2D") + operators.count("FULLY_CONNECTED")
    channels = sum(step.output[-1] for step in architecture.steps if step.kernels)
    return 1, whole, depthwise, len(operators) - whole - depthwise, channels


def weights_bytes(architecture: LayeredArchitecture, weights: Weights, quantization: str) -> int:
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
