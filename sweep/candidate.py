"""What is asked of a trial: one full set of parameters."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from sweep import registry
from sweep.errors import PluginError
from sweep.frontends.base import Frontend
from sweep.frontends.lookup import frontend_owner
from sweep.frontends.mfcc import MFCC
from sweep.networks.base import Network
from sweep.networks.ds_cnn import DSCNN
from sweep.networks.lookup import network_of, network_owner
from sweep.parameters import Domain, defaults, differences, domains, parameter

CONTAINERS = ("full", "stripped", "compact")
QUANTIZATIONS = ("float32", "float16", "dynamic", "int8", "int8_per_tensor")


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
    speed: float = parameter(
        0.0, low=0, high=0.5, meaning="training clips get faster or slower by up to this share"
    )
    reverberation_s: float = parameter(
        0.0, low=0, high=1.5, meaning="longest reverberation of the rooms half the clips are put in"
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
    container: str = parameter(
        "full",
        choices=CONTAINERS,
        meaning="stripped leaves names and signatures out of the .tflite; compact also stores equal"
        " tables once: a sixth less flash, about 1 % more once zipped",
    )
    quantization: tuple[str, ...] = parameter(
        ("float32",),
        choices=QUANTIZATIONS,
        meaning="variants made from each training; microcontrollers run float32 and the int8 ones",
    )


CHOSEN = {"frontend": "mfcc", "network": "depthwise_separable"}
"""What is chosen by name, a plugin of that kind with parameters of its own, and its default."""

GROUPS: dict[str, type] = {
    "augmentation": AugmentationParams,
    "training": TrainingParams,
    "compression": CompressionParams,
}
"""What a candidate consists of besides."""

_ORDER = ("frontend", "augmentation", "network", "training", "compression")
_FIXED = {name: group for group, kind in GROUPS.items() for name in defaults(kind)}


@dataclass(frozen=True)
class Candidate:
    """One full set of parameters, and the seed of the search."""

    frontend: Frontend = MFCC()
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
            KeyError: if a name is no parameter, or one of another front end or network.
            PluginError: if there is no such front end or network.
        """
        owners = {kind: find(kind, parameters.get(kind, name)) for kind, name in CHOSEN.items()}
        places = _places(*owners.values())
        groups: dict[str, dict[str, Any]] = {group: {} for group in _ORDER}
        for name, value in parameters.items():
            if name not in CHOSEN:
                group, kind = places[name]
                # 20 Hz and 20.0 Hz are one value.
                is_number = kind in (int, float) and value is not None
                groups[group][name] = kind(value) if is_number else value
        frontend = owners["frontend"](
            **groups.pop("frontend"), clip_length_in_s=float(clip_length_in_s)
        )
        network = network_of(owners["network"], groups.pop("network"))
        made = {group: GROUPS[group](**named) for group, named in groups.items()}
        return cls(frontend=frontend, network=network, seed=seed, **made)

    def parameters(self) -> dict[str, Any]:
        """Return every parameter, flat, in the order of the stages."""
        found: dict[str, Any] = {}
        for group in _ORDER:
            part = getattr(self, group)
            if group in CHOSEN:
                found |= {group: self.chosen(group)} | part.values()
            else:
                found |= {name: getattr(part, name) for name in defaults(GROUPS[group])}
        return found

    def chosen(self, kind: str) -> str:
        """Return the name by which a search space finds the front end or the network."""
        return registry.name_of(kind, getattr(self, kind).owner)

    @property
    def training_seed(self) -> int:
        """Where its training starts from: no two candidates share it.

        With one seed for all, neighbours would be lucky together, and a search would take the luck
        of a seed for the merit of a region.
        """
        return int(self.key()[:8], 16)

    def key(self) -> str:
        """Return a digest that two candidates share only when they train the same network.

        Different ``filters`` and ``alpha`` of equal width are the same network; without pruning, or
        depthwise kernels, nothing is pruned depthwise.  What has its default is left out: a new
        parameter changes no key.
        """
        compression = self.compression
        if compression.final_sparsity == 0 or not self.network.has_depthwise(self.frontend.shape):
            compression = replace(compression, prune_depthwise=False)
        same = replace(self, network=self.network.canonical(), compression=compression)
        told = {group: differences(getattr(same, group)) for group in GROUPS}
        told["frontend"] = differences(same.frontend)
        own, begun = same.network.values(), defaults(same.network.owner)
        told["network"] = {name: value for name, value in own.items() if value != begun[name]}
        for kind, default in CHOSEN.items():
            if same.chosen(kind) != default:
                told[kind] |= {kind: same.chosen(kind)}
        return digest(told | {"seed": self.seed})


