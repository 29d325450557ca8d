"""Calibrates the estimate of a size before conversion, and prints its error.

    python benchmarks/size.py [--networks 60] [--seed 0]

Converts untrained, lifelike networks drawn at random in every variant, with names and without.
Half of them fix the container's bytes (``sweep/networks/size.py`` holds what was found), the other
half tell how far an estimate by them is off, and how far one by the constants in use.
"""

import argparse
import time
from collections.abc import Iterator

import numpy as np

from sweep.candidate import QUANTIZATIONS, CompressionParams
from sweep.litert import zipped_kb
from sweep.networks.architecture import Architecture, Weights
from sweep.networks.ds_cnn import DSCNN
from sweep.networks.size import CONTAINER_BYTES, blocks_and_width, weights_bytes
from sweep.networks.standard import Standard
from sweep.stages.compression import compress, strip_names
from sweep.stages.gate import lifelike_weights

Form = tuple[str, bool]


def main() -> None:
    """Print a line for each variant: its constants, and their errors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    shapes: list[tuple[float, ...]] = []
    deflated: dict[Form, list[float]] = {}
    actual: dict[Form, list[float]] = {}
    estimating = converting = 0.0
    for architecture, weights in draw(given.networks, given.seed):
        shapes.append((1.0, *blocks_and_width(architecture)))
        begin = time.process_time()
        for name in QUANTIZATIONS:
            size = weights_bytes(architecture, weights, name)
            for without in (False, True):
                deflated.setdefault((name, without), []).append(size)
        middle = time.process_time()
        for form, size in converted(architecture, weights):
            actual.setdefault(form, []).append(size)
        estimating += middle - begin
        converting += time.process_time() - middle
    report(np.array(shapes), deflated, actual)
    print(f"milliseconds a network, all variants: estimated {1000 * estimating / len(shapes):.0f},")
    print(f"converted {1000 * converting / len(shapes):.0f}")


def draw(count: int, seed: int) -> Iterator[tuple[Architecture, Weights]]:
    """Yield networks of all kinds, with weights as training leaves them."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        standard = rng.random() < 0.2
        width = round(np.exp(rng.uniform(np.log(8), np.log(64 if standard else 256))))
        kind = Standard if standard else DSCNN
        shape = int(rng.choice([15, 31, 61])), int(rng.choice([10, 13, 20, 40]))
        network = kind(width, 1.0, int(rng.integers(1, 5)))
        architecture = network.architecture(shape, int(rng.choice([2, 2, 8])))
        sparsity = float(rng.choice([0, rng.uniform(0, 0.95)]))
        yield architecture, lifelike_weights(architecture, CompressionParams(sparsity), number)


def converted(architecture: Architecture, weights: Weights) -> Iterator[tuple[Form, float]]:
    """Yield the zipped size of each variant once converted, in bytes."""
    shape = (8, *architecture.shape)
    noise = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    for name, content in compress(architecture, weights, QUANTIZATIONS, noise).items():
        yield (name, False), 1024 * zipped_kb(content)
        yield (name, True), 1024 * zipped_kb(strip_names(content))


def report(
    shapes: np.ndarray, deflated: dict[Form, list[float]], actual: dict[Form, list[float]]
) -> None:
    """Fit the container on the first half of the networks; print the errors on the second."""
    half = len(shapes) // 2
    print(f"{'variant':<16}{'names':>6}{'file':>9}{'block':>8}{'channel':>9}", end="")
    print(f"{'median':>9}{'worst':>8}   {'in use: median':>15}{'worst':>8}")
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
        print(f"{form[0]:<16}{'no' if form[1] else 'yes':>6}", end="")
        print(f"{fitted[0]:>9.0f}{fitted[1]:>8.0f}{fitted[2]:>9.2f} {cells[0]}          {cells[1]}")


if __name__ == "__main__":
    main()
