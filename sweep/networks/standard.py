"""The report's network with whole 3x3 convolutions, to see what separable ones save."""

from collections.abc import Iterator

from sweep.networks.ds_cnn import DSCNN
from sweep.networks.layers import Conv, Dense, GlobalAveragePool, Layer


class Standard(DSCNN):
    """A strided 3x3 convolution, then blocks of one 3x3 convolution."""

    def canonical(self) -> DSCNN:
        """Return the same network; without blocks that of separable ones."""
        same = super().canonical()
        return same if self.blocks else DSCNN(**same.values())

    def layers(self, shape: tuple[int, int], labels: int) -> Iterator[Layer]:
        """Yield the layers from features to logits."""
        yield self.stem(3)
        for i in range(1, self.blocks + 1):
            yield Conv(f"block_{i}", self.width, 3)
        yield GlobalAveragePool("average_pooling")
        yield Dense("dense", labels)
