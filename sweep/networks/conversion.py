"""Conversion of a network to a float32 ``.tflite``, once for all networks of one architecture."""

from functools import lru_cache

import numpy as np
import tensorflow as tf

from sweep.networks.architecture import Architecture, Weights
from sweep.networks.keras import KerasArchitecture
from sweep.networks.layered import LayeredArchitecture

_TEMPLATES_KEPT = 64
_TRIALS = 10


def convert(architecture: Architecture, weights: Weights) -> bytes:
    """Return the network as a float32 ``.tflite``, ``[1, frames, coeffs, 1]`` to probabilities.

    The files of an architecture differ in nothing but their weights.  So TensorFlow converts it
    once, with random weights, whose bytes tell where each weight lies in the file; folded weights
    are then written into these places.  Where the converter changes a weight on the way, its bytes
    are not found, and every network is converted by itself, as Keras models are.
    """
    if isinstance(architecture, KerasArchitecture):
        return architecture.convert(weights)
    assert isinstance(architecture, LayeredArchitecture)
    folded = architecture.fold(weights)
    template = _template(architecture)
    if template is None:
        return _convert(architecture, folded)
    content = bytearray(template[0])
    for name, values in architecture.stored(folded).items():
        stored, place = _bytes(values), template[1][name]
        content[place : place + len(stored)] = stored
    return bytes(content)


@lru_cache(_TEMPLATES_KEPT)
def _template(architecture: LayeredArchitecture) -> tuple[bytes, dict[str, int]] | None:
    """Convert a network of random weights; return the file and where each weight lies in it."""
    shapes = {k: v.shape for k, v in architecture.fold(architecture.initial_weights(0)).items()}
    for seed in range(_TRIALS):
        rng = np.random.default_rng(seed)
        marks = {k: rng.standard_normal(shape).astype(np.float32) for k, shape in shapes.items()}
        content = _convert(architecture, marks)
        stored = {name: _bytes(values) for name, values in architecture.stored(marks).items()}
        found = [content.count(mark) for mark in stored.values()]
        if 0 in found:
            return None
        if max(found) == 1:
            return content, {name: content.index(mark) for name, mark in stored.items()}
    return None


def _convert(architecture: LayeredArchitecture, folded: Weights) -> bytes:
    def probabilities(features: tf.Tensor) -> tf.Tensor:
        return tf.nn.softmax(architecture.forward(folded, features, converting=True))

    signature = tf.TensorSpec((1, *architecture.shape, 1), tf.float32, name="features")
    function = tf.function(probabilities, autograph=False).get_concrete_function(signature)
    return tf.lite.TFLiteConverter.from_concrete_functions([function], tf.Module()).convert()


def _bytes(values: np.ndarray) -> bytes:
    return np.ascontiguousarray(values, np.float32).tobytes()
