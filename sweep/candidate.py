"""What is asked of a trial: one full set of parameters."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from sweep.parameters import Domain, defaults, differences, domains, given, parameter

QUANTIZATIONS = ("float32", "float16", "dynamic", "int8", "int8_per_tensor")


@dataclass(frozen=True)
class FrontendParams:
    """From waveform to features; the defaults are the published winner's.

    ``clip_length_in_s`` is the data set's.
    """

    features: str = parameter("mfcc", choices=("mfcc", "log_mel"), meaning="what the network sees")
    downsampling_rate: int = parameter(
        16000, low=1000, high=48000, meaning="sampling rate of the front end, in Hz"
    )
    frame_length_in_s: float = parameter(
        0.032, low=0.001, high=0.5, meaning="length of a frame, in seconds"
    )
    frame_step_in_s: float = parameter(
        0.032, low=0.001, high=0.5, meaning="from one frame to the next, in seconds"
    )
    num_mel_bins: int = parameter(10, low=2, high=256, meaning="bands of the mel filter bank")
    lower_frequency: float = parameter(
        20.0, low=0, high=24000, meaning="lower edge of the mel filter bank, in Hz"
    )
    upper_frequency: float = parameter(
        8000.0, low=1, high=24000, meaning="upper edge of the mel filter bank, in Hz"
    )
    num_coefficients: int = parameter(
        10, low=1, high=256, meaning="cepstral coefficients kept (mfcc only)"
    )
    nonlinearity: str = parameter(
        "log", choices=("log", "cube_root"), meaning="what mel magnitudes pass through (mfcc only)"
    )
    normalization: str = parameter(
        "none",
        choices=("none", "per_coefficient", "per_clip"),
        meaning="none; per_coefficient: training mean and deviation;"
        " per_clip: also the mean over time",
    )
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
    """How training clips are varied; nothing by default."""

    time_shift_ms: float = parameter(
        0.0, low=0, high=500, meaning="training clips are shifted by up to this, either way"
    )
    noise_snr_db: float | None = parameter(
        None,
        low=-20,
        high=60,
        meaning="lowest signal-to-noise ratio of noise mixed into training clips; null adds none",
    )
    gain_db: float = parameter(
        0.0, low=0, high=40, meaning="training clips get louder or softer by up to this"
    )

    @property
    def is_identity(self) -> bool:
        """Whether clips stay as they are."""
        return self == AugmentationParams()


@dataclass(frozen=True)
class NetworkParams:
    """The report's network, or another ``convolution``; ``filters * alpha`` channels wide."""

    convolution: str = parameter(
        "depthwise_separable",
        choices=("depthwise_separable", "temporal", "standard"),
        meaning="what a block is made of",
    )
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


@dataclass(frozen=True)
class TrainingParams:
    """How a network is trained: Adam over ``epochs`` with a falling learning rate."""

    batch_size: int = parameter(20, low=1, high=4096, meaning="clips in a training step")
    initial_learning_rate: float = parameter(
        0.01, low=1e-7, high=1, meaning="learning rate of the first step"
    )
    end_learning_rate: float = parameter(
        1e-5, low=0, high=1, meaning="learning rate after the last step"
    )
    learning_rate_decay: str = parameter(
        "linear", choices=("linear", "cosine"), meaning="how the learning rate falls"
    )
    epochs: int = parameter(10, low=1, high=10000, meaning="passes over the training clips")
    label_smoothing: float = parameter(
        0.0, low=0, high=0.9, meaning="share of the target spread over all labels"
    )
    mixup: float = parameter(
        0.0, low=0, high=4, meaning="alpha of the Beta law by which clips are mixed; 0 mixes none"
    )
    class_weight: str = parameter(
        "none",
        choices=("none", "balanced"),
        meaning="balanced: every word weighs the same in training, however many clips it has",
    )


@dataclass(frozen=True)
class CompressionParams:
    """How a network is pruned and in which variants it is delivered."""

    final_sparsity: float = parameter(
        0.7, low=0, high=0.99, meaning="share of each pruned kernel that ends as zero"
    )
    prune_depthwise: bool = parameter(False, meaning="whether depthwise kernels are pruned too")
    strip_names: bool = parameter(
        False, meaning="whether names and signatures are left out of the .tflite"
    )
    quantization: tuple[str, ...] = parameter(
        ("float32",),
        choices=QUANTIZATIONS,
        meaning="variants made from each training; microcontrollers run float32 and the int8 ones",
    )


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
        and without pruning, or depthwise kernels, nothing is pruned depthwise.  What has its
        default is left out: a new parameter changes no key.
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
        groups = {group: differences(getattr(same, group)) for group in GROUPS}
        return digest(groups | {"seed": self.seed})


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

DOMAINS: dict[str, Domain] = {k: v for kind in GROUPS.values() for k, v in domains(kind).items()}
"""What every parameter may be, as its field declares it."""


def digest(record: Any) -> str:
    """Return a short, stable digest of JSON-like values."""
    text = json.dumps(record, sort_keys=True, default=list)
    return hashlib.sha256(text.encode()).hexdigest()[:20]
