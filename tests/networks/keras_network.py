"""Any list of layers in tf_keras: an independent reference for the ones that are plain."""

from functools import lru_cache
from typing import Any

import numpy as np
import tf_keras

from sweep.networks.architecture import Weights
from sweep.networks.layered import LayeredArchitecture
from sweep.networks.layers import (
    Add,
    CoefficientAverage,
    Conv,
    Dense,
    DepthwiseConv,
    GlobalAveragePool,
    Layer,
    SubSpectralNorm,
)

L = tf_keras.layers
NORM = ("gamma", "beta", "mean", "variance")


@lru_cache
def keras_network(architecture: LayeredArchitecture) -> tf_keras.Model:
    """Return the network up to its logits, the same one each time; its weights are anyone's."""
    features = L.Input((*architecture.shape, 1))
    outputs, last = {"features": features}, features
    for step in architecture.steps:
        layer = step.layer
        taken = [outputs[name] if name else last for name in layer.sources]
        last = outputs[layer.name] = _applied(layer, taken)
    return tf_keras.Model(features, last)


def _applied(layer: Layer, taken: list[Any]) -> Any:
    if isinstance(layer, (Conv, DepthwiseConv)):
        maps = _convolved(layer, taken[0])
    elif isinstance(layer, Dense):
        maps = L.Dense(layer.units, name=f"{layer.name}_kernel")(taken[0])
    elif isinstance(layer, SubSpectralNorm):
        maps = _by_bands(layer, taken[0])
    elif isinstance(layer, Add):
        maps = L.Add()(_cut(layer, *taken))
    elif isinstance(layer, CoefficientAverage):
        return L.AveragePooling2D((1, taken[0].shape[2]))(taken[0])
    elif isinstance(layer, GlobalAveragePool):
        return L.GlobalAveragePooling2D()(taken[0])
    return maps if layer.activation == "none" else L.Activation(layer.activation)(maps)


def _cut(layer: Add, first: Any, second: Any) -> list[Any]:
    before, after = abs(layer.longer) // 2, abs(layer.longer) - abs(layer.longer) // 2
    cut = L.Cropping2D(((before, after), 0))
    return [cut(first) if layer.longer > 0 else first, cut(second) if layer.longer < 0 else second]


def _convolved(layer: Conv | DepthwiseConv, maps: Any) -> Any:
    kind = "kernel" if isinstance(layer, Conv) else "depthwise"
    made = {
        "kernel_size": layer.kernel,
        "strides": layer.strides,
        "padding": layer.padding,
        "dilation_rate": layer.dilation,
        "use_bias": layer.bias and not layer.norm,
        "name": f"{layer.name}_{kind}",
    }
    if layer.padding == ("same", "valid"):
        assert layer.strides == layer.dilation == 1
        maps = L.ZeroPadding2D(((layer.kernel[0] - 1) // 2, 0))(maps)
        made["padding"] = "valid"
    every = layer.strides
    if kind == "depthwise" and every == (1, 2):
        # TensorFlow has no such strides on a CPU: every second column of all is taken.
        assert layer.kernel == (1, 3)
        even = maps.shape[2] % 2 == 0
        maps = L.ZeroPadding2D((0, (0 if even else 1, 1)))(maps)
        made |= {"padding": "valid", "strides": 1}
    make = L.DepthwiseConv2D if kind == "depthwise" else lambda **m: L.Conv2D(layer.channels, **m)
    maps = make(**made)(maps)
    if "strides" in made and made["strides"] != every:
        maps = L.AveragePooling2D(1, every, name=f"{layer.name}_taken")(maps)
    return L.BatchNormalization(name=f"{layer.name}_norm")(maps) if layer.norm else maps


def _by_bands(layer: SubSpectralNorm, maps: Any) -> Any:
    """Normalise each band of each channel as a channel of its own."""
    frames, coefficients, channels = maps.shape[1:]
    wide = coefficients // layer.bands
    bands = L.Permute((1, 3, 2, 4))(L.Reshape((frames, layer.bands, wide, channels))(maps))
    norm = L.BatchNormalization(name=f"{layer.name}_norm", fused=False)
    bands = norm(L.Reshape((frames, wide, layer.bands * channels))(bands))
    bands = L.Permute((1, 3, 2, 4))(L.Reshape((frames, wide, layer.bands, channels))(bands))
    return L.Reshape((frames, coefficients, channels))(bands)


def load_weights(
    model: tf_keras.Model, architecture: LayeredArchitecture, weights: Weights
) -> None:
    """Give a Keras network the weights of a plain one."""
    for step in architecture.steps:
        name = step.layer.name
        norm = [weights[f"{name}/{part}"].ravel() for part in NORM if f"{name}/{part}" in weights]
        for kernel in step.kernels:
            biases = [weights[n] for n in step.initial if n.endswith("/bias")]
            model.get_layer(kernel.replace("/", "_")).set_weights([weights[kernel], *biases])
        if f"{name}/gamma" in step.initial:
            model.get_layer(f"{name}_norm").set_weights(norm)


def random_weights(architecture: LayeredArchitecture, seed: int = 0) -> Weights:
    """Draw weights of a network in mid-training: no norm neutral, no bias zero."""
    rng = np.random.default_rng(seed)
    weights = {}
    for name, values in architecture.initial_weights(0).items():
        drawn = rng.normal(0, 0.3, values.shape)
        if name.endswith("/gamma"):
            drawn += 1
        if name.endswith("/variance"):
            drawn = np.exp(drawn)
        weights[name] = drawn.astype(np.float32)
    return weights
