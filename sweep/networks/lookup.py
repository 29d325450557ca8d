"""Networks by their names: what declares one, and one of given parameters."""

import inspect
from collections.abc import Mapping
from typing import Any

from sweep.errors import PluginError
from sweep.networks.base import Network
from sweep.networks.keras import KerasNetwork
from sweep.registry import find


def network_owner(name: str) -> Any:
    """Return what a name means: a subclass of ``Network``, or a function that builds a model.

    Raises:
        PluginError: if there is no such network.
    """
    owner = find("network", name)
    if inspect.isfunction(owner) or (isinstance(owner, type) and issubclass(owner, Network)):
        return owner
    raise PluginError(f"{name}: is neither a sweep.Network nor a function build(shape, labels)")


def network_of(owner: Any, values: Mapping[str, Any]) -> Network:
    """Return the network with these parameters of what ``network_owner`` found."""
    if inspect.isfunction(owner):
        return KerasNetwork(owner, tuple(values.items()))
    made: Network = owner(**values)
    return made
