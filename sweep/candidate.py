"""What is asked of a trial: one full set of parameters."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, TypeVar

from sweep import registry
from sweep.errors import PluginError
from sweep.networks.base import Network
from sweep.networks.ds_cnn import DSCNN
from sweep.networks.lookup import network_of, network_owner
from sweep.parameters import Domain, defaults, differences, domains, given, parameter

_T = TypeVar("_T")

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


NETWORK = "network"
"""The parameter that names a network, and the kind of plugin that it names."""

DEFAULT_NETWORK = "depthwise_separable"

GROUPS: dict[str, type] = {
    "frontend": FrontendParams,
    "augmentation": AugmentationParams,
    "training": TrainingParams,
    "compression": CompressionParams,
}
"""What a candidate consists of besides its network."""


@dataclass(frozen=True)
class Candidate:
    """One full set of parameters, and the seed of the search."""

    frontend: FrontendParams = FrontendParams()
    augmentation: AugmentationParams = AugmentationParams()
    network: Network = DSCNN()
    training: TrainingParams = TrainingParams()
    compression: CompressionParams = CompressionParams()
    seed: int = 0

    @classmethod
    def from_parameters(
        cls, parameters: Mapping[str, Any], seed: int = 0, clip_length_in_s: float = 1.0
    ) -> "Candidate":
        """Build a candidate from flat ``{name: value}``; what is not named takes its default.

        Raises:
            KeyError: if a name is no parameter, or one of another network.
            PluginError: if there is no such network.
        """
        owner = _network_owner(parameters.get(NETWORK, DEFAULT_NETWORK))
        groups: defaultdict[str, dict[str, Any]] = defaultdict(dict)
        groups["frontend"]["clip_length_in_s"] = float(clip_length_in_s)
        kinds = _KINDS | _kinds(owner)
        for name, value in parameters.items():
            if name != NETWORK:
                kind = kinds[name]
                # 20 Hz and 20.0 Hz are one value.
                is_number = kind in (int, float) and value is not None
                groups[_GROUP_OF.get(name, NETWORK)][name] = kind(value) if is_number else value
        network = network_of(owner, groups.pop(NETWORK, {}))
        made = {group: GROUPS[group](**named) for group, named in groups.items()}
        return cls(**made, network=network, seed=seed)

    def parameters(self) -> dict[str, Any]:
        """Return every parameter, flat, in the order of the stages."""
        groups = {
            group: {name: getattr(getattr(self, group), name) for name in defaults(kind)}
            for group, kind in GROUPS.items()
        }
        return _in_order(groups, {NETWORK: self.network_name} | self.network.values())

    @property
    def network_name(self) -> str:
        """The name by which a search space finds the network."""
        return registry.name_of(NETWORK, self.network.owner)

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
        features have no ``num_coefficients``; without pruning, or depthwise kernels, nothing is
        pruned depthwise.  What has its default is left out: a new parameter changes no key.
        """
        frontend, compression = self.frontend, self.compression
        if frontend.features == "log_mel":
            frontend = replace(frontend, num_coefficients=frontend.num_mel_bins)
        if compression.final_sparsity == 0 or not self.network.has_depthwise(frontend.shape):
            compression = replace(compression, prune_depthwise=False)
        same = replace(
            self, frontend=frontend, network=self.network.canonical(), compression=compression
        )
        groups = {group: differences(getattr(same, group)) for group in GROUPS}
        told = {} if same.network_name == DEFAULT_NETWORK else {NETWORK: same.network_name}
        begun = defaults(same.network.owner)
        told |= {k: v for k, v in same.network.values().items() if v != begun[k]}
        return digest(groups | {NETWORK: told, "seed": self.seed})


def parameters_of(networks: Iterable[str]) -> dict[str, Any]:
    """Return every parameter of a search among networks, with its default."""
    own = {NETWORK: DEFAULT_NETWORK}
    for name in networks:
        own |= {k: v for k, v in defaults(_network_owner(name)).items() if k not in own}
    return _in_order({group: defaults(kind) for group, kind in GROUPS.items()}, own)


def domains_of(networks: Iterable[str]) -> dict[str, Domain]:
    """Return what every parameter of a search among networks may be.

    Raises:
        PluginError: if two networks differ about one parameter.
    """
    own: dict[str, Domain] = {NETWORK: _NetworkName("what a network is made of", str)}
    for network in networks:
        for name, domain in domains(_network_owner(network)).items():
            if not own.setdefault(name, domain).allows_the_same(domain):
                raise PluginError(f"{network}: {name} may be something else in another network")
    return _in_order({group: domains(kind) for group, kind in GROUPS.items()}, own)


class _NetworkName(Domain):
    """The name of a network: built in, an entry point's, or ``module:Name``."""

    def problem(self, value: Any) -> str | None:
        """Return what is wrong with a value, or None."""
        if not isinstance(value, str):
            return super().problem(value)
        try:
            _network_owner(value)
        except PluginError as error:
            return str(error)
        return None

    @property
    def values(self) -> str:
        """What it may be, in words."""
        return ", ".join([*registry.names(NETWORK), "module:Name"])


def _network_owner(name: str) -> Any:
    """Return what declares the parameters of a network.

    Raises:
        PluginError: if there is no such network, or one of its parameters has a name that is taken.
    """
    owner = network_owner(name)
    _kinds(owner)
    return owner


@cache
def _kinds(owner: Any) -> dict[str, type]:
    """Return the types of the parameters of a network."""
    with registry.blaming(owner):
        taken = next((p for p in domains(owner) if p == NETWORK or p in _GROUP_OF), None)
        if taken is not None:
            raise TypeError(f"its parameter {taken} has the name of another; rename it")
        return {name: domain.kind for name, domain in domains(owner).items()}


def _in_order(groups: Mapping[str, dict[str, _T]], network: dict[str, _T]) -> dict[str, _T]:
    """Return what is told by group as one, in the order of the stages."""
    before = groups["frontend"] | groups["augmentation"]
    return before | network | groups["training"] | groups["compression"]


_GROUP_OF = {name: group for group, kind in GROUPS.items() for name in defaults(kind)}
_KINDS = {n: d.kind for kind in GROUPS.values() for n, d in domains(kind).items()}

PARAMETERS = parameters_of(registry.BUILT_IN[NETWORK])
"""Every parameter with the value it takes when a search space does not name it."""

DOMAINS = domains_of(registry.BUILT_IN[NETWORK])
"""What every parameter may be, as its field declares it."""


def digest(record: Any) -> str:
    """Return a short, stable digest of JSON-like values."""
    text = json.dumps(record, sort_keys=True, default=list)
    return hashlib.sha256(text.encode()).hexdigest()[:20]
