"""A network from outside, by its layers: residual blocks along time, as deep as is searched.

parameters: {network: tc_resnet:DeepTCResNet, channels: [8, 12], depth: {low: 1, high: 3}}
"""

import sweep
from sweep.networks.layers import Add, Conv, Dense, GlobalAveragePool


class DeepTCResNet(sweep.Network):
    """After Choi et al., "Temporal Convolution for Real-time Keyword Spotting", 2019."""

    channels: int = sweep.parameter(12, low=2, high=64, meaning="channels of the first block")
    depth: int = sweep.parameter(3, low=1, high=6, meaning="residual blocks, each wider by half")

    def layers(self, shape, labels):
        """Yield the layers from features to logits."""
        # A kernel as wide as there are coefficients takes each of them for a channel.
        yield Conv("stem", self.channels, (3, shape[1]), padding=("same", "valid"))
        before = "stem"
        for i in range(self.depth):
            wide = int(self.channels * 1.5**i)
            yield Conv(f"shortcut_{i}", wide, 1, strides=(2, 1))
            yield Conv(f"first_{i}", wide, (9, 1), strides=(2, 1), of=before)
            yield Conv(f"second_{i}", wide, (9, 1), activation="none")
            yield Add(f"block_{i}", f"shortcut_{i}", activation="relu")
            before = f"block_{i}"
        yield GlobalAveragePool("average_pooling")
        yield Dense("dense", labels)
