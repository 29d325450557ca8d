"""The published report's DS-CNN, after Zhang et al., "Hello Edge", 2017."""

from collections.abc import Iterator
from dataclasses import replace

from sweep.networks.base import Network
from sweep.networks.layers import Conv, Dense, DepthwiseConv, GlobalAveragePool, Layer
from sweep.parameters import parameter


class DSCNN(Network):
    """A strided 3x3 convolution, then blocks of a depthwise 3x3 and a pointwise convolution."""

    scope = "ds_cnn"

    filters: int = parameter(
        128, low=1, high=1024, meaning="channels of every convolution at alpha 1"
    )
    alpha: float = parameter(
        0.5, low=0.001, high=16, meaning="width multiplier: channels = int(filters * alpha)"
    )
    blocks: int = parameter(
        2, low=0, high=8, meaning="convolution blocks after the first convolution"
    )

    def canonical(self) -> "DSCNN":
        """Return the network with the same channels at an alpha of 1."""
        return replace(self, filters=self.width, alpha=1.0)

    @property
    def width(self) -> int:
        """Channels of every convolution."""
        return int(self.filters * self.alpha)

    def stem(self, kernel: int | tuple[int, int]) -> Conv:
        """Return the first convolution.

        Raises:
            ValueError: if no channel is left.
        """
        if self.width < 1:
            raise ValueError("int(filters * alpha) is 0; nothing is left")
        return Conv("stem", self.width, kernel, strides=2, padding="valid")

    def layers(self, shape: tuple[int, int], labels: int) -> Iterator[Layer]:
        """Yield the layers from features to logits."""
        yield self.stem(3)
        for i in range(1, self.blocks + 1):
            yield DepthwiseConv(f"block_{i}", 3, norm=False, activation="none")
            yield Conv(f"block_{i}", self.width, 1)
        yield GlobalAveragePool("average_pooling")
        yield Dense("dense", labels)
