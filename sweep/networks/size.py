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
    ("float32", "full"): (744, 134, 73, 46, 0.35),
    ("float32", "stripped"): (395, 88, 58, 37, 0.29),
    ("float32", "compact"): (392, 87, 49, 38, 0.48),
    ("float16", "full"): (725, 166, 74, 38, 1.78),
    ("float16", "stripped"): (377, 111, 61, 28, 1.64),
    ("float16", "compact"): (374, 107, 66, 27, 2.02),
    ("dynamic", "full"): (742, 134, 71, 41, 0.52),
    ("dynamic", "stripped"): (399, 85, 57, 31, 0.41),
    ("dynamic", "compact"): (416, 85, 49, 33, 0.40),
    ("int8", "full"): (752, 147, 112, 49, 0.70),
    ("int8", "stripped"): (401, 100, 89, 41, 0.58),
    ("int8", "compact"): (426, 98, 81, 46, 0.41),
    ("int8_per_tensor", "full"): (746, 134, 95, 49, 0.63),
    ("int8_per_tensor", "stripped"): (384, 88, 76, 40, 0.48),
    ("int8_per_tensor", "compact"): (377, 93, 74, 45, 0.48),
}
"""By variant and container: bytes of any file, of a convolution or product,
of a depthwise convolution, of another operator, and of a channel that a kernel gives."""

_KERNELS = ("CONV_2D", "FULLY_CONNECTED", "DEPTHWISE_CONV_2D")
_OTHERS = ("ADD", "MUL", "MEAN", "LOGISTIC", "PAD", "SOFTMAX")

_FLOATS = {"float32": np.float32, "float16": np.float16}
_LARGEST = 127
_SMALLEST = 1e-8
_INPUT_SCALE = 0.04
"""About what activations are quantized by; it fixes how many bytes of a bias are taken."""


def estimate_kb(
    architecture: Architecture, weights: Weights, quantization: str, container: str
) -> float | None:
    """Return the zipped size of a variant of a network in KB, without converting anything.

    It is None for a network whose operators were not measured.
    """
    if not isinstance(architecture, LayeredArchitecture):
        return None
    if not set(architecture.operators()) <= {*_KERNELS, *_OTHERS}:
        return None
    besides = np.dot(CONTAINER_BYTES[quantization, container], counts(architecture))
    return float(weights_bytes(architecture, weights, quantization) + besides) / 1024


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
    parts: list[np.ndarray] = [np.round(kernel / scales).astype(np.int8), scales]
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
