"""A model of what int8 takes on a core, fitted to counts, for machines without the emulator.

    python benchmarks/device_model.py ROWS.jsonl [--shapes 60] [--write]

Draws shapes, counts each on every core in the emulator (extra ``device``) and adds a line for each
to ROWS.jsonl, unless it holds enough of them.  Five times, four fifths of the shapes fit the model,
by least squares of relative errors with no negative cost; printed is how far it is off on the
others.  ``--write`` writes the model fitted to all of them to ``sweep/c/fitted.json``.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import lsq_linear

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
  quantization: [int8, int8_per_tensor]
require: [num_coefficients <= num_mel_bins]
limits: {flash_kb: "<= 64"}
objectives: {accuracy: maximize, flash_kb: minimize}
"""
CORES_THAT_DIFFER = [core for core in CORES if core != "cortex-m55"]
COSTS = ("flash_bytes", "ram_bytes", "frontend_instructions", "network_instructions")
METRICS = ("flash_bytes", "ram_bytes", "instructions")
PARTS, HELD, LARGEST = 5, 0.003, 1_500_000


def main() -> None:
    """Count, fit and print the errors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=Path)
    parser.add_argument("--shapes", type=int, default=60)
    parser.add_argument("--write", action="store_true")
    wanted = parser.parse_args()
    rows = count(wanted.rows, wanted.shapes)
    models = {}
    for core in CORES_THAT_DIFFER:
        some = [row for row in rows if row["core"] == core]
        off: dict[str, list[float]] = {metric: [] for metric in METRICS}
        for part in range(PARTS):
            fit = fitted([row for row in some if row["shape"] % PARTS != part])
            for row in (row for row in some if row["shape"] % PARTS == part):
                found = {cost: total(terms, fit[cost]) for cost, terms in row["terms"].items()}
                for metric in METRICS:
                    off[metric].append(abs(value(found, metric) / value(row["costs"], metric) - 1))
        print(f"{core:14}{len(some):3} shapes", end="")
        for metric, errors in off.items():
            middle, most = np.median(errors), np.quantile(errors, 0.9)
            print(f"  {metric} {middle:.2%}, 90 % {most:.1%}, all {max(errors):.1%}", end="")
        print(flush=True)
        models[core] = fitted(some)
    if wanted.write:
        models["cortex-m55"] = models["cortex-m33"]
        path = Path(sweep.c.__file__).with_name(FITTED)
        path.write_text(json.dumps(models, indent=1) + "\n", encoding="utf-8")


def fitted(rows: list[dict[str, Any]]) -> Terms:
    """Return the weights of each cost; what is rare is held near nothing."""
    weights: Terms = {}
    for cost in COSTS:
        terms = [row["terms"][cost] for row in rows]
        names = sorted({name for one in terms for name in one} - {"bytes"})
        left = np.array([row["costs"][cost] - row["terms"][cost].get("bytes", 0) for row in rows])
        share = np.array([row["costs"][cost] for row in rows])
        matrix = np.array([[one.get(name, 0) for name in names] for one in terms]) / share[:, None]
        # Columns of like size, so that all are held alike.
        largest = np.maximum(matrix.max(axis=0), 1e-30)
        more = np.array([name.startswith("alone ") for name in names])
        held = np.diag(np.where(more, HELD, HELD / 30))
        found = lsq_linear(
            np.vstack([matrix / largest, held]),
            np.concatenate([left / share, np.zeros(len(names))]),
            (np.where(more, -np.inf, 0), np.inf),
        ).x
        weights[cost] = {
            name: float(f"{weight:.5g}")
            for name, weight in zip(names, found / largest, strict=True)
            if abs(weight) > 1e-9
        }
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
            if (shape, core) in known:
                continue
            counted = Counted(candidate, architecture, quantization, Target(core))
            row = {
                "shape": shape,
                "core": core,
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
