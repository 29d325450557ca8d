"""Networks, declared by their layers."""

from sweep.candidate import NetworkParams
from sweep.networks.architecture import Architecture
from sweep.networks.ds_cnn import DSCNN
from sweep.networks.standard import Standard
from sweep.networks.temporal import Temporal

_BUILT_IN = {"depthwise_separable": DSCNN, "temporal": Temporal, "standard": Standard}


def architecture_of(params: NetworkParams, shape: tuple[int, int], labels: int) -> Architecture:
    """Return the architecture of a candidate's network for features of that shape."""
    network = _BUILT_IN[params.convolution](params.filters, params.alpha, params.blocks)
    return network.architecture(shape, labels)
