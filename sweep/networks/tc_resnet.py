"""TC-ResNet8 (Choi et al., "Temporal Convolution for Real-time Keyword Spotting on Mobile Devices",
Interspeech 2019): residual blocks of convolutions along time, coefficients as channels."""

from collections.abc import Iterator

from sweep.networks.base import Network
from sweep.networks.layers import Add, Conv, Dense, GlobalAveragePool, Layer
from sweep.parameters import parameter


class TCResNet(Network):
    """A first convolution over 3 frames, then three blocks of two convolutions over more.

    The published network has a width of 1, kernels of 9 frames, takes 40 coefficients of 98 frames
    and drops half of what was pooled in training, which this one does not.
    """

    width: float = parameter(1.0, low=0.1, high=4, log=True, meaning="multiplies all channels")
    kernel_frames: int = parameter(9, low=2, high=31, meaning="frames of the kernels of the blocks")

    def layers(self, shape: tuple[int, int], labels: int) -> Iterator[Layer]:
        """Yield the layers from features to logits."""
        first, *others = (max(1, int(self.width * n)) for n in (16, 24, 32, 48))
        # A kernel as wide as there are coefficients takes each of them for a channel.
        yield Conv("stem", first, (3, shape[1]), padding=("same", "valid"))
        before, kernel = "stem", (self.kernel_frames, 1)
        for i, channels in enumerate(others, start=1):
            block = f"block_{i}"
            yield Conv(f"{block}_shortcut", channels, 1, strides=(2, 1))
            yield Conv(f"{block}_first", channels, kernel, strides=(2, 1), of=before)
            yield Conv(f"{block}_second", channels, kernel, activation="none")
            yield Add(block, f"{block}_shortcut", activation="relu")
            before = block
        yield GlobalAveragePool("average_pooling")
        yield Dense("dense", labels)
