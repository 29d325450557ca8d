"""What the gate predicts, against what training gave.

    SPEECH_COMMANDS=FOLDER python benchmarks/gate.py [--trained 60] [--gated 20]

Draws candidates from ``search_spaces/seed_table1.yaml`` (wide, float32 alone, so that many are
gated) and from ``go_stop.yaml`` (every variant).  For those that pass, the predicted size of every
variant is compared with the size after training.  Those that are gated are trained all the same,
and their sizes held against the limit.  Beside it stands the estimate made without conversion, and
how much of the gating it does alone.  Two epochs are trained: a size is fixed by shape and
sparsity, and what is asked here is how well an untrained network stands for a trained one.
"""

import argparse
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from sweep.audio.dataset import Dataset, open_dataset
from sweep.audio.dataset_spec import DatasetSpec
from sweep.candidate import Candidate
from sweep.limits import Limit, violations
from sweep.metrics import METRICS
from sweep.networks.size import estimate_kb
from sweep.space import Space
from sweep.stages.compression import compress
from sweep.stages.features import prepare_features
from sweep.stages.gate import expect, passes
from sweep.stages.measurement import Bench
from sweep.stages.training import train
from sweep.stages.untrained import lifelike_weights

SPACES = Path(__file__).parent.parent / "search_spaces"
EPOCHS = 2


def main() -> None:
    """Print the errors by variant, the share gated, and how many gated ones would have fitted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trained", type=int, default=60)
    parser.add_argument("--gated", type=int, default=20)
    wanted = parser.parse_args()
    folder = os.environ.get("SPEECH_COMMANDS")
    if not folder:
        sys.exit("SPEECH_COMMANDS does not name the folder of recordings")
    dataset = open_dataset(DatasetSpec(folder, ("stop", "go")))
    limits = [Limit.parse(METRICS["size_kb"], "< 25"), Limit.parse(METRICS["latency_ms"], "<= 8")]
    errors: dict[str, list[float]] = {}
    estimated: dict[str, list[float]] = {}
    gated, drawn, lost, alone = 0, 0, 0, 0
    trained, milliseconds = 0, {True: [], False: []}
    for candidate in draw():
        if trained >= wanted.trained and gated >= wanted.gated:
            break
        bench = bench_for(candidate, dataset, limits)
        begin = time.process_time()
        expected = expect(bench)
        converted = expected[0]["tflite_size_kb"] is not None
        milliseconds[converted].append(1000 * (time.process_time() - begin))
        drawn += 1
        if passes(expected):
            if trained < wanted.trained:
                trained += 1
                final = final_sizes(bench)
                for name, size in estimates(bench).items():
                    estimated.setdefault(name, []).append(size / final[name] - 1)
                for variant in expect(bench, every=True):
                    error = variant["size_kb"] / final[variant.quantization] - 1
                    errors.setdefault(variant.quantization, []).append(error)
            continue
        gated += 1
        alone += not converted
        if gated <= wanted.gated:
            final = final_sizes(bench)
            lost += any(fits(limits, size) for size in final.values())
    print("predicted by converting an untrained network")
    print_table(errors)
    print("estimated without conversion")
    print_table(estimated)
    print(f"gated: {gated} of {drawn} candidates drawn ({gated / drawn:.0%})")
    print(f"by the estimate alone: {alone} of the {gated} gated, {alone / drawn:.0%} of all")
    spent = {kind: np.median(found) for kind, found in milliseconds.items() if found}
    print("median ms of processor time a gate:", end="")
    print(f" {spent.get(False, np.nan):.0f} by the estimate alone,", end="")
    print(f" {spent.get(True, np.nan):.0f} with conversion")
    print(f"of {min(gated, wanted.gated)} gated ones trained all the same, in the limits: {lost}")


def draw():
    """Yield allowed candidates, from both spaces in turn."""
    spaces = [Space.load(SPACES / name) for name in ("seed_table1.yaml", "go_stop.yaml")]
    rng = np.random.default_rng(0)
    while True:
        for space in spaces:
            parameters = space.draw(rng)
            if space.allows(parameters):
                candidate = space.candidate(parameters)
                yield replace(candidate, training=replace(candidate.training, epochs=EPOCHS))


def bench_for(candidate: Candidate, dataset: Dataset, limits: list[Limit]) -> Bench:
    """Return what a candidate's variants are measured with."""
    shape = candidate.frontend.shape
    architecture = candidate.network.architecture(shape, len(dataset.labels))
    return Bench(candidate, architecture, dataset, limits)


def final_sizes(bench: Bench) -> dict[str, float]:
    """Train a candidate; return the zipped size of each variant in KB."""
    candidate, dataset = bench.candidate, bench.dataset
    features = prepare_features(dataset, candidate.frontend, candidate.augmentation)
    trained = train(
        candidate,
        bench.architecture,
        features.training,
        dataset.targets("training"),
        (features.validation, dataset.targets("validation")),
    )
    files = compress(
        bench.architecture,
        trained.weights,
        candidate.compression.quantization,
        features.training[0],
        candidate.compression.container,
    )
    return {name: bench.measure(name, file, None)["size_kb"] for name, file in files.items()}


def estimates(bench: Bench) -> dict[str, float]:
    """Return the size of each variant in KB, estimated without conversion."""
    candidate, architecture = bench.candidate, bench.architecture
    compression = candidate.compression
    weights = lifelike_weights(architecture, compression, candidate.seed)
    return {
        name: estimate_kb(architecture, weights, name, compression.container)
        for name in compression.quantization
    }


def fits(limits: list[Limit], size_kb: float) -> bool:
    """Tell whether a size keeps its limit; latency, left out, could only acquit the gate."""
    found = violations(limits, {"size_kb": size_kb})
    return all(violation <= 0 for violation in found.values())


def print_table(errors: dict[str, list[float]]) -> None:
    """Print the error of the predicted size by variant, and over all."""
    print(f"{'variant':<16} {'sizes':>6} {'median':>8} {'worst':>8} {'within 3 %':>11}")
    everything = [error for found in errors.values() for error in found]
    for name, found in [*errors.items(), ("all", everything)]:
        sizes = np.abs(found)
        within = np.mean(sizes <= 0.03)
        typical, worst = np.median(sizes), sizes.max()
        print(f"{name:<16} {len(sizes):>6} {typical:>8.2%} {worst:>8.2%} {within:>11.0%}")


if __name__ == "__main__":
    main()
