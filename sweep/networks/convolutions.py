"""Convolutions, with what follows them: a norm or a bias, and an activation."""

import math
from abc import abstractmethod
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from sweep.networks.layer import (
    Layer,
    Parts,
    Run,
    Shape,
    TooSmall,
    activated,
    activation_operators,
    filled,
    initial_norm,
    normalised,
    scale_and_shift,
)


@dataclass(frozen=True)
class _Filter(Layer):
    """What convolutions have in common.

    Attributes:
        strides, dilation: along frames and coefficients, or one number for both.
        padding: ``same`` or ``valid``, along frames and coefficients or for both.
        norm: whether batch normalisation follows; it is folded into kernel and bias.
        bias: whether a bias is added where no norm follows.
        activation: ``relu``, ``swish`` or ``none``.
    """

    strides: int | tuple[int, int] = field(default=1, kw_only=True)
    padding: str | tuple[str, str] = field(default="same", kw_only=True)
    dilation: int | tuple[int, int] = field(default=1, kw_only=True)
    norm: bool = field(default=True, kw_only=True)
    bias: bool = field(default=False, kw_only=True)
    activation: str = field(default="relu", kw_only=True)

    _operator: ClassVar[str]

    @property
    def operators(self) -> tuple[str, ...]:
        """The convolution, with a padding of its own where TensorFlow has none of its kind."""
        along, across = _pair(self.padding)
        padding = () if along == across else ("PAD",)
        return (*padding, self._operator, *activation_operators(self.activation))

    @abstractmethod
    def _channels(self, shape: Shape) -> int: ...

    def _window(self) -> tuple[int, int]:
        """Return the frames and coefficients from one end of the kernel to the other."""
        kernel: Any = self.kernel  # type: ignore[attr-defined]  # a positional field of each filter
        (height, width), (along, across) = _pair(kernel), _pair(self.dilation)
        return along * (height - 1) + 1, across * (width - 1) + 1

    def output(self, *shapes: Shape) -> Shape:
        """Return the places the kernel takes, and the channels."""
        places = []
        axes = zip(("frames", "coefficients"), shapes[0], self._window())
        ways = zip(_pair(self.strides), _pair(self.padding))
        for (axis, size, window), (stride, padding) in zip(axes, ways):
            needed = window if padding == "valid" else 1
            if size < needed:
                raise TooSmall(self.name, axis, needed, size)
            places.append(math.ceil((size if padding == "same" else size - window + 1) / stride))
        return (*places, self._channels(shapes[0]))

    @property
    def time_stride(self) -> int:
        """The stride along frames."""
        return int(_pair(self.strides)[0])

    def streaming(self, *shapes: Shape) -> "_Filter":
        """Return it with frames unpadded; a kernel of one frame pads none."""
        (along, across), (_, padding) = self._window(), _pair(self.padding)
        if along == 1:
            return self
        unpadded = across == 1 or padding == "valid"
        return replace(self, padding="valid" if unpadded else ("valid", padding))

    def initial(self, shape: Shape) -> dict[str, np.ndarray]:
        """Return a neutral norm, or a bias of 0."""
        return initial_norm((self._channels(shape),)) if self.norm else self._initial_bias(shape)

    def _initial_bias(self, shape: Shape) -> dict[str, np.ndarray]:
        return {"bias": np.zeros(self._channels(shape), np.float32)} if self.bias else {}

    def _scaled(self, kernel: Any, scale: Any) -> Any:
        return kernel * scale

    def fold(self, weights: Parts, shape: Shape) -> dict[str, Any]:
        """Return kernel and bias."""
        if not self.norm:
            return dict(weights)
        scale, shift = scale_and_shift(weights)
        (part,) = self.kernels(shape)
        return {part: self._scaled(weights[part], scale), "bias": shift}

    def forward(self, inputs: list[Any], weights: Parts, run: Run) -> Any:
        """Convolve, then normalise or add the bias, then activate."""
        import tensorflow as tf

        (maps,) = inputs
        maps = self._convolved(maps, weights, run)
        if self.norm and run.training:
            maps = normalised(maps, weights, run)
        elif self.norm or self.bias:
            name = "batch_normalization" if self.norm else "bias"
            maps = tf.nn.bias_add(maps, weights["bias"], name=name)
        return activated(maps, self.activation)

    @abstractmethod
    def _convolved(self, maps: Any, weights: Parts, run: Run) -> Any: ...

    def _padded(self, maps: Any) -> tuple[Any, str]:
        """Return maps, and TensorFlow's name of the padding that is left to do."""
        along, across = _pair(self.padding)
        if along == across:
            return maps, along.upper()
        return self._padded_explicitly(maps), "VALID"

    def _padded_explicitly(self, maps: Any) -> Any:
        """Return maps with the zeros that TensorFlow's ``SAME`` would see around them."""
        import tensorflow as tf

        margins = [(0, 0)]
        paddings = _pair(self.padding)
        given = zip(maps.shape[1:3], self._window(), _pair(self.strides), paddings)
        for size, window, stride, padding in given:
            missing = max(0, (math.ceil(size / stride) - 1) * stride + window - size)
            margins.append((missing // 2, missing - missing // 2) if padding == "same" else (0, 0))
        return tf.pad(maps, [*margins, (0, 0)], name="padding")


@dataclass(frozen=True)
class Conv(_Filter):
    """A convolution over all channels; with a kernel of 1 a pointwise one.

    Attributes:
        channels: of its output.
        kernel: frames and coefficients of its kernel, or one number for both.
    """

    channels: int
    kernel: int | tuple[int, int]

    _operator = "CONV_2D"

    def _channels(self, shape: Shape) -> int:
        return self.channels

    def kernels(self, shape: Shape) -> dict[str, Shape]:
        """Return one kernel ``[frames, coefficients, inputs, outputs]``."""
        return {"kernel": (*_pair(self.kernel), shape[-1], self.channels)}

    def widened(self, lanes: int) -> "Conv":
        """Return it with more channels."""
        return replace(self, channels=filled(self.channels, lanes))

    def _convolved(self, maps: Any, weights: Parts, run: Run) -> Any:
        import tensorflow as tf

        kernel, pointwise = weights["kernel"], _pair(self.kernel) == (1, 1)
        name = "pointwise_convolution" if pointwise else "convolution"
        if run.training and pointwise and _pair(self.strides) == (1, 1):
            # A matrix product, which trains in half the time here.
            rows = tf.matmul(tf.reshape(maps, (-1, kernel.shape[2])), kernel[0, 0], name=name)
            return tf.reshape(rows, (-1, *maps.shape[1:3], kernel.shape[3]))
        maps, padding = self._padded(maps)
        strides, dilation = _pair(self.strides), _pair(self.dilation)
        return tf.nn.conv2d(maps, kernel, strides, padding, dilations=dilation, name=name)

    def stored(self, part: str, values: np.ndarray) -> np.ndarray:
        """Return outputs first."""
        return np.moveaxis(values, -1, 0)


@dataclass(frozen=True)
class DepthwiseConv(_Filter):
    """A convolution of each channel by itself.

    Attributes:
        kernel: frames and coefficients of its kernel, or one number for both.
    """

    kernel: int | tuple[int, int]

    prunable = False
    _operator = "DEPTHWISE_CONV_2D"

    def _channels(self, shape: Shape) -> int:
        return shape[-1]

    def kernels(self, shape: Shape) -> dict[str, Shape]:
        """Return one kernel ``[frames, coefficients, channels, 1]``."""
        return {"depthwise": (*_pair(self.kernel), shape[-1], 1)}

    def _scaled(self, kernel: Any, scale: Any) -> Any:
        return kernel * scale[:, None]

    def _convolved(self, maps: Any, weights: Parts, run: Run) -> Any:
        import tensorflow as tf

        strides, dilation = _pair(self.strides), _pair(self.dilation)
        kernel, name = weights["depthwise"], "depthwise_convolution"
        plain = dilation == (1, 1) and strides[0] == strides[1]
        if plain:
            maps, padding = self._padded(maps)
            return tf.nn.depthwise_conv2d(maps, kernel, (1, *strides, 1), padding, name=name)
        if run.converting:
            # An operator of the file, which TensorFlow on a CPU can only describe.
            maps, padding = self._padded(maps)
            return tf.raw_ops.DepthwiseConv2dNative(
                input=maps,
                filter=kernel,
                strides=[1, *strides, 1],
                dilations=[1, *dilation, 1],
                padding=padding,
                name=name,
            )
        maps = self._padded_explicitly(maps)
        dense = tf.nn.depthwise_conv2d(maps, kernel, (1, 1, 1, 1), "VALID", dilations=dilation)
        return dense[:, :: strides[0], :: strides[1]]

    @property
    def channel_axis(self) -> int:
        """The axis of the channels, which is not the first."""
        return 2


def _pair(value: Any) -> tuple[Any, Any]:
    """Return a value for frames and one for coefficients."""
    return value if isinstance(value, tuple) else (value, value)
