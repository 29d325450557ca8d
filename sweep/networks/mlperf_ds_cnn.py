"""The DS-CNN of MLPerf Tiny (Banbury et al., "MLPerf Tiny Benchmark", 2021), the small network of
Zhang et al., "Hello Edge", 2017, with a norm after each depthwise convolution too."""

from collections.abc import Iterator

from sweep.networks.base import Network
from sweep.networks.layers import Conv, Dense, DepthwiseConv, GlobalAveragePool, Layer
from sweep.parameters import parameter


class MLPerfDSCNN(Network):
    """A convolution over 10 frames and 4 coefficients, then four separable blocks.

    The published network has a width of 1 and takes 10 coefficients of 49 frames.  Its dropout is
    left out.
    """

    width: float = parameter(1.0, low=0.1, high=4, log=True, meaning="multiplies all channels")

    def layers(self, shape: tuple[int, int], labels: int) -> Iterator[Layer]:
        """Yield the layers from features to logits."""
        channels = max(1, int(64 * self.width))
        yield Conv("stem", channels, (10, 4), strides=2)
        for i in range(1, 5):
            yield DepthwiseConv(f"block_{i}_depthwise", 3)
            yield Conv(f"block_{i}_pointwise", channels, 1)
        yield GlobalAveragePool("average_pooling")
        yield Dense("dense", labels)
