"""What is asked of a trial: one full set of parameters."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from sweep.parameters import defaults, given

QUANTIZATIONS = ("float32", "float16", "dynamic", "int8", "int8_per_tensor")


@dataclass(frozen=True)
class FrontendParams:
    """From waveform to features; the defaults are the published winner's.

    ``clip_length_in_s`` is the data set's.
    """

    features: str = "mfcc"
    downsampling_rate: int = 16000
    frame_length_in_s: float = 0.032
    frame_step_in_s: float = 0.032
    num_mel_bins: int = 10
    lower_frequency: float = 20.0
    upper_frequency: float = 8000.0
    num_coefficients: int = 10
    nonlinearity: str = "log"
    normalization: str = "none"
    clip_length_in_s: float = given(1.0)

    @property
    def frame_length(self) -> int:
        """Samples in a frame."""
        return round(self.downsampling_rate * self.frame_length_in_s)

    @property
    def frame_step(self) -> int:
        """Samples from the start of one frame to the start of the next."""
        return round(self.downsampling_rate * self.frame_step_in_s)

    @property
    def fft_length(self) -> int:
        """The smallest power of two that holds a frame."""
        return 1 << max(0, self.frame_length - 1).bit_length()

    @property
    def num_samples(self) -> int:
        """Samples in a clip."""
        return round(self.downsampling_rate * self.clip_length_in_s)

    @property
    def shape(self) -> tuple[int, int]:
        """Frames and coefficients of one clip's features."""
        frames = 1 + (self.num_samples - self.frame_length) // self.frame_step
        return frames, self.num_coefficients if self.features == "mfcc" else self.num_mel_bins


@dataclass(frozen=True)
class AugmentationParams:
    """How training clips are varied; nothing by default.

    Attributes:
        time_shift_ms: each copy is shifted by up to this much, either way.
        noise_snr_db: the lowest signal-to-noise ratio of the noise mixed in; None adds none.
        gain_db: each copy is made louder or softer by up to this much.
    """

    time_shift_ms: float = 0.0
    noise_snr_db: float | None = None
    gain_db: float = 0.0

    @property
    def is_identity(self) -> bool:
        """Whether clips stay as they are."""
        return self == AugmentationParams()


@dataclass(frozen=True)
class NetworkParams:
    """The report's network, or another ``convolution``; ``filters * alpha`` channels wide."""

    convolution: str = "depthwise_separable"
    filters: int = 128
    alpha: float = 0.5
    blocks: int = 2

    @property
    def width(self) -> int:
        """Channels of every convolution."""
        return int(self.filters * self.alpha)


@dataclass(frozen=True)
class TrainingParams:
    """How a network is trained: Adam over ``epochs`` with a falling learning rate."""

    batch_size: int = 20
    initial_learning_rate: float = 0.01
    end_learning_rate: float = 1e-5
    learning_rate_decay: str = "linear"
    epochs: int = 10
    label_smoothing: float = 0.0
    mixup: float = 0.0


@dataclass(frozen=True)
class CompressionParams:
    """How a network is pruned and in which variants it is delivered."""

    final_sparsity: float = 0.7
    prune_depthwise: bool = False
    strip_names: bool = False
    quantization: tuple[str, ...] = ("float32",)


@dataclass(frozen=True)
class Candidate:
    """One full set of parameters, and the seed of the search."""

    frontend: FrontendParams = FrontendParams()
    augmentation: AugmentationParams = AugmentationParams()
    network: NetworkParams = NetworkParams()
    training: TrainingParams = TrainingParams()
    compression: CompressionParams = CompressionParams()
    seed: int = 0

    @classmethod
    def from_parameters(
        cls, parameters: Mapping[str, Any], seed: int = 0, clip_length_in_s: float = 1.0
    ) -> "Candidate":
        """Build a candidate from flat ``{name: value}``; what is not named takes its default.

        Raises:
            KeyError: if a name is no parameter.
        """
        groups: defaultdict[str, dict[str, Any]] = defaultdict(dict)
        groups["frontend"]["clip_length_in_s"] = float(clip_length_in_s)
        for name, value in parameters.items():
            number = _NUMBERS.get(name)
            # 20 Hz and 20.0 Hz are one value.
            typed = value if number is None or value is None else number(value)
            groups[_GROUP_OF[name]][name] = typed
        return cls(**{group: GROUPS[group](**named) for group, named in groups.items()}, seed=seed)

    def parameters(self) -> dict[str, Any]:
        """Return every parameter, flat, in the order of the stages."""
        return {name: getattr(getattr(self, group), name) for name, group in _GROUP_OF.items()}

    @property
    def training_seed(self) -> int:
        """Where its training starts from: no two candidates share it.

        With one seed for all, neighbours would be lucky together, and a search would take the luck
        of a seed for the merit of a region.
        """
        return int(self.key()[:8], 16)

    def key(self) -> str:
        """Return a digest that two candidates share only when they train the same network.

        Different ``filters`` and ``alpha`` of equal width are the same network, and log-mel
        features have no ``num_coefficients``; without blocks only temporal convolutions differ,
        and without pruning, or depthwise kernels, nothing is pruned depthwise.
        """
        frontend, network, compression = self.frontend, self.network, self.compression
        if frontend.features == "log_mel":
            frontend = replace(frontend, num_coefficients=frontend.num_mel_bins)
        network = replace(network, filters=network.width, alpha=1.0)
        if network.blocks == 0 and network.convolution != "temporal":
            network = replace(network, convolution=NetworkParams.convolution)
        no_depthwise = network.blocks == 0 or network.convolution == "standard"
        if compression.final_sparsity == 0 or no_depthwise:
            compression = replace(compression, prune_depthwise=False)
        same = replace(self, frontend=frontend, network=network, compression=compression)
        told = asdict(same)
        # Younger than the rest: the seeds of older studies stay what they were.
        for name in ("nonlinearity", "clip_length_in_s"):
            if getattr(frontend, name) == getattr(FrontendParams, name):
                del told["frontend"][name]
        return digest(told)


GROUPS: dict[str, type] = {
    "frontend": FrontendParams,
    "augmentation": AugmentationParams,
    "network": NetworkParams,
    "training": TrainingParams,
    "compression": CompressionParams,
}
_GROUP_OF = {name: group for group, kind in GROUPS.items() for name in defaults(kind)}
_NUMBERS: dict[str, type] = {
    f.name: int if f.type is int else float
    for kind in GROUPS.values()
    for f in fields(kind)
    if f.type in (int, float, float | None)
}
PARAMETERS: dict[str, Any] = {k: v for kind in GROUPS.values() for k, v in defaults(kind).items()}
"""Every parameter with the value it takes when a search space does not name it."""


def digest(record: Any) -> str:
    """Return a short, stable digest of JSON-like values."""
    text = json.dumps(record, sort_keys=True, default=list)
    return hashlib.sha256(text.encode()).hexdigest()[:20]
