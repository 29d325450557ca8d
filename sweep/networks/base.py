"""The base of every network that is declared by its layers."""

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from functools import lru_cache
from typing import Any, ClassVar, dataclass_transform

from sweep.networks.architecture import Architecture
from sweep.networks.layer import Layer
from sweep.networks.layered import LayeredArchitecture
from sweep.parameters import parameter
from sweep.registry import blaming

_ARCHITECTURES_KEPT = 1024


@dataclass_transform(frozen_default=True)
@dataclass(frozen=True)
class Network:
    """A network: a frozen dataclass of its parameters, which lists its layers.

    A subclass is made a dataclass by itself::

        class TCResNet(sweep.Network):
            width: float = sweep.parameter(1.0, low=0.25, high=4, meaning="multiplies all channels")

            def layers(self, shape, labels):
                yield Conv("stem", round(16 * self.width), (3, shape[1]))
                ...
    """

    scope: ClassVar[str] = "network"
    """Begins the names of tensors in a ``.tflite``."""

    _: KW_ONLY
    streaming: bool = parameter(
        False, meaning="pad no frames, so that in a stream each frame is computed once"
    )

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        dataclass(frozen=True)(cls)

    def layers(self, shape: tuple[int, int], labels: int) -> Iterator[Layer]:
        """Yield the layers from features to logits.

        Args:
            shape: frames and coefficients of the features.
            labels: how many labels there are; the channels of the last layer.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define layers()")

    @property
    def owner(self) -> type:
        """What declares its parameters, and what the registry knows."""
        return type(self)

    def values(self) -> dict[str, Any]:
        """Return its parameters by name."""
        return dict(vars(self))

    def canonical(self) -> "Network":
        """Return an equal network, the same one for all that are equal; by default itself."""
        return self

    def architecture(self, shape: tuple[int, int], labels: int) -> Architecture:
        """Return the network for features of that shape.

        Raises:
            ValueError: if its parameters or the shape do not allow it.
            PluginError: if its layers fail, or do not end in one value for each label.
        """
        return _architecture(self.canonical(), shape, labels)

    def has_depthwise(self, shape: tuple[int, int]) -> bool:
        """Tell whether there are kernels that are pruned only where that is asked for."""
        try:
            architecture = self.architecture(shape, labels=2)
        except ValueError:
            return False
        return architecture.prunable(depthwise=True) != architecture.prunable(depthwise=False)


@lru_cache(_ARCHITECTURES_KEPT)
def _architecture(network: Network, shape: tuple[int, int], labels: int) -> LayeredArchitecture:
    with blaming(network.owner, but=ValueError):
        architecture = LayeredArchitecture(
            tuple(network.layers(shape, labels)), shape, network.scope, network.streaming
        )
        output = architecture.steps[-1].output
        if output != (labels,):
            raise TypeError(f"its last layer gives {output}, not one value for each of the labels")
    return architecture
