"""Any Keras model as a network, by a function ``build(shape, labels, **parameters)``.

It is trained by the general path, slower than networks by layers, and its costs are known once it
is converted.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from sweep.flatbuffer import OPERATORS, unpacked
from sweep.networks.architecture import Architecture, Weights
from sweep.networks.base import Network
from sweep.networks.layer import Shape
from sweep.parameters import defaults
from sweep.registry import blaming


class KerasNetwork(Network):
    """What a function builds of some parameters.

    Attributes:
        build: called with the shape of the features, frames and coefficients, the number of labels,
            and the parameters by name; it returns a ``tf_keras.Model`` from features
            ``[clips, frames, coefficients]``, with a last axis of 1 or without, to the probability
            of each label.  Its arguments with defaults are its parameters.
        given: names and values of parameters; the others have their defaults.
    """

    build: Callable[..., Any]
    given: tuple[tuple[str, Any], ...] = ()

    @property
    def owner(self) -> Any:
        """The function."""
        return self.build

    def values(self) -> dict[str, Any]:
        """Return its parameters by name."""
        return defaults(self.build) | dict(self.given)

    def canonical(self) -> "KerasNetwork":
        """Return the network with every parameter named."""
        return KerasNetwork(self.build, tuple(self.values().items()))

    def has_depthwise(self, shape: tuple[int, int]) -> bool:
        """Return False: tfmot leaves depthwise kernels alone, whatever is asked for."""
        return False

    def architecture(self, shape: tuple[int, int], labels: int) -> "KerasArchitecture":
        """Return the network for features of that shape, which is built when it is asked for."""
        return KerasArchitecture(self.canonical(), shape, labels)


class KerasArchitecture(Architecture):
    """A Keras model for features of a shape.

    Weights are named by their place in the model and their own last name, as ``003/kernel``.
    """

    def __init__(self, network: KerasNetwork, shape: tuple[int, int], labels: int) -> None:
        self.network, self.shape, self._labels = network, shape, labels
        self._converted = b"", b""

    @property
    def labels(self) -> int:
        """How many labels it tells apart."""
        return self._labels

    @property
    def key(self) -> str:
        """Its layers as Keras tells them."""
        return f"{self.model.to_json()} {self.shape} {self.labels}"

    @cached_property
    def model(self) -> Any:
        """The model; its weights are anyone's."""
        return self.new_model()

    def new_model(self) -> Any:
        """Build the model anew.

        Raises:
            PluginError: if the function fails, or what it builds is no such model.
        """
        import tf_keras

        with blaming(self.network.build, but=ValueError):
            model = self.network.build(self.shape, self.labels, **self.network.values())
            if not isinstance(model, tf_keras.Model):
                raise TypeError(f"returned {type(model).__name__}, not a tf_keras.Model")
            noise = np.random.default_rng(0).standard_normal((2, *self.shape, 1))
            answers = predict(model, noise.astype(np.float32)).numpy()
            if answers.shape != (2, self.labels):
                raise TypeError(f"gives {answers.shape[1:]}, not one value for each of the labels")
            if answers.min() < 0 or not np.allclose(answers.sum(axis=1), 1, atol=1e-3):
                raise TypeError("gives no probabilities; end it in a softmax")
        return model

    @property
    def names(self) -> list[str]:
        """The names of its weights, in the order of the model."""
        return [f"{i:03}/{v.name.split('/')[-1][:-2]}" for i, v in enumerate(self.model.weights)]

    def kernels(self) -> dict[str, Shape]:
        """Return the shape of every kernel."""
        variables = zip(self.names, self.model.weights, strict=True)
        return {k: tuple(v.shape) for k, v in variables if k.endswith("kernel")}

    def prunable(self, depthwise: bool) -> list[str]:
        """Return the kernels that tfmot prunes; it leaves depthwise ones alone."""
        return [name for name in self.kernels() if not name.endswith("/depthwise_kernel")]

    def parameters(self) -> int:
        """Return how many parameters are stored while training."""
        return int(self.model.count_params())

    def multiply_adds(self) -> int:
        """Return the multiply-adds of one clip, those of kernels only, as the file has them."""
        return self._multiply_adds

    @cached_property
    def _multiply_adds(self) -> int:
        return multiply_adds(self._converted[1] or self.convert(self._named(self.model)))

    def initial_weights(self, seed: int) -> Weights:
        """Return the weights with which Keras begins after that seed."""
        import tf_keras

        tf_keras.utils.set_random_seed(seed)
        return self._named(self.new_model())

    def set_weights(self, model: Any, weights: Mapping[str, np.ndarray]) -> None:
        """Give a model weights by name."""
        model.set_weights([weights[name] for name in self.names])

    def convert(self, weights: Weights) -> bytes:
        """Return the network as a float32 ``.tflite``, ``[1, frames, coeffs, 1]`` to answers.

        It is kept until other weights are asked for, as conversion takes seconds.
        """
        content = b"".join(weights[name].tobytes() for name in self.names)
        if content != self._converted[0]:
            self._converted = content, self._convert(weights)
        return self._converted[1]

    def _convert(self, weights: Weights) -> bytes:
        import tensorflow as tf

        self.set_weights(self.model, weights)
        signature = tf.TensorSpec((1, *self.shape, 1), tf.float32, name="features")
        function = tf.function(lambda features: predict(self.model, features), autograph=False)
        concrete = function.get_concrete_function(signature)
        return tf.lite.TFLiteConverter.from_concrete_functions([concrete], self.model).convert()

    def _named(self, model: Any) -> Weights:
        return dict(zip(self.names, model.get_weights(), strict=True))


def predict(model: Any, features: Any, training: bool = False) -> Any:
    """Return probabilities ``[clips, labels]`` for features ``[clips, frames, coeffs, 1]``."""
    import tensorflow as tf

    rank = len(model.input_shape) if hasattr(model, "input_shape") else len(features.shape)
    if rank == len(features.shape) - 1:
        features = tf.squeeze(features, axis=-1)
    return model(features, training=training)


def multiply_adds(content: bytes) -> int:
    """Return the multiply-adds of a ``.tflite``: outputs times the inputs that each one sums."""
    return sum(_operations(unpacked(content)))


def _operations(model: Any) -> Iterator[int]:
    graph = model.subgraphs[0]
    for operator in graph.operators:
        name = OPERATORS[model.operatorCodes[operator.opcodeIndex].builtinCode]
        shapes = [[int(n) for n in graph.tensors[i].shape] for i in operator.inputs if i >= 0]
        outputs = math.prod(int(n) for n in graph.tensors[operator.outputs[0]].shape)
        if name in ("CONV_2D", "FULLY_CONNECTED"):
            yield outputs * math.prod(shapes[1][1:])
        elif name == "DEPTHWISE_CONV_2D":
            yield outputs * math.prod(shapes[1][1:3])
        elif name == "BATCH_MATMUL":
            yield outputs * shapes[0][-1]
        elif name == "TRANSPOSE_CONV":
            yield math.prod(shapes[2]) * math.prod(shapes[1][:3])
