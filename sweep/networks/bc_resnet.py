"""BC-ResNet (Kim et al., "Broadcasted Residual Learning for Efficient Keyword Spotting",
Interspeech 2021): most of a block works on the mean over coefficients, along time alone."""

import math
from collections.abc import Iterator

from sweep.networks.base import Network
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
from sweep.parameters import parameter

_STAGES = ((2, 1.0, 1), (2, 1.5, 2), (4, 2.0, 2), (4, 2.5, 1))
"""Blocks, width and stride along coefficients of each stage."""


class BCResNet(Network):
    """A strided convolution, four stages of broadcast blocks, and a wide kernel at the end.

    The published networks take 40 log-mel bands of 101 frames; a width of 1 is BC-ResNet-1.  Its
    dropout is left out.
    """

    width: float = parameter(1.0, low=0.1, high=4, log=True, meaning="multiplies all channels")
    bands: int = parameter(
        5, low=1, high=16, meaning="groups of coefficients with a norm of their own, if they divide"
    )

    def layers(self, shape: tuple[int, int], labels: int) -> Iterator[Layer]:
        """Yield the layers from features to logits."""
        yield Conv("stem", self._channels(2), 5, strides=(1, 2))
        before, coefficients = "stem", math.ceil(shape[1] / 2)
        for i, (blocks, width, stride) in enumerate(_STAGES):
            coefficients = math.ceil(coefficients / stride)
            for j in range(blocks):
                block, strides = f"block_{i}_{j}", (1, 1 if j else stride)
                if j == 0:
                    yield Conv(f"{block}_transition", self._channels(width), 1)
                yield DepthwiseConv(
                    f"{block}_across", (1, 3), strides=strides, norm=False, activation="none"
                )
                yield SubSpectralNorm(f"{block}_norm", math.gcd(self.bands, coefficients))
                yield CoefficientAverage(f"{block}_average")
                yield DepthwiseConv(
                    f"{block}_along", (3, 1), dilation=(2**i, 1), activation="swish"
                )
                yield Conv(
                    f"{block}_mixed", self._channels(width), 1, norm=False, activation="none"
                )
                yield Add(block, f"{block}_norm", activation="none" if j else "relu")
                if j > 0:
                    yield Add(f"{block}_sum", before, activation="relu")
                before = f"{block}_sum" if j else block
        kernel = (5, min(5, coefficients))
        yield DepthwiseConv(
            "wide", kernel, padding=("same", "valid"), norm=False, activation="none"
        )
        yield Conv("widest", self._channels(4), 1)
        yield GlobalAveragePool("average_pooling")
        yield Dense("dense", labels)

    def _channels(self, width: float) -> int:
        return max(1, int(int(8 * self.width) * width))
