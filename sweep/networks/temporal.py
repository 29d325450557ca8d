"""Convolution along time alone, after Choi et al., "Temporal Convolution for Real-time Keyword
Spotting on Mobile Devices", 2019: a tenth of the multiply-adds of DS-CNN at equal channels."""

from collections.abc import Iterator

from sweep.networks.ds_cnn import DSCNN
from sweep.networks.layers import Conv, Dense, DepthwiseConv, GlobalAveragePool, Layer
from sweep.parameters import parameter


class Temporal(DSCNN):
    """A first convolution that takes in all coefficients, then depthwise kernels along time."""

    kernel_frames: int = parameter(9, low=2, high=31, meaning="frames of the kernels of the blocks")

    def layers(self, shape: tuple[int, int], labels: int) -> Iterator[Layer]:
        """Yield the layers from features to logits."""
        yield self.stem((3, shape[1]))
        for i in range(1, self.blocks + 1):
            yield DepthwiseConv(
                f"block_{i}", (self.kernel_frames, 1), norm=False, activation="none"
            )
            yield Conv(f"block_{i}", self.width, 1)
        yield GlobalAveragePool("average_pooling")
        yield Dense("dense", labels)
