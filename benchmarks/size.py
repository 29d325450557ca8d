"""Calibrates the estimate of a size before conversion, and prints its error.

    python benchmarks/size.py [--networks 60] [--seed 0]

Converts untrained, lifelike networks drawn at random in every variant and container.
Half of them fix the container's bytes (``sweep/networks/size.py`` holds what was found), the other
half tell how far an estimate by them is off, and how far one by the constants in use.
"""

import argparse
import time
from collections.abc import Callable, Iterator

import numpy as np

from sweep.candidate import CONTAINERS, QUANTIZATIONS, CompressionParams
from sweep.litert import zipped_kb
from sweep.networks.architecture import Weights
from sweep.networks.base import Network
from sweep.networks.bc_resnet import BCResNet
from sweep.networks.ds_cnn import DSCNN
from sweep.networks.layered import LayeredArchitecture
from sweep.networks.mlperf_ds_cnn import MLPerfDSCNN
from sweep.networks.size import CONTAINER_BYTES, counts, weights_bytes
from sweep.networks.standard import Standard
from sweep.networks.tc_resnet import TCResNet
from sweep.networks.temporal import Temporal
from sweep.stages.compression import compact, compress, strip_metadata
from sweep.stages.untrained import lifelike_weights

Form = tuple[str, str]


def main() -> None:
    """Print a line for each variant: its constants, and their errors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    shapes: list[tuple[int, ...]] = []
    deflated: dict[Form, list[float]] = {}
    actual: dict[Form, list[float]] = {}
    flash: dict[Form, list[float]] = {}
    estimating = converting = 0.0
    for architecture, weights in draw(given.networks, given.seed):
        shapes.append(counts(architecture))
        begin = time.process_time()
        for name in QUANTIZATIONS:
            size = weights_bytes(architecture, weights, name)
            for container in CONTAINERS:
                deflated.setdefault((name, container), []).append(size)
        middle = time.process_time()
        for form, size, zipped in converted(architecture, weights):
            actual.setdefault(form, []).append(zipped)
            flash.setdefault(form, []).append(size)
        estimating += middle - begin
        converting += time.process_time() - middle
    report(np.array(shapes), deflated, actual)
    for name in QUANTIZATIONS:
        saved, added = (
            np.median(np.divide(sizes[name, "compact"], sizes[name, "stripped"]) - 1)
            for sizes in (flash, actual)
        )
        print(f"compact, not stripped, {name}: {saved:+.1%} of flash, {added:+.1%} zipped (median)")
    print(f"milliseconds a network, all variants: estimated {1000 * estimating / len(shapes):.0f},")
    print(f"converted {1000 * converting / len(shapes):.0f}")


def draw(count: int, seed: int) -> Iterator[tuple[LayeredArchitecture, Weights]]:
    """Yield networks of all kinds, with weights as training leaves them."""
    rng = np.random.default_rng(seed)

    def ratio(low: float, high: float) -> float:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))

    def blocks() -> int:
        return int(rng.integers(1, 6))

    kinds: list[Callable[[], Network]] = [
        lambda: DSCNN(round(ratio(8, 256)), 1.0, blocks()),
        lambda: Temporal(round(ratio(6, 128)), 1.0, blocks()),
        lambda: Standard(round(ratio(8, 64)), 1.0, blocks()),
        lambda: TCResNet(ratio(0.2, 1.5)),
        lambda: BCResNet(ratio(0.4, 2), bands=int(rng.choice([1, 5]))),
        lambda: MLPerfDSCNN(ratio(0.2, 1.5)),
    ]
    for number in range(count):
        network = kinds[rng.choice(len(kinds), p=[0.25, 0.25, 0.1, 0.15, 0.15, 0.1])]()
        shape = int(rng.choice([31, 49, 61])), int(rng.choice([10, 13, 20, 40]))
        architecture = network.architecture(shape, int(rng.choice([2, 2, 8])))
        assert isinstance(architecture, LayeredArchitecture)
        sparsity = float(rng.choice([0, rng.uniform(0, 0.95)]))
        yield architecture, lifelike_weights(architecture, CompressionParams(sparsity), number)


def converted(
    architecture: LayeredArchitecture, weights: Weights
) -> Iterator[tuple[Form, int, float]]:
    """Yield the size of each variant once converted, plain and zipped, in bytes."""
    shape = (8, *architecture.shape)
    noise = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    for name, content in compress(architecture, weights, QUANTIZATIONS, noise).items():
        files = {"full": content, "stripped": strip_metadata(content), "compact": compact(content)}
        for container, file in files.items():
            yield (name, container), len(file), 1024 * zipped_kb(file)


def report(
    shapes: np.ndarray, deflated: dict[Form, list[float]], actual: dict[Form, list[float]]
) -> None:
    """Fit the container on the first half of the networks; print the errors on the second."""
    half = len(shapes) // 2
    heads = ("file", "conv", "depth", "other", "channel")
    print(f"{'variant':<16}{'container':>10}" + "".join(f"{head:>8}" for head in heads), end="")
    print(f"{'median':>9}{'worst':>8}   {'in use: median':>15}{'worst':>8}{'within 3 %':>12}")
    everything: list[float] = []
    for form, sizes in actual.items():
        true, inside = np.array(sizes), np.array(deflated[form])
        # Relative errors count, so each network weighs by its size.
        scaled = shapes / true[:, None]
        fitted, *_ = np.linalg.lstsq(scaled[:half], ((true - inside) / true)[:half], rcond=None)
        errors = [
            np.abs(scaled @ constants + inside / true - 1)[half:]
            for constants in (fitted, np.array(CONTAINER_BYTES[form]))
        ]
        cells = [f"{np.median(error):>8.2%} {error.max():>7.2%}" for error in errors]
        print(f"{form[0]:<16}{form[1]:>10}", end="")
        print("".join(f"{one:>8.0f}" for one in fitted[:-1]) + f"{fitted[-1]:>8.2f}", end="")
        print(f" {cells[0]}          {cells[1]}{np.mean(errors[1] <= 0.03):>12.0%}")
        everything += errors[1].tolist()
    print(f"estimates in use within 3 %: {np.mean(np.array(everything) <= 0.03):.1%}")


if __name__ == "__main__":
    main()
