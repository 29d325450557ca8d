"""The report's network with whole 3x3 convolutions, to see what separable ones save."""

from collections.abc import Iterator

from sweep.networks.ds_cnn import DSCNN
from sweep.networks.layers import Conv, Dense, GlobalAveragePool, Layer


class Standard(DSCNN):
    """A strided 3x3 convolution, then blocks of one 3x3 convolution."""

    def layers(self, shape: tuple[int, int], labels: int) -> Iterator[Layer]:
        """Yield the layers from features to logits."""
        yield Conv("stem", self.width, 3, strides=2, padding="valid")
        for i in range(1, self.blocks + 1):
            yield Conv(f"block_{i}", self.width, 3)
        yield GlobalAveragePool("average_pooling")
        yield Dense("dense", labels)
