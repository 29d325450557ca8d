"""An architecture by its layers: all that follows from them."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from sweep.networks.architecture import Architecture, Weights
from sweep.networks.layer import Layer, Run, Shape

FEATURES = "features"
"""What a layer takes that takes no other layer's output."""


@dataclass(frozen=True)
class Step:
    """A layer in its place.

    Attributes:
        layer: the layer.
        inputs: which outputs it takes: 0 is the features, ``i`` the output of step ``i - 1``.
        shapes: of these outputs.
        output: shape of its own.
    """

    layer: Layer
    inputs: tuple[int, ...]
    shapes: tuple[Shape, ...]
    output: Shape

    @cached_property
    def kernels(self) -> dict[str, Shape]:
        """The shapes of its kernels, by ``layer/part``."""
        return self.named(self.layer.kernels(self.shapes[0]))

    @cached_property
    def initial(self) -> Weights:
        """Its other weights as they begin, by ``layer/part``."""
        return self.named(self.layer.initial(self.shapes[0]))

    @cached_property
    def folded(self) -> dict[str, str]:
        """The full names of its weights in the deployed network, by part."""
        kernels = self.layer.kernels(self.shapes[0])
        begun = {part: np.zeros(shape, np.float32) for part, shape in kernels.items()}
        parts = self.layer.fold(begun | self.layer.initial(self.shapes[0]), self.shapes[0])
        return {part: f"{self.layer.name}/{part}" for part in parts}

    def named(self, parts: Mapping[str, Any]) -> dict[str, Any]:
        """Return parts under their full names."""
        return {f"{self.layer.name}/{part}": values for part, values in parts.items()}

    def parts(self, weights: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is there of the layer's own weights, by part."""
        names = [*self.kernels, *self.initial]
        return {name.rpartition("/")[2]: weights[name] for name in names if name in weights}


@dataclass(frozen=True)
class LayeredArchitecture(Architecture):
    """An architecture by its layers.

    Attributes:
        layers: from features to logits.
        shape: frames and coefficients of the features it takes.
        scope: begins the names of its tensors.
        streaming: whether no layer pads frames, so that a stream is computed frame by frame: what
            a window has in common with the one before is kept, in every bit.

    Raises:
        ValueError: if the layers do not fit together.
    """

    layers: tuple[Layer, ...]
    shape: tuple[int, int]
    scope: str = "network"
    streaming: bool = False

    def __post_init__(self) -> None:
        names = [name for step in self.steps for name in step.folded.values()]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"two layers have a weight {twice}; give them different names")

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The layers with the shapes of their inputs and outputs."""
        steps: list[Step] = []
        places: dict[str, int] = {FEATURES: 0}
        shapes: list[Shape] = [(*self.shape, 1)]
        for layer in self.layers:
            unknown = next((name for name in layer.sources if name and name not in places), None)
            if unknown is not None:
                raise ValueError(f"{layer.name}: takes {unknown}, which is no layer before it")
            inputs = tuple(places[name] if name else len(steps) for name in layer.sources)
            taken = tuple(shapes[i] for i in inputs)
            layer = layer.streaming(*taken) if self.streaming else layer
            steps.append(Step(layer, inputs, taken, layer.output(*taken)))
            shapes.append(steps[-1].output)
            places[layer.name] = len(steps)
        return tuple(steps)

    @property
    def labels(self) -> int:
        """How many labels it tells apart."""
        return self.steps[-1].output[-1]

    @property
    def step_frames(self) -> int:
        """Frames after which it can be computed again: those of its strides if it streams."""
        strides = [1]
        for step in self.steps:
            strides.append(strides[step.inputs[0]] * step.layer.time_stride)
        return max(strides) if self.streaming else 1

    @property
    def key(self) -> str:
        """Its layers in words."""
        return repr(self)

    def kernels(self) -> dict[str, Shape]:
        """Return the shape of every kernel, in TensorFlow's layout."""
        return {name: shape for step in self.steps for name, shape in step.kernels.items()}

    def prunable(self, depthwise: bool) -> list[str]:
        """Return the kernels that pruning reaches; tfmot by itself leaves depthwise ones alone."""
        pruned = (step for step in self.steps if depthwise or step.layer.prunable)
        return [name for step in pruned for name in step.kernels]

    def parameters(self) -> int:
        """Return how many parameters are stored while training, four a channel for each norm."""
        return sum(math.prod(shape) for shape in self.kernels().values()) + sum(
            values.size for step in self.steps for values in step.initial.values()
        )

    def multiply_adds(self) -> int:
        """Return the multiply-adds of one clip, those of kernels only."""
        return sum(
            math.prod(step.output[:-1]) * math.prod(kernel)
            for step in self.steps
            for kernel in step.kernels.values()
        )

    def operators(self) -> list[str]:
        """Return the operators of its ``.tflite``, in order, by their names in the schema."""
        return [*(name for step in self.steps for name in step.layer.operators), "SOFTMAX"]

    def widened(self, lanes: int) -> "LayeredArchitecture":
        """Return the next architecture whose channels, but for the labels, ``lanes`` divides."""
        last = max(i for i, step in enumerate(self.steps) if step.kernels)
        wider = [x if i == last else x.widened(lanes) for i, x in enumerate(self.layers)]
        return replace(self, layers=tuple(wider))

    def initial_weights(self, seed: int) -> Weights:
        """Draw kernels by Glorot's uniform rule; norms start neutral, biases at 0."""
        rng = np.random.default_rng(seed)
        weights: Weights = {}
        for name, shape in self.kernels().items():
            field = math.prod(shape[:-2])
            bound = math.sqrt(6 / (field * (shape[-2] + shape[-1])))
            weights[name] = rng.uniform(-bound, bound, shape).astype(np.float32)
        for step in self.steps:
            weights |= step.initial
        return weights

    def fold(self, weights: Mapping[str, Any]) -> dict[str, Any]:
        """Return the weights of the deployed network: norms folded into kernels and biases.

        Works on arrays and on tensors alike.
        """
        folded: dict[str, Any] = {}
        for step in self.steps:
            folded |= step.named(step.layer.fold(step.parts(weights), step.shapes[0]))
        return folded

    def stored(self, folded: Weights) -> Weights:
        """Return folded weights in the order in which a ``.tflite`` holds them."""
        return {
            name: step.layer.stored(part, folded[name])
            for step in self.steps
            for part, name in step.folded.items()
        }

    def forward(self, folded: Mapping[str, Any], features: Any, converting: bool = False) -> Any:
        """Return logits ``[clips, labels]`` for features ``[clips, frames, coefficients, 1]``.

        Args:
            folded: what ``fold`` gave.
            features: the features of clips.
            converting: whether this is to become a ``.tflite``.
        """
        return self._forward(folded, features, lambda: Run(converting=converting))[0]

    def forward_training(
        self, weights: Mapping[str, Any], features: Any
    ) -> tuple[Any, dict[str, Any]]:
        """Return the logits with norms taken over the batch, and the averages they saw."""
        return self._forward(weights, features, lambda: Run(training=True))

    def _forward(
        self, weights: Mapping[str, Any], features: Any, begin: Callable[[], Run]
    ) -> tuple[Any, dict[str, Any]]:
        import tensorflow as tf

        outputs: list[Any] = [features]
        seen: dict[str, Any] = {}
        for step in self.steps:
            prefix = f"{step.layer.name}/"
            parts = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
            inputs, run = [outputs[i] for i in step.inputs], begin()
            with tf.name_scope(f"{self.scope}/{prefix}"):
                outputs.append(step.layer.forward(inputs, parts, run))
            seen |= step.named(run.seen)
        return outputs[-1], seen
