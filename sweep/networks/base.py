"""The base of every network that is declared by its layers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, dataclass_transform

from sweep.networks.architecture import Architecture
from sweep.networks.layer import Layer
from sweep.parameters import parameter


@dataclass_transform(frozen_default=True, field_specifiers=(parameter,))
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

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        dataclass(frozen=True)(cls)

    def layers(self, shape: tuple[int, int], labels: int) -> Iterator[Layer]:
        """Yield the layers from features to logits.

        Args:
            shape: frames and coefficients of the features.
            labels: how many labels there are; the channels of the last layer.
        """
        raise NotImplementedError

    def architecture(self, shape: tuple[int, int], labels: int) -> Architecture:
        """Return the network for features of that shape.

        Raises:
            ValueError: if the layers do not fit together, or end in another number of channels.
        """
        architecture = Architecture(tuple(self.layers(shape, labels)), shape, self.scope)
        output = architecture.steps[-1].output
        if output != (labels,):
            raise ValueError(f"its last layer gives {output}, not one value for each label")
        return architecture
