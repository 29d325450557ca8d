"""A model of what a core takes, fitted to counts, for machines without the emulator.

    python benchmarks/device_model.py ROWS.jsonl [--shapes 120] [--write]

Draws shapes, counts each on every core in the emulator (extra ``device``) and adds a line for each
to ROWS.jsonl, unless it holds enough of them.  Two thirds of the shapes fit the model, by least
squares of relative errors with no negative cost; printed is how far it is off on the others.
``--write`` writes the model fitted to all of them to ``sweep/c/fitted.json``.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import nnls

import sweep.c
from sweep.c.cores import CORES, Target
from sweep.c.estimate import FITTED, Terms, terms_of
from sweep.candidate import Candidate
from sweep.networks.architecture import Architecture
from sweep.space import Space
from sweep.stages.on_core import Counted

SPACE = """
dataset: {labels: [stop, go]}
target: cortex-m4
parameters:
  frontend: [mfcc, log_mel]
  downsampling_rate: [8000, 16000]
  upper_frequency: 4000
  frame_length_in_s: [0.016, 0.025, 0.032, 0.040]
  frame_step_in_s: [0.016, 0.020, 0.025, 0.032, 0.040]
  num_mel_bins: {low: 8, high: 40}
  num_coefficients: {low: 6, high: 20}
  nonlinearity: [log, cube_root]
  normalization: [none, per_coefficient, per_clip]
  network: [temporal, depthwise_separable, standard, tc_resnet, bc_resnet, mlperf_ds_cnn]
  alpha: {low: 0.03, high: 0.5, log: true}
  width: {low: 0.12, high: 0.8, log: true}
  blocks: [0, 1, 2, 3]
  kernel_frames: [3, 5, 9]
  streaming: [true, false]
  quantization: [float32, int8, int8_per_tensor]
require: [num_coefficients <= num_mel_bins]
limits: {flash_kb: "<= 64"}
objectives: {accuracy: maximize, flash_kb: minimize}
"""
CORES_THAT_DIFFER = [core for core in CORES if core != "cortex-m55"]
HELD_OUT = 3
LARGEST = 1_500_000
METRICS = ("flash_bytes", "ram_bytes", "frontend_instructions", "network_instructions")


def main() -> None:
    """Count, fit and print the errors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=Path)
    parser.add_argument("--shapes", type=int, default=120)
    parser.add_argument("--write", action="store_true")
    wanted = parser.parse_args()
    rows = count(wanted.rows, wanted.shapes)
    models = {}
    for core in CORES_THAT_DIFFER:
        for kind in ("int8", "float32"):
            some = [row for row in rows if row["core"] == core and row["kind"] == kind]
            fit = fitted([row for row in some if row["shape"] % HELD_OUT])
            tested = [row for row in some if row["shape"] % HELD_OUT == 0]
            found = [{c: total(t, fit[c]) for c, t in row["terms"].items()} for row in tested]
            print(f"{core:14} {kind:8} {len(tested):3} shapes held out:", end="")
            for metric in ("flash_bytes", "ram_bytes", "instructions"):
                off = [
                    abs(value(one, metric) / value(row["costs"], metric) - 1)
                    for one, row in zip(found, tested, strict=True)
                ]
                if off:
                    print(f"  {metric} {np.median(off):.2%}, at most {max(off):.2%}", end="")
            print(flush=True)
            models[f"{core} {kind}"] = fitted(some)
    if wanted.write:
        models["cortex-m55 int8"], models["cortex-m55 float32"] = (
            models[f"cortex-m33 {kind}"] for kind in ("int8", "float32")
        )
        path = Path(sweep.c.__file__).with_name(FITTED)
        path.write_text(json.dumps(models, indent=1) + "\n", encoding="utf-8")


def fitted(rows: list[dict[str, Any]]) -> Terms:
    """Return the weights of each cost."""
    weights: Terms = {}
    for cost in METRICS:
        terms = [row["terms"][cost] for row in rows]
        names = sorted({name for one in terms for name in one} - {"bytes"})
        left = np.array([row["costs"][cost] - row["terms"][cost].get("bytes", 0) for row in rows])
        share = np.array([row["costs"][cost] for row in rows])
        matrix = np.array([[one.get(name, 0) for name in names] for one in terms])
        # Columns of like size, so that no cost is lost to rounding.
        largest = np.maximum(matrix.max(axis=0), 1)
        found, _ = nnls(matrix / largest / share[:, None], left / share, maxiter=10_000)
        weights[cost] = {n: float(f"{v:.5g}") for n, v in zip(names, found / largest) if v > 0}
    return weights


def total(terms: dict[str, float], weights: dict[str, float]) -> float:
    """Return a cost."""
    return sum(n * (1 if name == "bytes" else weights.get(name, 0)) for name, n in terms.items())


def value(costs: dict[str, float], metric: str) -> float:
    """Return a cost; ``instructions`` are those of front end and network together."""
    if metric == "instructions":
        return costs["frontend_instructions"] + costs["network_instructions"]
    return costs[metric]


def draw(space: Space, rng: np.random.Generator) -> tuple[Candidate, Architecture, str]:
    """Return a candidate that an emulator gets through, its network, and a quantization."""
    while True:
        values = space.draw(rng)
        if not space.allows(values):
            continue
        candidate = space.candidate(values)
        architecture = candidate.network.architecture(candidate.frontend.shape, 2)
        if architecture.multiply_adds() <= LARGEST:
            return candidate, architecture, str(rng.choice(candidate.compression.quantization))


def count(path: Path, shapes: int) -> list[dict[str, Any]]:
    """Return the counts of so many shapes on each core, those on file and new ones."""
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    known = {(row["shape"], row["core"]) for row in rows}
    space, rng = Space.parse(SPACE), np.random.default_rng(0)
    for shape in range(shapes):
        candidate, architecture, quantization = draw(space, rng)
        source = Counted(candidate, architecture, quantization, Target("cortex-m4")).source()
        terms = terms_of(source)
        for core in CORES_THAT_DIFFER:
            slow = quantization == "float32" and not CORES[core].has_floats
            if (shape, core) in known or (slow and architecture.multiply_adds() > LARGEST / 10):
                continue
            counted = Counted(candidate, architecture, quantization, Target(core))
            row = {
                "shape": shape,
                "core": core,
                "kind": "float32" if quantization == "float32" else "int8",
                "network": candidate.chosen("network"),
                "terms": terms,
                "costs": asdict(counted.costs()),
            }
            rows.append(row)
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            print(shape, core, row["network"], quantization, row["costs"], flush=True)
    return rows


if __name__ == "__main__":
    main()