Chosen = Mapping[str, Iterable[str]]
"""Names of front ends and networks, by kind; a kind that is left out has its default."""


def parameters_of(chosen: Chosen) -> dict[str, Any]:
    """Return every parameter of a search among front ends and networks, with its default."""
    found: dict[str, Any] = {}
    for group in _ORDER:
        if group in CHOSEN:
            found[group] = CHOSEN[group]
            for name in chosen.get(group, [CHOSEN[group]]):
                own = defaults(find(group, name)).items()
                found |= {k: v for k, v in own if k not in found}
        else:
            found |= defaults(GROUPS[group])
    return found


def domains_of(chosen: Chosen) -> dict[str, Domain]:
    """Return what every parameter of a search among front ends and networks may be.

    Raises:
        PluginError: if two of them differ about one parameter.
    """
    found: dict[str, Domain] = {}
    for group in _ORDER:
        if group in CHOSEN:
            found[group] = _Choice(f"the {_TOLD[group]}", str, plugin=group)
            for name in chosen.get(group, [CHOSEN[group]]):
                for parameter_name, domain in domains(find(group, name)).items():
                    if not found.setdefault(parameter_name, domain).allows_the_same(domain):
                        text = f"{parameter_name} may be something else in another {group}"
                        raise PluginError(f"{name}: {text}")
        else:
            found |= domains(GROUPS[group])
    return found


@dataclass(frozen=True)
class _Choice(Domain):
    """The name of a front end or a network: built in, an entry point's, or ``module:Name``."""

    plugin: str = ""

    def problem(self, value: Any) -> str | None:
        """Return what is wrong with a value, or None."""
        if not isinstance(value, str):
            return super().problem(value)
        try:
            find(self.plugin, value)
        except PluginError as error:
            return str(error)
        return None

    @property
    def values(self) -> str:
        """What it may be, in words."""
        return ", ".join([*registry.names(self.plugin), "module:Name"])


_TOLD = {"frontend": "front end, which makes features of a waveform", "network": "network"}


def find(kind: str, name: str) -> Any:
    """Return what declares the parameters of a front end or a network.

    Raises:
        PluginError: if there is none, or one of its parameters has a name that is taken.
    """
    owner: Any = frontend_owner(name) if kind == "frontend" else network_owner(name)
    _checked(owner)
    return owner


@cache
def _checked(owner: Any) -> dict[str, Domain]:
    with registry.blaming(owner):
        taken = next((p for p in domains(owner) if p in CHOSEN or p in _FIXED), None)
        if taken is not None:
            raise TypeError(f"its parameter {taken} has the name of another; rename it")
        return domains(owner)


@cache
def _places(frontend: Any, network: Any) -> dict[str, tuple[str, type]]:
    """Return group and type of every parameter."""
    both = _checked(frontend).keys() & _checked(network).keys()
    if both:
        name = registry.name_of("network", network)
        raise PluginError(f"{name}: {min(both)} is a parameter of the front end too; rename it")
    owners = GROUPS | {"frontend": frontend, "network": network}
    return {n: (group, d.kind) for group, one in owners.items() for n, d in domains(one).items()}


PARAMETERS = parameters_of({kind: registry.BUILT_IN[kind] for kind in CHOSEN})
"""Every parameter with the value it takes when a search space does not name it."""

DOMAINS = domains_of({kind: registry.BUILT_IN[kind] for kind in CHOSEN})
"""What every parameter may be, as its field declares it."""


def parameter_facts() -> list[dict[str, Any]]:
    """Return of every parameter its name, default, values and meaning, in order of the stages.

    The meaning of one that only some front ends or networks have names these.
    """
    return [
        {
            "parameter": name,
            "default": PARAMETERS[name],
            "values": domain.values,
            "meaning": f"{domain.meaning}{_only(name)}",
        }
        for name, domain in DOMAINS.items()
    ]


def _only(parameter: str) -> str:
    for kind in CHOSEN:
        having = [
            one for one in registry.BUILT_IN[kind] if parameter in parameters_of({kind: [one]})
        ]
        if len(having) < len(registry.BUILT_IN[kind]):
            return f" ({', '.join(having)})" if having else ""
    return ""


def digest(record: Any) -> str:
    """Return a short, stable digest of JSON-like values."""
    text = json.dumps(record, sort_keys=True, default=list)
    return hashlib.sha256(text.encode()).hexdigest()[:20]
