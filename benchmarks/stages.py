"""Milliseconds a stage for three sizes of network, beside the floor of the arithmetic.

    SPEECH_COMMANDS=FOLDER python benchmarks/stages.py

Every candidate is evaluated in a fresh cache, with every variant; the floor is the arithmetic of
its training (three times that of the forward pass) at the rate at which one core multiplies
matrices here.
"""

import os
import sys
import tempfile
import time

import numpy as np
from worker_env import use_worker_env

from sweep.audio.dataset import open_dataset
from sweep.audio.dataset_spec import DatasetSpec
from sweep.candidate import QUANTIZATIONS, Candidate
from sweep.stages.evaluate import evaluate

SIZES = {"small": 0.125, "published winner": 0.5, "large": 1.0}
STAGES = ("gate", "features", "training", "compression", "measurement")


def main() -> None:
    """Print a line for each size of network."""
    folder = os.environ.get("SPEECH_COMMANDS")
    if not folder:
        sys.exit("SPEECH_COMMANDS does not name the folder of recordings")
    use_worker_env()
    os.environ["SWEEP_CACHE"] = tempfile.mkdtemp(prefix="sweep-stages-")
    dataset = open_dataset(DatasetSpec(folder, ("stop", "go")))
    clips = len(dataset.targets("training"))
    rate = matmul_gflops()
    print(f"one core multiplies matrices at {rate:.0f} GFLOP/s; 10 epochs of {clips} clips")
    warm = Candidate.from_parameters({"epochs": 1, "quantization": QUANTIZATIONS})
    evaluate(warm, dataset, [])
    print(f"{'network':<18}" + "".join(f"{stage:>14}" for stage in STAGES) + f"{'floor':>10}")
    for i, (name, alpha) in enumerate(SIZES.items()):
        # Another front end each time, so that nothing is met in the cache.
        own = {"lower_frequency": 30 + 10 * i, "alpha": alpha}
        candidate = Candidate.from_parameters(own | {"quantization": QUANTIZATIONS})
        evaluation, _ = evaluate(candidate, dataset, [])
        total = sum(evaluation.seconds.values())
        shape = candidate.frontend.shape
        adds = candidate.network.architecture(shape, 2).multiply_adds()
        floor = 2 * 3 * adds * clips * candidate.training.epochs / 1e9 / rate
        cells = [
            f"{1000 * s:>7.0f} {s / total:>5.0%} " for s in map(evaluation.seconds.get, STAGES)
        ]
        print(f"{name:<18}" + "".join(cells) + f"{1000 * floor:>10.0f}")


def matmul_gflops() -> float:
    """Return the rate of float32 matrix products on one core."""
    import tensorflow as tf

    a = tf.random.normal((768, 768))
    product = tf.function(lambda: tf.matmul(a, a))
    product()
    best = np.inf
    for _ in range(20):
        begin = time.perf_counter()
        product().numpy()
        best = min(best, time.perf_counter() - begin)
    return float(2 * 768**3 / best / 1e9)


if __name__ == "__main__":
    main()
