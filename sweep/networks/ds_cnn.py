"""The published report's DS-CNN, after Zhang et al., "Hello Edge", 2017."""

from collections.abc import Iterator

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

    @property
    def width(self) -> int:
        """Channels of every convolution."""
        return int(self.filters * self.alpha)

    def layers(self, shape: tuple[int, int], labels: int) -> Iterator[Layer]:
        """Yield the layers from features to logits."""
        yield Conv("stem", self.width, 3, strides=2, padding="valid")
        for i in range(1, self.blocks + 1):
            yield DepthwiseConv(f"block_{i}", 3, norm=False, activation="none")
            yield Conv(f"block_{i}", self.width, 1)
        yield GlobalAveragePool("average_pooling")
        yield Dense("dense", labels)
